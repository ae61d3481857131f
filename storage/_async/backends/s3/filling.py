"""Objects brought to a place, in memory or in a file, by one connection or by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from io import BytesIO
from typing import Protocol

from ...._core import calls
from ...._core.closing import closing
from ...._core.window import cancel_all
from . import checksums, parallel
from .flights import MOST, together
from .parallel import Pace, Steps
from .reading import Download

PIECE = 1024 * 1024
"""Bytes that are worth a hop to a worker thread."""

Offer = Callable[[], memoryview]
Source = Callable[[Offer], AsyncIterator[memoryview]]
"""Brings bytes to the memory that is offered for the next piece."""


class Place(Protocol):
    """Where the bytes of an object are brought to, in any order."""

    piece: int
    """Bytes that it takes at once, but for the last; more of them where each is a hop to a worker
    thread."""
    aside: bool
    """Whether to write is worth a task, since it waits for something."""

    async def write(self, at: int, data: memoryview, digest: checksums.Running | None) -> None:
        """Keep a copy of bytes at a position, and feed a digest with them."""

    def digest(self, name: str) -> bytes:
        """The digest of all that was kept; blocking."""
        ...


class Memory:
    """A place in memory.

    Args:
        start: The position of its first byte.
    """

    piece = 256 * 1024
    aside = False

    def __init__(self, start: int) -> None:
        self._start = start
        # Grows without being copied, and gives what it holds without a copy.
        self._buffer = BytesIO()

    async def write(self, at: int, data: memoryview, digest: checksums.Running | None) -> None:
        """See `Place`."""
        if digest is not None:
            digest.update(data)
        self._buffer.seek(at - self._start)
        self._buffer.write(data)

    def digest(self, name: str) -> bytes:
        """See `Place`."""
        with self._buffer.getbuffer() as view:
            return checksums.digest_of(name, view)

    def content(self) -> bytes:
        """All of it; not a copy."""
        return self._buffer.getvalue()


class Filling:
    """Brings an opened object to a place.

    The connection that it was opened on reads on from the front, and others come to meet it from
    the back, so that none ends before it must.

    Args:
        download: Opened.
        place: Takes the bytes.
        steps: Puts a deadline on each step.
    """

    def __init__(self, download: Download, place: Place, steps: Steps) -> None:
        self._download = download
        self._place = place
        self._steps = steps
        self._start, self._end = download.span
        self._check = download.take_check()
        self._digests: dict[int, tuple[bytes, int]] = {}
        self._slow = asyncio.Event()

    async def run(self) -> None:
        """Do all of it.

        Raises:
            IntegrityError: The bytes do not have the checksum that was told of them.
            PreconditionFailed: The object was replaced meanwhile.
        """
        size = self._end - self._start
        others = min(MOST, size // parallel.STEP) - 1 if size > parallel.LARGE else 0
        try:
            await together([self._first(), *(self._other() for _ in range(others))])
        finally:
            self._download.close()  # if it was cancelled before it began
        if self._check is not None:
            await self._compare(self._check)

    async def _first(self) -> None:
        pace = Pace(parallel.STEP)
        await self._bring(self._start, lambda to: pace.watch(self._download.fill(to)), pace)
        self._slow.set()  # there is nothing left for others to do

    async def _other(self) -> None:
        await self._slow.wait()
        while (span := self._claim()) is not None:
            await self._bring(span[0], partial(_opened, self._download.sibling(*span)), None)

    def _claim(self) -> tuple[int, int] | None:
        """The last part that nobody reads yet."""
        at, end = self._download.span
        if end - at < 2 * parallel.STEP:
            return None
        self._download.stop_at(end - parallel.STEP)
        return end - parallel.STEP, end

    async def _bring(self, start: int, fill: Source, pace: Pace | None) -> None:
        at = start
        joins = self._check is not None and checksums.joins(self._check.name)
        digest = checksums.running(self._check.name) if self._check and joins else None
        blocks = Blocks(self._place.piece)
        writing: asyncio.Task[None] | None = None  # while the next block is filled
        try:
            async with aclosing(blocks.filled(lambda offer: self._steps(fill(offer)))) as filled:
                async for block in filled:
                    if writing is not None:
                        await writing
                    write = self._place.write(at, block, digest)
                    at += len(block)
                    if self._place.aside:
                        writing = asyncio.create_task(write)
                    else:
                        await write
                    if pace is not None and pace.is_slow():
                        self._slow.set()
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                await cancel_all([writing])
        if digest is not None:
            self._digests[start] = digest.digest(), at - start

    async def _compare(self, check: checksums.Check) -> None:
        parts = [self._digests[start] for start in sorted(self._digests)]
        digest = checksums.joined(check.name, parts) if parts else None
        if digest is None:
            digest = await calls.call(self._place.digest, check.name)
        check.compare(digest)


class Blocks:
    """Memory for the bytes of an object on their way: one block is filled, one is written.

    Args:
        size: Bytes of each.
    """

    def __init__(self, size: int) -> None:
        self._now, self._other = (memoryview(bytearray(size)) for _ in range(2))
        self._filled = 0

    async def filled(self, source: Source) -> AsyncGenerator[memoryview, None]:
        """The bytes by blocks, full but for the last; one is good until the next but one is asked.

        Args:
            source: Brings the bytes to the memory that is offered for them.
        """
        async with closing(source(self._room)) as pieces:
            async for piece in pieces:
                self._filled += len(piece)
                if self._filled == len(self._now):
                    yield self._turned()
        if self._filled:
            yield self._turned()

    def _room(self) -> memoryview:
        return self._now[self._filled :]

    def _turned(self) -> memoryview:
        block = self._now[: self._filled]
        self._now, self._other, self._filled = self._other, self._now, 0
        return block


async def _opened(part: Download, offer: Offer) -> AsyncGenerator[memoryview, None]:
    """Its bytes; the deadline of the first is that of opening it, too."""
    await part.open()
    async with closing(part.fill(offer)) as source:
        async for piece in source:
            yield piece
