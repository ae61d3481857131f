"""A store in memory that counts what happens in it at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from storage._async.pieces import Body, Sink
from storage.object import AsyncDictStore, ObjectInfo
from storage.object import AsyncDictStore as _Dict


class CrowdedStore(AsyncDictStore):
    """Each operation takes some turns of the loop; notes how many were under way at most."""

    inline = False

    def __init__(self, objects: dict[str, bytes] | None = None, turns: int = 3) -> None:
        super().__init__(objects)
        self.turns = turns
        self.now = self.most = self.bytes_now = self.most_bytes = 0
        self.order: list[str] = []
        self._counting = threading.Lock()

    @asynccontextmanager
    async def _counted(self, key: str = "", size: int = 0) -> AsyncIterator[None]:
        with self._counting:
            self.order.append(key)
            self.now += 1
            self.bytes_now += size
            self.most = max(self.most, self.now)
            self.most_bytes = max(self.most_bytes, self.bytes_now)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            yield
        finally:
            with self._counting:
                self.now -= 1
                self.bytes_now -= size

    async def _get(self, key: str, options: Any) -> tuple[bytes, ObjectInfo]:
        async with self._counted(key, len(self.objects.get(key, b""))):
            return await super()._get(key, options)

    async def _put(self, key: str, data: Any, options: Any) -> ObjectInfo:
        async with self._counted(key, len(data)):
            return await super()._put(key, data, options)

    @asynccontextmanager
    async def _open(self, key: str, options: Any) -> AsyncIterator[Body]:
        async with self._counted(key):
            data, info = await _Dict._get(self, key, options)

            async def pieces() -> AsyncIterator[bytes]:
                for start in range(0, len(data), 4):
                    await asyncio.sleep(0)
                    yield data[start : start + 4]

            yield Body(info, pieces())

    @asynccontextmanager
    async def _create(self, key: str, options: Any) -> AsyncIterator[Sink]:
        async with self._counted(key):
            sink = _CountingSink(self)
            yield sink
            sink.info = await _Dict._put(self, key, bytes(sink.buffer), options)


class _CountingSink:
    """Collects pieces; each takes some turns."""

    def __init__(self, store: CrowdedStore) -> None:
        self.info: ObjectInfo | None = None
        self.buffer = bytearray()
        self._store = store

    async def write(self, data: bytes | memoryview) -> None:
        async with self._store._counted("", len(data)):
            self._store.now -= 1
            self.buffer += data
            self._store.now += 1
