"""Objects brought to a place, in memory or in a file, by one connection or by several."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from io import BytesIO
from typing import Protocol

from ...._core import calls, draining
from ...._core.closing import closing
from ...._core.draining import Drain
from ...._core.window import cancel_all
from . import checksums, parallel
from .flights import MOST, together
from .parallel import Pace, Steps
from .reading import Download

LENT = 256 * 1024
"""Bytes that a turn of a worker thread must bring, to be worth another."""
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

    @property
    def file(self) -> int | None:
        """The descriptor of a file, where worker threads may put the bytes there themselves."""
        ...

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
    file = None

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
    the back, so that none ends before it must. Where several objects are brought at once, their
    own connections are enough: all together have no more of them than one would have alone. Who
    brings one counts it among the others, by `Crowd.one`.

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
        await self._bring(self._download, Pace(parallel.STEP))
        self._slow.set()  # there is nothing left for others to do

    async def _other(self) -> None:
        crowd = self._download.crowd
        while self._is_worth_another:
            if not (self._slow.is_set() and crowd.join()):
                self._slow.clear()
                await self._slow.wait()
                continue
            try:
                part = self._download.sibling(*self._claim())
                async with closing(self._steps(_opening(part))) as opening:
                    await anext(opening)
                await self._bring(part, None)
            finally:
                crowd.leave()

    @property
    def _is_worth_another(self) -> bool:
        at, end = self._download.span
        return end - at >= 2 * parallel.STEP

    def _claim(self) -> tuple[int, int]:
        """The last part that nobody reads yet."""
        _, end = self._download.span
        self._download.stop_at(end - parallel.STEP)
        return end - parallel.STEP, end

    async def _bring(self, download: Download, pace: Pace | None) -> None:
        start, _ = download.span
        joins = self._check is not None and checksums.joins(self._check.name)
        digest = checksums.running(self._check.name) if self._check and joins else None
        blocks, drain = Blocks(self._place.piece), self._drain(digest)
        most = sys.maxsize if drain is None else self._place.piece
        try:
            while download.span[0] < download.span[1]:
                if drain is not None:
                    lent = await self._lend(download, drain, pace)
                    most = self._place.piece if lent else 2 * most  # to try costs a thread's time
                await self._fill(download, blocks, digest, pace, most)
        finally:
            download.close()
        if digest is not None:
            self._digests[start] = digest.digest(), download.span[0] - start

    def _drain(self, digest: checksums.Running | None) -> Drain | None:
        if self._place.file is None or not draining.ABLE:
            return None
        return Drain(self._place.file, digest)

    async def _lend(self, download: Download, drain: Drain, pace: Pace | None) -> bool:
        """Let a worker thread move bytes to the file, as long as it is worth it; whether it was."""
        worth, waited = False, drain.waited
        async with closing(self._steps(_lent(download, drain))) as turns:
            async for size in turns:
                worth = worth or size >= LENT
                if pace is not None:
                    pace.note(size, drain.waited - waited)
                    waited = drain.waited
                    self._judge(pace)
        return worth

    async def _fill(
        self,
        download: Download,
        blocks: Blocks,
        digest: checksums.Running | None,
        pace: Pace | None,
        most: int,
    ) -> None:
        """Bring bytes by way of blocks in memory, about so many."""
        at, _ = download.span

        def source(offer: Offer) -> AsyncIterator[memoryview]:
            pieces = download.fill(offer, most)
            return self._steps(pieces if pace is None else pace.watch(pieces))

        writing: asyncio.Task[None] | None = None  # while the next block is filled
        try:
            async with aclosing(blocks.filled(source)) as filled:
                async for block in filled:
                    if writing is not None:
                        await writing
                    write = self._place.write(at, block, digest)
                    at += len(block)
                    if self._place.aside:
                        writing = asyncio.create_task(write)
                    else:
                        await write
                    self._judge(pace)
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                await cancel_all([writing])

    def _judge(self, pace: Pace | None) -> None:
        if pace is not None and pace.is_slow():
            self._slow.set()

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


async def _opening(download: Download) -> AsyncGenerator[None, None]:
    await download.open()
    yield None


async def _lent(download: Download, drain: Drain) -> AsyncGenerator[int, None]:
    size = LENT
    while size >= LENT:
        size = await download.lend(drain, parallel.STEP)
        yield size
