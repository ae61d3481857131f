"""Stores made of others, and other people's stores of five verbs, put to the kit."""

from __future__ import annotations

from typing import Any

import pytest

from storage._async.wrappers.caching import AsyncCachingStore
from storage._core.info import Capability
from storage.object import AsyncDictStore
from storage.testing import StoreConformance
from tests.stores import BlockingStore, ForeignStore

NONE = Capability.NONE


class TestFiveVerbs(StoreConformance):
    """Somebody's async store."""

    capabilities = NONE

    async def make_store(self) -> Any:
        return ForeignStore()

    async def reopen(self, store: Any) -> Any:
        again = ForeignStore()
        again.objects = store.objects
        return again


class TestFiveBlockingVerbs(StoreConformance):
    """Somebody's blocking store."""

    capabilities = NONE

    async def make_store(self) -> Any:
        return BlockingStore()

    async def reopen(self, store: Any) -> Any:
        again = BlockingStore()
        again.objects = store.objects
        return again


class CachingConformance(StoreConformance):
    """Its `clear` is about the cache, not about the store."""

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


class TestCachingOfFiveVerbs(CachingConformance):
    """Somebody's store behind one of ours."""

    capabilities = NONE

    async def make_store(self) -> Any:
        return AsyncCachingStore(ForeignStore(), AsyncDictStore())
