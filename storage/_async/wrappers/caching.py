"""A store with a nearer one in front of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..._core.closing import closing
from ..._core.errors import ObjectNotFound
from ..._core.info import ListResult, ObjectInfo, ReadOptions, WriteOptions
from ..._core.keylocks import KeyLocks
from ..._core.protocol import AsyncObjectStore
from ..pieces import Body, Sink
from ..streams import WriterSink
from .children import AsyncParentStore

logger = logging.getLogger("storage.caching")


class AsyncCachingStore(AsyncParentStore):
    """Reads from the cache first, and keeps there what it reads and writes.

    Writes go to the main store first and then to the cache. Many misses of one key at a time are
    one read of the main store. A cache that fails is logged and gone around; what it may hold no
    longer truly is removed from it. Ranges, conditions and streams go to the main store, unless
    the cache has the object.

    Args:
        main_store: The store itself.
        cache_store: Any store, for this one's use only; changes that others make to the main
            store are not noticed while it holds an object.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        main_store: AsyncObjectStore,
        cache_store: AsyncObjectStore,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__((main_store, cache_store), timeout=timeout)
        self._main, self._cache = self._children
        self._locks = KeyLocks()
        self.capabilities = self._main.capabilities

    async def clear(  # pyright: ignore[reportIncompatibleMethodOverride] - a key, not a prefix
        self, key: str | None = None
    ) -> int:
        """Forget what is cached, of one key or all; the main store keeps everything.

        Returns:
            How many objects were cached.
        """
        if key is None:
            return await self._cache.clear()
        try:
            await self._cache.delete(key)
        except ObjectNotFound:
            return 0
        return 1

    async def get_with_info(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> tuple[bytes, ObjectInfo]:
        """As for every store, and always from the main one: the cache knows no etags."""
        self._check("get", key)
        return await self._main.get_with_info(
            key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
        )

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if options.conditional:
            return await self._main._read(key, options)
        data = await self._cached(key)
        if data is None:
            if options.byte_range is not None:
                return await self._main._read(key, options)
            return await self._fill(key, options)
        return options.cut(data), ObjectInfo(key, len(data))

    async def _cached(self, key: str) -> bytes | None:
        try:
            return await self._cache.get(key)
        except ObjectNotFound:
            return None
        except Exception as error:
            logger.warning("%r failed; reading %r: %s", self._cache, self._main, error)
            return None

    async def _fill(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        """Read from the main store into the cache; whoever waited finds it there."""
        async with self._locks(key) as waited:
            if waited and (data := await self._cached(key)) is not None:
                return data, ObjectInfo(key, len(data))
            data, info = await self._main._read(key, options)
            try:
                await self._cache.put(key, data)
            except Exception as error:
                logger.warning("%r could not keep %r: %s", self._cache, key, error)
            return data, info

    async def _head(self, key: str) -> ObjectInfo:
        return await self._main.head(key)

    async def _exists(self, key: str) -> bool:
        return await self._main.exists(key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._main._reader(key, options) as reader:
            yield Body(reader.info, reader)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        async with self._changing(key):
            info = await self._main.put(key, data, **options.arguments())
            try:
                await self._cache.put(key, data)
            except Exception as error:
                logger.warning("%r could not keep %r: %s", self._cache, key, error)
            return info

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._main.open_writer(key, **options.arguments()) as writer:
            sink = WriterSink(writer)
            yield sink
            # The source may have been slow: only the publishing excludes the readers.
            async with self._changing(key):
                await writer.aclose()
        sink.info = writer.info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._changing(key):
            await self._main.delete(key, missing_ok=missing_ok, if_match=if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._changing(target):
            return await self._main.copy(source, target, if_absent=if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        info = await self._copy(source, target, if_absent)
        if source != target:
            await self._delete(source, True, None)
        return info

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._main.keys(prefix, start_after=start_after)) as keys:
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._main.list(prefix, start_after=start_after)) as infos:
            async for info in infos:
                yield info

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        return await self._main.list_with_delimiter(prefix, delimiter)

    @asynccontextmanager
    async def _changing(self, key: str) -> AsyncIterator[None]:
        """Hold the key while the main store's object changes.

        The cached object goes first: whatever happens after that, the cache holds nothing wrong.
        """
        async with self._locks(key):
            await self._cache.delete(key, missing_ok=True)
            yield
