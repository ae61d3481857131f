"""Objects brought to a place, in memory or in a file, by one connection or by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
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


class Place(Protocol):
    """Where the bytes of an object are brought to, in any order."""

    piece: int
    """Bytes that are worth a hop to a worker thread; 0 where it needs none."""

    async def write(self, at: int, data: bytes, digest: checksums.Running | None) -> None:
        """Keep bytes at a position, and feed a digest with them."""

    def digest(self, name: str) -> bytes:
        """The digest of all that was kept; blocking."""
        ...


class Memory:
    """A place in memory.

    Args:
        start: The position of its first byte.
    """

    piece = 0

    def __init__(self, start: int) -> None:
        self._start = start
        # Grows without being copied, and gives what it holds without a copy.
        self._buffer = BytesIO()

    async def write(self, at: int, data: bytes, digest: checksums.Running | None) -> None:
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
        pace = Pace(parallel.STEP // 2)
        await self._bring(self._start, pace.watch(self._download.chunks()), pace)
        self._slow.set()  # there is nothing left for others to do

    async def _other(self) -> None:
        await self._slow.wait()
        while (span := self._claim()) is not None:
            await self._bring(span[0], _opened(self._download.sibling(*span)), None)

    def _claim(self) -> tuple[int, int] | None:
        """The last part that nobody reads yet."""
        at, end = self._download.span
        if end - at < 2 * parallel.STEP:
            return None
        self._download.stop_at(end - parallel.STEP)
        return end - parallel.STEP, end

    async def _bring(self, start: int, chunks: AsyncIterator[bytes], pace: Pace | None) -> None:
        at = start
        joins = self._check is not None and checksums.joins(self._check.name)
        digest = checksums.running(self._check.name) if self._check and joins else None
        writing: asyncio.Task[None] | None = None  # while the next piece comes
        try:
            async with aclosing(_pieces(self._steps(chunks), self._place.piece)) as pieces:
                async for piece in pieces:
                    if writing is not None:
                        await writing
                    write = self._place.write(at, piece, digest)
                    at += len(piece)
                    if self._place.piece:
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


async def _opened(part: Download) -> AsyncGenerator[bytes, None]:
    """Its chunks; the deadline of the first is that of opening it, too."""
    await part.open()
    async with closing(part.chunks()) as source:
        async for chunk in source:
            yield chunk


async def _pieces(chunks: AsyncIterator[bytes], least: int) -> AsyncGenerator[bytes, None]:
    """The bytes in pieces of so many, but for the last."""
    waiting: list[bytes] = []
    size = 0
    async with closing(chunks) as source:
        async for chunk in source:
            waiting.append(chunk)
            size += len(chunk)
            if size >= least:
                yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
                waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
