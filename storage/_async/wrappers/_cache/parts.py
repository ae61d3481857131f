"""Parts of objects, and objects in pieces, from entries that may be served."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ...._core.closing import closing
from ...._core.errors import CorruptStore
from ...._core.info import ByteRange, ReadOptions
from ...._core.ranges import merge_ranges
from ...base import AsyncBaseStore
from .entry import BLOCK, Seal
from .reads import Reads
from .shelf import Shelf


class Parts:
    """Serves from entries, block by block, each verified before anything of it is handed on.

    Args:
        main: The main store, for when an entry fails midway.
        shelf: The entries.
        reads: Where hits are counted.
    """

    def __init__(self, main: AsyncBaseStore, shelf: Shelf, reads: Reads) -> None:
        self._main = main
        self._shelf = shelf
        self._reads = reads

    async def part(self, key: str, seal: Seal, part: ByteRange | None) -> bytes | None:
        """A part of an object from its entry; None if the entry turns out to be no good."""
        start, end = (part or ByteRange()).resolve(seal.size)
        try:
            async with closing(self._shelf.pieces(key, seal, start, end)) as pieces:
                data = b"".join([piece async for piece in pieces])
        except Exception as error:
            await self._shelf.reject(key, error, seal)
            return None
        self._reads.hit(key, len(data))
        return data

    @asynccontextmanager
    async def opened(
        self, key: str, seal: Seal, part: ByteRange | None
    ) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """The same piece by piece.

        The first one is there before anything is said of the object: an entry may go at any time,
        and then nothing has happened. An entry that was opened stays what it is; if it fails
        nevertheless, the main store goes on where it ended.
        """
        start, end = (part or ByteRange()).resolve(seal.size)
        async with closing(self._shelf.pieces(key, seal, start, end)) as source:
            try:
                first = await anext(source, b"")
            except Exception as error:
                await self._shelf.reject(key, error, seal)
                yield None
                return
            async with closing(self._pieces(key, seal, start, end, first, source)) as pieces:
                yield pieces

    async def _pieces(
        self, key: str, seal: Seal, start: int, end: int, first: bytes, source: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes, None]:
        position = start + len(first)
        failed = False
        try:
            yield first
            async for piece in source:
                position += len(piece)
                yield piece
        except Exception as error:
            failed = True
            await self._shelf.reject(key, error, seal)
        finally:
            self._reads.hit(key, position - start)
        if failed:
            async with closing(self._rest(key, seal, ByteRange(position, end))) as pieces:
                async for piece in pieces:
                    yield piece

    async def _rest(self, key: str, seal: Seal, part: ByteRange) -> AsyncGenerator[bytes, None]:
        """A part of the very version that an entry held, from the main store."""
        if not self._reads.knows_conditions(seal):
            raise CorruptStore("the cached object is damaged: read it again")
        options = ReadOptions(part, if_match=seal.info.etag)
        async with self._main._reader(key, options) as reader:
            async for piece in reader:
                yield piece

    async def parts(
        self, key: str, seal: Seal, parts: Sequence[ByteRange]
    ) -> Sequence[bytes] | None:
        """Several parts; None if the entry turns out to be no good."""
        bounds = [part.resolve(seal.size) for part in parts]
        found = [b""] * len(parts)
        for merged in merge_ranges(bounds, gap=BLOCK):
            data = await self.part(key, seal, ByteRange(merged.start, merged.end))
            if data is None:
                return None
            for index in merged.members:
                start, end = bounds[index]
                found[index] = data[start - merged.start : end - merged.start]
        return found
