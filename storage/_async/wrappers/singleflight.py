"""A store that asks once where many ask the same at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Hashable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

from ..._core.closing import closing
from ..._core.errors import StoreUnavailable
from ..._core.info import ByteRange, ObjectInfo, ReadOptions, WriteOptions
from ..._core.leftovers import Leftovers
from ..._core.looplocal import LoopLocal
from ..._core.protocol import AsyncObjectStore
from ..._core.values import ones_own
from ..._core.window import each
from ..base import Keys, Outcome
from ..pieces import Sink
from .identity import AsyncIdentityStore

T = TypeVar("T")


class AsyncSingleflightStore(AsyncIdentityStore):
    """Reads of the same that are under way at once share one call to the store.

    Whole objects, ranges, heads and existence are read so; streams and listings are handed on as
    they are. Who asks after a write through this store has begun, or has ended, shares no call
    that was begun before. A reader that is cancelled takes nothing from the others; when all are,
    the call is. The readers of one event loop share; all blocking ones have the same.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, timeout=timeout)
        self._flights = Flights()
        self.inline = False  # it waits for others

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        read = partial(super()._get, key, options)
        data, info = await self._flights.join(key, ("get", options), read)
        return ones_own(data), info

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        read = partial(super()._get_ranges, key, parts, if_match)
        return list(await self._flights.join(key, ("get_ranges", tuple(parts), if_match), read))

    async def _head(self, key: str) -> ObjectInfo:
        return await self._flights.join(key, "head", partial(super()._head, key))

    async def _exists(self, key: str) -> bool:
        return await self._flights.join(key, "exists", partial(super()._exists, key))

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        async with self._flights.parted(key):
            return await super()._put(key, data, options)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._flights.parted(key), super()._create(key, options) as sink:
            yield sink

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._flights.parted(key):
            await super()._delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._flights.parted(target):
            return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._flights.parted(source, target):
            return await super()._move(source, target, if_absent)

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(super()._delete_many(self._parting(keys), missing_ok)) as outcomes:
            async for key, error in outcomes:
                self._flights.part(key)
                yield key, error

    async def _parting(self, keys: Keys) -> AsyncIterator[str]:
        async with closing(each(keys)) as source:
            async for key in source:
                self._flights.part(key)
                yield key

    async def _teardown(self) -> None:
        try:
            await self._flights.aclose()
        finally:
            await super()._teardown()


class Flight:
    """One call, and how many wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiters = 0


class Flights:
    """The calls under way, by key and question; those of each event loop apart."""

    def __init__(self) -> None:
        self._by_key: LoopLocal[dict[str, dict[Hashable, Flight]]] = LoopLocal(dict)
        self._left = Leftovers()

    def __reduce__(self) -> tuple[type[Flights], tuple[()]]:
        return Flights, ()

    async def join(
        self, key: str, question: Hashable, read: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """What the call that is under way gives, or a new one."""
        flights = self._by_key.get()
        flight = flights.get(key, {}).get(question)
        if flight is None:
            flight = Flight(asyncio.create_task(read()))
            flights.setdefault(key, {})[question] = flight
            landed = partial(self._landed, flights, key, question, flight)
            flight.task.add_done_callback(landed)
        flight.waiters += 1
        try:
            return cast("T", await asyncio.shield(flight.task))
        except asyncio.CancelledError:
            if flight.task.cancelled() and not _is_cancelled():
                raise StoreUnavailable("the store has cancelled the call") from None
            raise
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._landed(flights, key, question, flight)
                await self._left.leave([flight.task])

    @staticmethod
    def _landed(
        flights: dict[str, dict[Hashable, Flight]],
        key: str,
        question: Hashable,
        flight: Flight,
        task: object = None,
    ) -> None:
        """Let nobody else join."""
        same_key = flights.get(key, {})
        if same_key.get(question) is flight:
            del same_key[question]
            if not same_key:
                del flights[key]

    def part(self, key: str) -> None:
        """From now on all begin anew, on any loop."""
        for _, flights in self._by_key.all():
            flights.pop(key, None)

    @asynccontextmanager
    async def parted(self, *keys: str) -> AsyncIterator[None]:
        """While a key changes: nobody shares a call from before that, nor afterwards one of now."""
        for key in keys:
            self.part(key)
        try:
            yield
        finally:
            for key in keys:
                self.part(key)

    async def aclose(self) -> None:
        """Wait for the calls that nobody waits for."""
        await self._left.aclose()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
