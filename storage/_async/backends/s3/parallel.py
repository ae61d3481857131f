"""Large objects read over several connections, all parts of one version.

One connection is enough where it gives bytes as fast as they can be taken, as a server nearby does;
then more of them would only cost both sides. So the first one is watched, and others join it where
it is slow.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from time import monotonic
from typing import Protocol, TypeVar

from ...._core.closing import closing
from .flights import Room, in_turn
from .reading import Download

MIB = 1024 * 1024
LARGE = 16 * MIB
"""Bytes from which more than one connection is worth its cost."""
FAST = 100e6
"""Bytes in a second of waiting that make one connection enough."""
STEP = 8 * MIB
"""Bytes that one request asks for."""
AHEAD = 4 * MIB
"""The same for a stream, where they are held until it is their turn."""

T = TypeVar("T")
Piece = TypeVar("Piece", bytes, memoryview)


class Steps(Protocol):
    """Iterates with the store's deadline on each step, and closes the source at the end."""

    def __call__(self, source: AsyncIterator[T], /) -> AsyncIterator[T]: ...


class Pace:
    """How fast a connection gives bytes while they are waited for."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._size, self._waited = 0, 0.0

    async def watch(self, chunks: AsyncIterator[Piece]) -> AsyncGenerator[Piece, None]:
        """The same chunks."""
        async with closing(chunks) as source:
            while True:
                began = monotonic()
                chunk = await anext(source, None)
                self.note(0 if chunk is None else len(chunk), monotonic() - began)
                if chunk is None:
                    return
                yield chunk

    def note(self, size: int, waited: float) -> None:
        """Take note of bytes, and of the seconds that were waited for them."""
        self._size += size
        self._waited += waited

    def is_slow(self) -> bool:
        """Whether it was, for as many bytes as it takes to tell."""
        if self._size < self._window:
            return False
        slow = self._size < FAST * self._waited
        self._size, self._waited = 0, 0.0
        return slow


# -- in order ---------------------------------------------------------------------------------


async def chunks(download: Download, budget: Room) -> AsyncGenerator[bytes, None]:
    """The bytes of an opened object in order, read ahead where it is large and looks worth it.

    A reader who wants but the beginning of a large object costs no more than that.
    """
    start, end = download.span
    if end - start <= LARGE:
        async with closing(download.chunks()) as source:
            async for chunk in source:
                yield chunk
        return
    check = download.take_check()
    async with aclosing(_in_order(download, end, budget)) as parts:
        async for chunk in parts:
            if check is not None:
                check.update(chunk)
            yield chunk
    if check is not None:
        check.finish()


async def _in_order(download: Download, end: int, budget: Room) -> AsyncGenerator[bytes, None]:
    pace = Pace(AHEAD)
    async with aclosing(pace.watch(download.chunks())) as first:
        async for chunk in first:
            yield chunk
            if pace.is_slow():
                download.stop_at(download.span[0])
    begin = download.span[0]
    spans = [(at, min(at + AHEAD, end)) for at in range(begin, end, AHEAD)]
    sized = ((span, span[1] - span[0]) for span in spans)
    async with aclosing(in_turn(_Ahead(download), sized, budget)) as parts:
        async for part in parts:
            for chunk in part:
                yield chunk


class _Ahead:
    """Reads parts of an object into memory."""

    def __init__(self, download: Download) -> None:
        self._download = download

    async def __call__(self, span: tuple[int, int]) -> list[bytes]:
        part = self._download.sibling(*span)
        await part.open()
        async with closing(part.chunks()) as source:
            return [chunk async for chunk in source]
