"""Large objects read over several connections, all parts of one version."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from io import BytesIO
from typing import Protocol

from ...._core import calls
from ...._core.closing import closing
from . import checksums
from .flights import MOST, Budget, in_turn, together
from .reading import Download

MIB = 1024 * 1024
LARGE = 16 * MIB
"""Bytes from which more than one connection is worth its cost."""
STEP = 8 * MIB
"""Bytes that one request asks for."""

PIECE = MIB
"""Bytes that are written at once, in a worker thread."""
AHEAD = 4 * MIB
"""The same for a stream, where they are held until it is their turn."""

Steps = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]
"""Iterates with the store's deadline on each step, and closes the source at the end."""


# -- in order ---------------------------------------------------------------------------------


async def chunks(download: Download, budget: Budget) -> AsyncGenerator[bytes, None]:
    """The bytes of an opened object in order, read ahead as soon as it looks worth it.

    A reader who wants but the beginning of a large object costs no more than that.
    """
    start, end = download.span
    check = download.take_check() if end - start > LARGE else None
    if end - start > LARGE:
        download.stop_at(start + AHEAD)
    async with closing(download.chunks()) as first:
        async for chunk in first:
            if check is not None:
                check.update(chunk)
            yield chunk
    begin = download.span[0]
    spans = [(at, min(at + AHEAD, end)) for at in range(begin, end, AHEAD)]
    sized = ((span, span[1] - span[0]) for span in spans)
    async with aclosing(in_turn(_Ahead(download), sized, budget)) as parts:
        async for part in parts:
            for chunk in part:
                if check is not None:
                    check.update(chunk)
                yield chunk
    if check is not None:
        check.finish()


class _Ahead:
    """Reads parts of an object into memory."""

    def __init__(self, download: Download) -> None:
        self._download = download

    async def __call__(self, span: tuple[int, int]) -> list[bytes]:
        part = self._download.sibling(*span)
        await part.open()
        async with closing(part.chunks()) as source:
            return [chunk async for chunk in source]


# -- into a place -----------------------------------------------------------------------------


class Place(Protocol):
    """Where the bytes of an object are brought to, in any order."""

    async def write(self, at: int, data: bytes, digest: checksums.Running | None) -> None:
        """Keep bytes at a position, and feed a digest with them."""

    def digest(self, name: str) -> bytes:
        """The digest of all that was kept; blocking."""


class Memory:
    """A place in memory.

    Args:
        start: The position of its first byte.
        size: Its length in bytes.
    """

    def __init__(self, start: int, size: int) -> None:
        self._start = start
        self._buffer = BytesIO()
        self._buffer.seek(max(0, size - 1))
        self._buffer.write(b"\0"[:size])  # all of it at once: to grow it would copy it

    async def write(self, at: int, data: bytes, digest: checksums.Running | None) -> None:
        """See `Place`."""
        if digest is not None:
            await calls.call(digest.update, data)
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

    async def run(self) -> None:
        """Do all of it.

        Raises:
            IntegrityError: The bytes do not have the checksum that was told of them.
            PreconditionFailed: The object was replaced meanwhile.
        """
        size = self._end - self._start
        others = min(MOST, size // STEP) - 1 if size > LARGE else 0
        try:
            await together([self._bring(self._download), *(self._other() for _ in range(others))])
        finally:
            self._download.close()  # if it was cancelled before it began
        if self._check is not None:
            await self._compare(self._check)

    async def _other(self) -> None:
        while (span := self._claim()) is not None:
            part = self._download.sibling(*span)
            await part.open()
            await self._bring(part)

    def _claim(self) -> tuple[int, int] | None:
        """The last part that nobody reads yet."""
        at, end = self._download.span
        if end - at < 2 * STEP:
            return None
        self._download.stop_at(end - STEP)
        return end - STEP, end

    async def _bring(self, part: Download) -> None:
        start = at = part.span[0]
        joins = self._check is not None and checksums.joins(self._check.name)
        digest = checksums.running(self._check.name) if self._check and joins else None
        async with closing(_pieces(self._steps(part.chunks()))) as pieces:
            async for piece in pieces:
                await self._place.write(at, piece, digest)
                at += len(piece)
        if digest is not None:
            self._digests[start] = digest.digest(), at - start

    async def _compare(self, check: checksums.Check) -> None:
        parts = [self._digests[start] for start in sorted(self._digests)]
        digest = checksums.joined(check.name, parts) if parts else None
        if digest is None:
            digest = await calls.call(self._place.digest, check.name)
        check.compare(digest)


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The bytes in pieces that are worth a worker thread."""
    waiting: list[bytes] = []
    size = 0
    async with closing(chunks) as source:
        async for chunk in source:
            waiting.append(chunk)
            size += len(chunk)
            if size >= PIECE:
                yield b"".join(waiting)
                waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
