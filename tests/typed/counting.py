"""A store in memory that counts what it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from storage._async.backends.memory import AsyncDictStore
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions


class CountingStore(AsyncDictStore):
    """Knows how often each hook was called, and what was listed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.events: list[str] = []

    def _note(self, event: str, key: str) -> None:
        self.asked[event] += 1
        self.events.append(f"{event} {key}")

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        self._note("get", key)
        return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        self._note("head", key)
        return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        self._note("head", key)
        return await super()._exists(key)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        self._note("put", key)
        return await super()._put(key, data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        self._note("delete", key)
        await super()._delete(key, missing_ok, if_match)

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        self._note("list", prefix)
        async for info in super()._list(prefix, start_after):
            yield info
