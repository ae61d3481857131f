"""An async iterable, iterated over in a worker thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from ..._core import calls
from ..._core.closing import closing

BATCH = 256
SLOW = 0.005
"""Seconds after which a batch is handed over that is not full yet."""


class Stopped(Exception):
    """Ends a worker thread whose items come no longer."""


class Feed:
    """What a thread iterates over, and a loop fills when it is asked to."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()
        self._given: SimpleQueue[list[Any] | BaseException | None] = SimpleQueue()

    def __iter__(self) -> Iterator[Any]:
        while True:
            self._loop.call_soon_threadsafe(self._asked.set)
            batch = self._given.get()
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield from batch

    async def fill(self, values: AsyncIterable[Any]) -> None:
        """Give the values, a batch for each time that the thread asks; then the end."""
        async with closing(aiter(values)) as source:
            going = True
            while going:
                await self._asked.wait()
                self._asked.clear()
                try:
                    batch, going = await _batch(source)
                except Exception as error:
                    self.stop(error)
                    return
                if batch:
                    self._given.put(batch)
            self._given.put(None)

    def stop(self, error: BaseException) -> None:
        """Let the thread have an error."""
        self._given.put(error)


async def _batch(source: AsyncIterator[Any]) -> tuple[list[Any], bool]:
    """The next items, and whether there may be more."""
    batch: list[Any] = []
    end = time.monotonic() + SLOW
    while len(batch) < BATCH and (not batch or time.monotonic() < end):
        try:
            batch.append(await anext(source))
        except StopAsyncIteration:
            return batch, False
    return batch, True


async def consume(function: Callable[[Iterable[Any]], None], values: Any) -> None:
    """Call a blocking function with an iterable of either kind, off the loop."""
    if not isinstance(values, AsyncIterable):
        return await calls.call_user(function, values)
    feed = Feed()
    filling = asyncio.ensure_future(feed.fill(values))
    try:
        # A cancelled call waits for its end, which comes when the feed does.
        work = asyncio.ensure_future(calls.call_user(function, iter(feed)))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            feed.stop(Stopped("the write was cancelled"))
            with suppress(Exception):
                await work
            raise
    finally:
        filling.cancel()
        await asyncio.wait([filling])
    return None
