"""A store that asks a second time where an answer is long in coming."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from ..._core.errors import ConfigError, StoreTimeout, StoreUnavailable
from ..._core.info import ByteRange, ObjectInfo, ReadOptions
from ..._core.leftovers import Leftovers
from ..._core.protocol import AsyncObjectStore
from .identity import AsyncIdentityStore

T = TypeVar("T")

BURST = 10.0
"""Second requests that may be saved up."""
SAMPLES = 256
"""Latest reads by whose times the delay is chosen."""
ENOUGH = 16
"""Reads whose times have to be known before they count."""


class AsyncHedgeStore(AsyncIdentityStore):
    """Sends a read a second time if the first takes long; the first good answer is taken.

    That cuts off the slowest reads of a store that is slow now and then. Whole objects, ranges,
    heads and existence are read so; streams, listings and writes are handed on as they are.

    Args:
        store: A store of ours, or any object with the five async verbs.
        delay: Seconds after which the second request is sent.
        percentile: Choose the delay anew all the time, so that this share of the latest reads was
            faster (0.95: all but every twentieth); ``delay`` holds until enough reads are known.
        cap: Second requests that a store is sent at most for each first one, in the long run: in
            an outage, when all are slow, more of them would make it worse.
        clock: Gives the time in seconds.
        sleep: Waits so many seconds; None: ``asyncio.sleep``.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        delay: float = 0.1,
        percentile: float | None = None,
        cap: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        if not delay > 0 or not 0 <= cap <= 1 or not 0 < (percentile or 0.5) < 1:
            raise ConfigError("delay is above 0, cap from 0 to 1, and percentile between 0 and 1")
        self._delay, self._percentile = delay, percentile
        self._allowance = Allowance(cap)
        self._times: deque[float] = deque(maxlen=SAMPLES)
        self._clock, self._sleep = clock, sleep
        self._losers = Leftovers()
        self.inline = False  # it waits

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        return await self._hedged(partial(super()._get, key, options))

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._hedged(partial(super()._get_ranges, key, parts, if_match))

    async def _head(self, key: str) -> ObjectInfo:
        return await self._hedged(partial(super()._head, key))

    async def _exists(self, key: str) -> bool:
        return await self._hedged(partial(super()._exists, key))

    async def _teardown(self) -> None:
        try:
            await self._losers.aclose()
        finally:
            await super()._teardown()

    async def _hedged(self, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The first good answer of at most two; what is left over is cancelled."""
        self._allowance.earn()
        begin = self._clock()
        tasks = [asyncio.create_task(read())]
        try:
            if not await self._soon(tasks[0]) and self._allowance.take():
                tasks.append(asyncio.create_task(read()))
            winner = await _first_good(tasks)
        except asyncio.CancelledError:
            await self._losers.leave(tasks)
            raise
        for task in tasks:
            if task is not winner:
                self._losers.drop(task)
        self._times.append(self._clock() - begin)
        return winner.result()

    async def _soon(self, task: asyncio.Task[T]) -> bool:
        """Wait for the delay; tells whether the task has ended by then."""
        delay = self._chosen_delay()
        if self._sleep is None:
            await asyncio.wait([task], timeout=delay)
            return task.done()
        timer = asyncio.ensure_future(self._sleep(delay))
        try:
            await asyncio.wait([task, timer], return_when="FIRST_COMPLETED")
        finally:
            self._losers.drop(timer)
        return task.done()

    def _chosen_delay(self) -> float:
        if self._percentile is None or len(self._times) < ENOUGH:
            return self._delay
        times = sorted(self._times)
        return times[int(self._percentile * (len(times) - 1))]


class Allowance:
    """How many second requests there may be, by how many first ones there were; for any thread."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = min(1.0, share * BURST)
        self._lock = threading.Lock()

    def earn(self) -> None:
        """There was a first request."""
        with self._lock:
            self._saved = min(BURST, self._saved + self._share)

    def take(self) -> bool:
        """Whether a second one may go out."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True

    def __reduce__(self) -> tuple[type[Allowance], tuple[float]]:
        return Allowance, (self._share,)


async def _first_good(tasks: list[asyncio.Task[T]]) -> asyncio.Task[T]:
    """The first that has an answer, be it that there is no such object; else the first of all."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when="FIRST_COMPLETED")
        for task in tasks:
            if task in done and not _is_weak(task):
                return task
    return tasks[0]


def _is_weak(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or isinstance(task.exception(), StoreUnavailable | StoreTimeout)
