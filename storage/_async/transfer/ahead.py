"""Reading ahead of whoever reads."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic, Self, TypeVar

from ..._core.closing import closing
from ..._core.window import cancel_all

T = TypeVar("T")

AHEAD = 8
"""Items that are held for somebody who waits for another source."""


class Ahead(Generic[T]):
    """The items of an iterator, which are read from now on, before anybody asks for them.

    Args:
        source: The iterator; it is closed at the end.
        context: In which it goes on; None: the caller's.
    """

    def __init__(
        self, source: AsyncIterator[T], context: contextvars.Context | None = None
    ) -> None:
        self._held: asyncio.Queue[T | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(AHEAD)
        self._source = source
        self._reading = asyncio.create_task(self._read(), context=context)
        self._reading.add_done_callback(lambda _: self._held.put_nowait(None))

    async def _read(self) -> None:
        async for item in self._source:
            await self._room.acquire()
            self._held.put_nowait(item)

    async def get_going(self, seconds: float) -> None:
        """Let it work alone for a moment, such as until its request has left."""
        await asyncio.wait([self._reading], timeout=seconds)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        item = await self._held.get()
        if item is not None:
            self._room.release()
            return item
        self._held.put_nowait(None)  # the end stays the end
        await self._reading
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give up what is on its way."""
        async with closing(self._source):
            await cancel_all([self._reading])


async def ahead(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items of an iterator, read ahead from the moment on that the first is asked for."""
    async with closing(Ahead(source)) as items:
        async for item in items:
            yield item
