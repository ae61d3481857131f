"""The entries in the cache store. Whatever fails there is logged, counted and gone around."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from ...._core import calls
from ...._core.errors import InvalidKey, ObjectNotFound, StoreNotFound
from ...._core.info import READ_ALL, WRITE_OVER, ByteRange, Capability, ObjectInfo, ReadOptions
from ...._core.values import STREAM
from ...base import AsyncBaseStore
from .around import GoingAround, logger
from .counters import Counters
from .entry import FOOT, MAGIC, Broken, Seal, read_tail, seal, tail_length, unseal
from .policy import REMEMBERED, Memo
from .room import Room

Buffer = bytes | bytearray | memoryview

TAIL = 16 * 1024
"""Bytes that are read to find what an entry tells of itself; more only for large objects."""
LARGE = 1024 * 1024
"""Bytes from which digests are reckoned in a thread, and what may be held in memory at once."""
DISTRUSTED = 10_000
"""Entries of unknown state that are kept account of, before the whole cache is left alone."""


class Shelf:
    """The entries, each under its object's own key.

    Args:
        cache: The cache store.
        plain: Whether an entry is the object's bytes and nothing else.
        room: Keeps the limits.
        counters: Where failures are counted.
    """

    def __init__(self, cache: AsyncBaseStore, plain: bool, room: Room, counters: Counters) -> None:
        self.cache = cache
        self.plain = plain
        self.room = room
        self._counters = counters
        self._distrusted: set[str] = set()
        self._known: Memo[tuple[int, ObjectInfo]] = Memo(REMEMBERED)
        """Of plain entries: a hash of the bytes that were stored, and what is known of them."""
        self._shut = False
        """Whether too much is distrusted for any of it to be used."""

    # -- reading ----------------------------------------------------------------------------

    async def whole(self, key: str) -> tuple[Any, Seal] | None:
        """An object with what its entry tells, verified; None if there is no good entry."""
        if not await self._may_be_read(key):
            return None
        entry: Any = None
        with self.going_around("read", key):
            entry, _ = await self.cache._read(key, READ_ALL)
        if entry is None:
            return None
        if self.plain and not (isinstance(entry, bytes) and entry.endswith(MAGIC)):
            return entry, await self._recognised(key, entry)
        try:
            if self.plain:
                raise Broken("it is sealed")
            if len(entry) < LARGE:
                return unseal(key, entry)
            return await calls.call(unseal, key, entry)
        except (Broken, TypeError) as error:
            await self.reject(key, error)
            return None

    async def _recognised(self, key: str, entry: Any) -> Seal:
        """What this process knows of a plain entry, if these are the bytes that it stored."""
        if not isinstance(entry, bytes):
            return Seal(ObjectInfo(key), 0)
        known = self._known.get(key)
        same = known is not None and known[0] == await _hash(entry)
        return Seal(known[1] if same and known else ObjectInfo(key, len(entry)), len(entry))

    async def has(self, key: str) -> bool:
        """Whether there is an entry, good or not."""
        with self.going_around("read", key):
            return await self._may_be_read(key) and await self.cache.exists(key)
        return False

    async def seal(self, key: str) -> Seal | None:
        """What an entry tells of itself; None if there is no good one, or it is plain."""
        if self.plain or not await self._may_be_read(key):
            return None
        with self.going_around("read", key):
            try:
                return await self._seal(key)
            except Broken as error:
                await self.reject(key, error)
        return None

    async def _seal(self, key: str) -> Seal:
        end, info = await self.cache._read(key, ReadOptions(ByteRange(-TAIL)))
        needed = tail_length(end)
        if needed > len(end):
            end, info = await self.cache._read(key, ReadOptions(ByteRange(-needed)))
        length = len(end) if info.size is None else info.size
        if length == len(end):
            data, seal = unseal(key, end)
            return replace(seal, data=data)
        return read_tail(key, end, length)

    async def pieces(
        self, key: str, seal: Seal, start: int, end: int
    ) -> AsyncGenerator[bytes, None]:
        """A part of an object, each piece verified. Raises `Broken`, or what the cache raises."""
        position, stop = seal.around(start, end)
        if seal.data is not None or start >= end:
            yield (seal.data or b"")[start:end]
            return
        options = ReadOptions(ByteRange(position, stop))
        async with self.cache._reader(key, options) as reader:
            while position < stop:
                data = await reader.read(min(seal.block, stop - position))
                if len(data) != min(seal.block, stop - position):
                    raise Broken("bytes of it are missing")
                seal.verify(position, data)
                yield data[max(0, start - position) : end - position]
                position += len(data)

    async def reject(self, key: str, error: Exception, known: Seal | None = None) -> None:
        """Take away an entry that turned out to be no good.

        Args:
            key: The object's key.
            error: What was found out.
            known: What the entry told when it was good; if another one is there by now, it stays.
        """
        if isinstance(error, ObjectNotFound):
            return
        if known is not None:
            found = await self.seal(key)
            if found is None or found.mark != known.mark:
                return
        self._counters.add("corrupt" if isinstance(error, Broken | TypeError) else "errors")
        logger.warning("%r has no good entry of %r: %s", self.cache, key, error)
        await self.drop(key)

    # -- writing ----------------------------------------------------------------------------

    def streams(self, size: int | None) -> bool:
        """Whether an object may be stored piece by piece without all of it in memory."""
        if self.plain or self._shut:
            return False
        streams = Capability.STREAMS in self.cache.capabilities
        return streams or (size is not None and size <= LARGE)

    async def put(self, key: str, data: Any, info: ObjectInfo, stored: float) -> None:
        """Store an entry; leaves none if that fails."""
        with self.going_around("store", key):
            if self._can_hold(data):
                entry: Any = await self._made(key, data, info, stored)
                size = length(entry)
                if self.room.fits(size):
                    with self.doubting(key):
                        await self.cache._write(key, entry, WRITE_OVER)
                    await self.stored(key, size)
                    return
        await self.drop(key)

    async def _made(self, key: str, data: Any, info: ObjectInfo, stored: float) -> Any:
        """The entry of an object."""
        if not self.plain:
            make = calls.call if len(data) >= LARGE else _at_once
            return await make(seal, data, info, stored)
        if isinstance(data, Buffer):
            data = bytes(data)
            self._known.put(key, (await _hash(data), info))
        return data

    def _can_hold(self, data: Any) -> bool:
        if self._shut:
            return False
        if isinstance(data, Buffer):
            return not (self.plain and bytes(data[-len(MAGIC) :]) == MAGIC)
        # A stream could be read but once: by the cache, or by who asked for the object.
        return self.plain and self.cache._as_value(data) is not STREAM

    async def drop(self, key: str) -> None:
        """Remove an entry; if that fails, this process does not use it until it succeeds."""
        self.room.remove(key)
        nothing = suppress(ObjectNotFound, InvalidKey, StoreNotFound)
        with self.going_around("remove", key), self.doubting(key), nothing:
            await self.cache.delete(key, missing_ok=True)
        if len(self._distrusted) > DISTRUSTED and not self._shut:
            self._shut = True
            logger.error("%r fails too much and is not used until it is cleared", self.cache)

    async def remove(self, key: str) -> bool:
        """Whether there was an entry, which is removed. Raises what the cache store raises."""
        self.room.remove(key)
        with self.doubting(key):
            try:
                await self.cache.delete(key)
            except (ObjectNotFound, InvalidKey, StoreNotFound):
                return False
        return True

    async def stored(self, key: str, size: int) -> None:
        """A good entry of so many bytes lies there now."""
        self._distrusted.discard(key)
        await self.room.add(key, size)

    async def clear(self) -> int:
        """Remove all entries; returns how many. Raises what the cache store raises."""
        try:
            count = await self.cache.clear()
        except StoreNotFound:
            count = 0  # nothing was stored yet
        self.room.clear()
        self._distrusted.clear()
        self._shut = False
        return count

    # -- failures ---------------------------------------------------------------------------

    async def _may_be_read(self, key: str) -> bool:
        if not self._shut and key in self._distrusted:
            await self.drop(key)
            return False
        return not self._shut

    @contextmanager
    def doubting(self, key: str) -> Iterator[None]:
        """Distrust an entry if changing it fails or is cancelled, else no longer."""
        try:
            yield
        except BaseException:
            self._distrusted.add(key)
            raise
        self._distrusted.discard(key)

    def going_around(self, what: str, key: str) -> GoingAround:
        """Log and count what fails in the cache store; that something is missing is no failure."""
        return GoingAround(self.cache, self._counters, what, key)


def length(data: Any) -> int:
    """Bytes of a value, if it is any bytes."""
    return len(data) if isinstance(data, Buffer) else 0


async def _hash(data: bytes) -> int:
    return hash(data) if len(data) < LARGE else await calls.call(hash, data)


async def _at_once(function: Any, *args: Any) -> Any:
    return function(*args)


assert FOOT <= TAIL
