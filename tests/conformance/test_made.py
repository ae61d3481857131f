"""Stores made of others, and other people's stores of five verbs, put to the kit."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from storage._async.wrappers.caching import AsyncCachingStore
from storage._core.info import Capability
from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore
from storage.object import AsyncDictStore
from storage.testing import StoreConformance
from tests.stores import BlockingStore, ForeignStore

NONE = Capability.NONE


class TestFiveVerbs(StoreConformance):
    """Somebody's async store."""

    capabilities = NONE
    own_keys = False

    async def make_store(self) -> Any:
        return ForeignStore()

    async def reopen(self, store: Any) -> Any:
        again = ForeignStore()
        again.objects = store.objects
        return again


class TestFiveBlockingVerbs(StoreConformance):
    """Somebody's blocking store."""

    capabilities = NONE
    own_keys = False

    async def make_store(self) -> Any:
        return BlockingStore()

    async def reopen(self, store: Any) -> Any:
        again = BlockingStore()
        again.objects = store.objects
        return again


class CachingConformance(StoreConformance):
    """Its `clear` is about the cache, not about the store."""

    thorough, own_keys, examples, steps, seconds = False, False, 16, 20, 0.1

    async def test_clear(self, store: Any) -> None:
        pytest.skip("clear() forgets what is cached")

    async def test_more_than_one_page(self, store: Any) -> None:
        pytest.skip("clear() forgets what is cached")


class TestCaching(CachingConformance):
    """A store behind a nearer one."""

    capabilities = ~NONE
    in_memory = True

    async def make_store(self) -> Any:
        return AsyncCachingStore(AsyncDictStore(), AsyncDictStore())


class TestCachingSealed(TestCaching):
    """Entries that tell what is known, and are never asked about."""

    async def make_store(self) -> Any:
        return AsyncCachingStore(AsyncDictStore(), AsyncDictStore(), plain=False)


class TestCachingInFiles(CachingConformance):
    """Files in front of a database, in little room, asked about each time."""

    capabilities = ~NONE
    picklable = True
    idle_descriptors = 20

    async def test_listing_is_left_early(self, store: Any) -> None:
        pytest.skip("clear() forgets what is cached, and there is room for three")

    async def test_large_streams(self, store: Any) -> None:
        pytest.skip("a test of its own knows what the cache holds")

    async def make_store(self) -> Any:
        place = self.tmp_path / secrets.token_hex(4)
        async with self._at(place) as store:
            await store.put("first", b"")
            await store.delete("first")
        return self._at(place)

    async def reopen(self, store: Any) -> Any:
        return self._at(Path(store._child._path).parent)

    async def test_without_entering(self) -> None:
        await super().test_without_entering()
        await self._main.aclose()  # who never entered a store made of others closes them himself

    def _at(self, place: Path) -> Any:
        self._main = main = AsyncSqliteStore(place / "main.db", durable=False)
        cache = AsyncFilesystemStore(place / "cache", durable=False)
        return AsyncCachingStore(main, cache, revalidate="always", max_objects=3)


class TestCachingOfFiveVerbs(CachingConformance):
    """Somebody's store behind one of ours."""

    capabilities = NONE

    async def make_store(self) -> Any:
        return AsyncCachingStore(ForeignStore(), AsyncDictStore())
