"""Programs as users of amplify-storage-utils 1.8 wrote them, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from storage.aioutils import (
    AsyncCachingStore,
    AsyncFanoutStore,
    AsyncIdentityStore,
    AsyncLoggingStore,
    AsyncNotifyingStore,
    AsyncReadonlyStore,
    AsyncWriteonlyStore,
    async_copy_store,
)
from storage.object import AsyncDictStore


class Shelf:
    """Nobody's subclass: the five methods, with ``keys`` that takes no options, and a context."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.is_open = False

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.is_open = False

    async def get(self, key: str) -> bytes:
        return self.objects[key]

    async def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def delete(self, key: str) -> None:
        del self.objects[key]

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.objects):
            yield key


class UpperStore(AsyncIdentityStore):
    """Overrides some of the five, and talks to the store that it was given."""

    async def put(self, key: str, data: Any) -> None:  # type: ignore[override]
        await self.store.put(key.upper(), data)

    async def get(self, key: str) -> bytes:  # type: ignore[override]
        return await self.store.get(key.upper())


class CountingStore(AsyncReadonlyStore):
    """Takes an argument more, and calls ``super()``."""

    def __init__(self, store: Any, counts: dict[str, int]) -> None:
        super().__init__(store)
        self.counts = counts

    async def get(self, key: str) -> bytes:  # type: ignore[override]
        self.counts[key] = self.counts.get(key, 0) + 1
        return await super().get(key)


async def test_a_subclass_within_and_around_others() -> None:
    shelf, counts = Shelf(), dict[str, int]()
    async with UpperStore(shelf) as upper:
        assert shelf.is_open
        await upper.put("a", b"1")
        counting = CountingStore(AsyncLoggingStore(upper), counts)
        assert await AsyncIdentityStore(counting).get("a") == b"1"
        with pytest.raises(NotImplementedError):
            await AsyncIdentityStore(counting).put("a", b"2")
    assert shelf.objects == {"A": b"1"}
    assert counts == {"a": 1}
    assert not shelf.is_open


async def test_contexts_are_entered_and_left_through_all_layers() -> None:
    first, second = Shelf(), Shelf()
    async with AsyncCachingStore(AsyncFanoutStore([first, second]), AsyncDictStore()) as store:
        assert first.is_open
        assert second.is_open
        await store.put("a", b"1")
    assert (first.is_open, second.is_open) == (False, False)


async def test_a_child_that_cannot_be_entered() -> None:
    class Locked(Shelf):
        async def __aenter__(self) -> Self:
            raise PermissionError("no key")

    first = Shelf()
    with pytest.raises(PermissionError):
        await AsyncFanoutStore([first, Locked()]).__aenter__()
    assert not first.is_open


async def test_handlers_and_halves() -> None:
    shelf, told = Shelf(a=b"1"), list[Any]()
    store = AsyncNotifyingStore(shelf)
    store.on_change(lambda *what: told.append(what))
    await AsyncWriteonlyStore(store).put("b", b"2")
    with pytest.raises(KeyError) as caught:
        await store.delete("c")
    assert told == [(shelf, "put", "b", None), (shelf, "delete", "c", caught.value)]
    target = Shelf()
    await async_copy_store(AsyncReadonlyStore(store), target)
    assert target.objects == shelf.objects
    assert [key async for key in store.keys(prefix="b")] == ["b"]
