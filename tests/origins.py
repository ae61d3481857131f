"""A main store for tests of caches: counts what it is asked, waits and fails when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from storage._async.backends.memory import AsyncDictStore
from storage._async.pieces import Body
from storage._core.errors import NotModified
from storage._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions


class Origin(AsyncDictStore):
    """Objects in memory, and accounts of what was asked.

    Args:
        objects: As for `AsyncDictStore`.
    """

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.gets = self.unchanged = self.heads = self.opens = self.puts = self.most_at_once = 0
        self.failure: Exception | None = None
        self.pause: Callable[[], Awaitable[object]] | None = None
        """Called in the midst of each get, when the object has been found."""
        self._now = 0

    @property
    def asked(self) -> int:
        """Requests of any kind to read."""
        return self.gets + self.heads + self.opens

    def _may(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        self.gets += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(0)
            self._may()
            found = await super()._get(key, options)
            if self.pause is not None:
                await self.pause()
            return found
        except NotModified:
            self.unchanged += 1
            raise
        finally:
            self._now -= 1

    async def _head(self, key: str) -> ObjectInfo:
        self.heads += 1
        self._may()
        return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        self.heads += 1
        self._may()
        return await super()._exists(key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        self.opens += 1
        self._may()
        data, info = await super()._get(key, options)
        yield Body(info, self._pieces(data))

    async def _pieces(self, data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100_000):
            self._may()
            yield data[start : start + 100_000]

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self.puts += 1
        self._may()
        return await super()._put(key, data, options)


class Plainer(Origin):
    """One that knows neither etags nor conditions, as most other people's."""

    capabilities = Capability.NONE
    knows_times = True

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        data, info = await super()._get(key, options)
        return data, self._without(info)

    async def _head(self, key: str) -> ObjectInfo:
        return self._without(await super()._head(key))

    def _without(self, info: ObjectInfo) -> ObjectInfo:
        return ObjectInfo(info.key, info.size, None, info.modified if self.knows_times else None)
