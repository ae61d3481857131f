"""How entries come to be: by readers, by writers, and while their objects stream by."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

from ...._core.info import WRITE_OVER, ObjectInfo
from ...streams import AsyncReader, AsyncWriter
from .entry import Sealer
from .shelf import Shelf
from .traffic import Change, Visit


@asynccontextmanager
async def reader_fills(shelf: Shelf, key: str, visit: Visit) -> AsyncIterator[bool]:
    """Gives whether what was read may be stored; a write that comes meanwhile takes it out."""
    if not visit.begin_fill():
        yield False
        return
    try:
        yield True
    finally:
        try:
            if not visit.undisturbed():
                await shelf.drop(key)
        finally:
            visit.end_fill()


@asynccontextmanager
async def writer_fills(shelf: Shelf, key: str, change: Change) -> AsyncIterator[bool]:
    """Gives whether what was written may be stored; where two writers meet, neither may."""
    try:
        yield change.alone
    finally:
        if not change.alone:
            await shelf.drop(key)


class Filling:
    """One entry in the making: ``async with``; it is published by `publish`, or never.

    Args:
        shelf: Where it will lie.
        key: The object's key.
        takes: Whether an object of so many bytes is cached.
        stored: When the main store was asked, in seconds of the epoch.
    """

    def __init__(self, shelf: Shelf, key: str, takes: Callable[[int], bool], stored: float) -> None:
        self._shelf = shelf
        self._key = key
        self._takes = takes
        self.stored = stored
        self._sealer = Sealer()
        self._writer: AsyncWriter | None = None
        self._wanted = True

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._sealer.size

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._wanted = False
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._shelf.going_around("store", self._key):
                await writer.abort()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece; once that fails, there will be no entry."""
        if not self._wanted:
            return
        self._wanted = False
        with self._shelf.going_around("store", self._key):
            self._sealer.update(data)
            if self._takes(self.size):
                await (await self._opened()).write(data)
                self._wanted = True
        if not self._wanted:
            await self.__aexit__()

    async def through(self, source: AsyncReader, visit: Visit) -> AsyncGenerator[bytes, None]:
        """Hand on the pieces of a reader, and keep them; at the end they are an entry."""
        async for piece in source:
            await self.write(piece)
            yield piece
        await self._finish(source.info, visit)

    async def end(self, source: AsyncReader, visit: Visit) -> None:
        """The same where the last piece was handed on and nobody asked for more."""
        info = source.info
        if self._wanted and self.size == info.size:
            try:
                whole = not await source.read(1)
            except Exception:
                return  # nobody asked for what failed here
            if whole:
                await self._finish(info, visit)

    async def _finish(self, info: ObjectInfo, visit: Visit) -> None:
        async with reader_fills(self._shelf, self._key, visit) as may:
            if may:
                await self.publish(info)

    async def publish(self, info: ObjectInfo) -> bool:
        """That was all of the object; ``info`` is what the main store says of it."""
        if not self._wanted or info.size not in (None, self.size):
            return False
        self._wanted = False
        with self._shelf.going_around("store", self._key):
            writer = await self._opened()
            tail = self._sealer.tail(info, self.stored)
            if not self._shelf.room.fits(self.size + len(tail)):
                return False
            await writer.write(tail)
            with self._shelf.doubting(self._key):
                await writer.aclose()
            self._writer = None
            await self._shelf.stored(self._key, self.size + len(tail))
            return True
        return False

    async def _opened(self) -> AsyncWriter:
        if self._writer is None:
            writer = self._shelf.cache._writer(self._key, WRITE_OVER)
            self._writer = await writer.__aenter__()
        return self._writer
