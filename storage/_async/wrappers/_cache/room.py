"""How much room the entries have: what was not used for longest goes first."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from contextlib import suppress

from ...._core.closing import closing
from ...._core.errors import ObjectNotFound, StoreNotFound
from ...._core.info import ObjectInfo
from ...base import AsyncBaseStore
from .around import logger
from .counters import Counters

SHARE = 4
"""The cache is listed anew after storing so large a part of what it may hold: one in four."""


class Room:
    """The entries of a cache store by their last use, as far as this process knows.

    What is there before, and what other processes store and remove, is learned from a listing:
    at the first entry, and after each quarter of the limits that this process has filled. Several
    processes keep the limits together to within such a quarter each.

    Args:
        cache: The cache store; all that lies in it is entries.
        max_bytes: Of all entries.
        max_objects: How many entries.
        counters: Where evictions are counted.
    """

    def __init__(
        self,
        cache: AsyncBaseStore,
        max_bytes: int | None,
        max_objects: int | None,
        counters: Counters,
    ) -> None:
        self._cache = cache
        self._max_bytes = max_bytes
        self._max_objects = max_objects
        self._counters = counters
        self._lock = threading.Lock()
        self._used: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Bytes and time of last use, the oldest first."""
        self._bytes = 0
        self._listed = False
        self._tidying: asyncio.Task[None] | None = None
        self._changed: dict[str, None] = {}
        """Keys stored or removed since the last listing began."""
        self._new_bytes = self._new_objects = 0

    @property
    def limited(self) -> bool:
        """Whether there is any limit, and so anything to keep account of."""
        return self._max_bytes is not None or self._max_objects is not None

    def fits(self, size: int) -> bool:
        """Whether there can be room for an entry of so many bytes."""
        return _within(size, self._max_bytes)

    def touch(self, key: str) -> None:
        """An entry was used."""
        if not self.limited:
            return
        with self._lock:
            known = self._used.get(key)
            if known is not None:
                self._used[key] = known[0], time.time()
                self._used.move_to_end(key)

    def remove(self, key: str) -> None:
        """An entry is gone."""
        with self._lock:
            self._forget(key)

    def clear(self) -> None:
        """All are."""
        with self._lock:
            for key in list(self._used):
                self._forget(key)

    async def add(self, key: str, size: int) -> None:
        """An entry was stored; others go, aside from whoever reads, until there is room for it.

        Only who finds a quarter of the limits more than there should be helps with that first.
        """
        if not self.limited:
            return
        with self._lock:
            self._forget(key)
            self._used[key] = size, time.time()
            self._bytes += size
            self._new_bytes += size
            self._new_objects += 1
            excess = self._excess()
            if (excess or self._is_due()) and not self._is_tidying():
                self._tidying = asyncio.create_task(self._tidy())
        if excess > 1:
            await self._evict()

    async def aclose(self) -> None:
        """Wait until what is being tidied up on this loop is tidy."""
        task = self._tidying
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([task])

    def _forget(self, key: str) -> None:
        size, _ = self._used.pop(key, (0, 0))
        self._bytes -= size
        if self._tidying is not None:
            self._changed[key] = None

    async def _evict(self) -> None:
        while (key := self._oldest()) is not None:
            try:
                await self._cache.delete(key, missing_ok=True)
            except Exception as error:
                # The next listing finds it again.
                self._counters.add("errors")
                logger.warning("%r could not remove %r: %s", self._cache, key, error)
                return
            self._counters.add("evictions")

    def _oldest(self) -> str | None:
        """Take out what has to go next, if there is too much."""
        with self._lock:
            if not self._excess():
                return None
            key = next(iter(self._used))
            self._forget(key)
            return key

    def _excess(self) -> int:
        """0: there is room; 1: there is too much; 2: far too much."""
        part = 1 + 1 / SHARE
        return sum(
            not (
                _within(self._bytes / by, self._max_bytes)
                and _within(len(self._used) / by, self._max_objects)
            )
            for by in (1, part)
        )

    # -- tidying up -------------------------------------------------------------------------

    def _is_tidying(self) -> bool:
        task = self._tidying
        return task is not None and not task.done() and not task.get_loop().is_closed()

    async def _tidy(self) -> None:
        try:
            if self._is_due():
                await self._list()
            await self._evict()
        finally:
            self._tidying = None

    def _is_due(self) -> bool:
        return (
            not self._listed
            or not _within(self._new_bytes * SHARE, self._max_bytes)
            or not _within(self._new_objects * SHARE, self._max_objects)
        )

    async def _list(self) -> None:
        """Learn what lies in the cache."""
        with self._lock:
            self._changed.clear()
            self._new_bytes = self._new_objects = 0
        try:
            self._merge(await self._found())
        except Exception as error:
            self._counters.add("errors")
            logger.warning("%r could not be listed: %s", self._cache, error)

    async def _found(self) -> dict[str, tuple[int, float]]:
        found = {}
        try:
            async with closing(self._cache.list()) as infos:
                async for info in infos:
                    size = await self._size(info)
                    found[info.key] = size, info.modified.timestamp() if info.modified else 0.0
        except StoreNotFound:
            pass  # nothing was stored yet
        return found

    async def _size(self, info: ObjectInfo) -> int:
        known = self._used.get(info.key)
        if info.size is None and known is not None:
            return known[0]
        if info.size is None and self._max_bytes is not None:
            with suppress(ObjectNotFound):
                info = await self._cache.head(info.key)
        return info.size or 0

    def _merge(self, found: dict[str, tuple[int, float]]) -> None:
        with self._lock:
            for key in self._changed:  # newer than the listing
                found.pop(key, None)
                if key in self._used:
                    found[key] = self._used[key]
            for key, (size, used) in found.items():
                found[key] = size, max(used, self._used.get(key, (0, 0.0))[1])
            self._used = OrderedDict(sorted(found.items(), key=lambda item: item[1][1]))
            self._bytes = sum(size for size, _ in found.values())
            self._changed.clear()
            self._listed = True


def _within(amount: float, limit: int | None) -> bool:
    return limit is None or amount <= limit
