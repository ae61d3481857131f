"""Stores that tests need: users' own, slow ones, failing ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from storage._async.backends.memory import AsyncDictStore
from storage._async.base import AsyncBaseStore
from storage._core.errors import StoreUnavailable
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions


def _bytes(data: Any) -> bytes:
    """What somebody's store may do, since what it takes is between it and its user."""
    if not isinstance(data, bytes):
        raise TypeError(f"a value is bytes, not {type(data).__name__}")
    return data


class ForeignStore:
    """Somebody else's async store: the five verbs and nothing more."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.entered = 0

    async def get(self, key: str) -> bytes:
        return self.objects[key]

    async def put(self, key: str, data: bytes) -> None:
        self.objects[key] = _bytes(data)

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def delete(self, key: str) -> None:
        del self.objects[key]

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.objects):
            yield key

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.entered -= 1


class BlockingStore:
    """Somebody else's blocking store."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = _bytes(data)

    def exists(self, key: str) -> bool:
        return key in self.objects

    def delete(self, key: str) -> None:
        del self.objects[key]

    def keys(self) -> Iterator[str]:
        yield from list(self.objects)


class HookedStore(AsyncDictStore):
    """A store in memory that does all by the four hooks, for subclasses that change them."""

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await AsyncBaseStore._copy(self, source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await AsyncBaseStore._move(self, source, target, if_absent)

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            yield await AsyncDictStore._head(self, key)


class FlakyStore(HookedStore):
    """A store in memory that fails, or takes its time, when told to; counts its reads.

    Args:
        objects: As for `AsyncDictStore`.
        delay: Seconds that each read and write takes.
    """

    def __init__(self, objects: dict[str, bytes] | None = None, *, delay: float = 0) -> None:
        super().__init__(objects)
        self.delay = delay
        self.failing: set[str] = set()
        self.list_fails_after: int | None = None
        self.reads = 0
        self.writes = 0

    async def _may(self, operation: str) -> None:
        await asyncio.sleep(self.delay)
        if operation in self.failing:
            raise StoreUnavailable("the store is down")

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        self.reads += 1
        await self._may("get")
        return await super()._get(key, options)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self.writes += 1
        await self._may("put")
        return await super()._put(key, data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._may("delete")
        await super()._delete(key, missing_ok, if_match)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        count = 0
        async for key in super()._keys(prefix, start_after):
            if count == self.list_fails_after:
                raise StoreUnavailable("the listing broke off")
            count += 1
            yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            yield await self._head(key)

    async def _setup(self) -> None:
        await self._may("enter")


class AskedStore(HookedStore):
    """Tells which listings were asked of it; they are all made of its keys."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.asked: list[tuple[str, str]] = []
        self.levels: list[str] = []

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self.asked.append((prefix, start_after))
        async for key in super()._keys(prefix, start_after):
            yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            yield await self._head(key)

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> Any:
        self.levels.append(prefix)
        return await super()._list_with_delimiter(prefix, delimiter)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        return f"get {key} {expiry}"

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        raise StoreUnavailable("no", operation="presigned_put", store="child", key=key)


def fill(*keys: str) -> dict[str, bytes]:
    """Objects that hold their own keys."""
    return {key: key.encode() for key in keys}


def numbered(count: int, size: int = 10) -> dict[str, Any]:
    """Some objects, each with bytes of its own."""
    return {f"key-{i:05}": (b"%d " % i * size)[:size] for i in range(count)}
