"""Caching: one read of the main store however many ask, and never a wrong value."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from storage._async.wrappers._cache import forks
from storage._core.errors import ObjectNotFound, StoreUnavailable
from storage.aioutils import AsyncCachingStore, AsyncIdentityStore, CacheStats
from storage.db import SqliteStore
from storage.fs import FilesystemStore
from storage.object import AsyncDictStore
from storage.utils import CachingStore
from tests.stores import FlakyStore, ForeignStore


async def test_a_read_fills_the_cache_and_the_next_one_finds_it() -> None:
    main, cache = FlakyStore({"a": b"1"}), FlakyStore()
    store = AsyncCachingStore(main, cache)
    assert [await store.get("a") for _ in range(3)] == [b"1"] * 3
    assert main.reads == 1
    assert cache.objects == {"a": b"1"}


async def test_what_is_cached_is_served_whatever_the_main_store_has() -> None:
    """As programs that were written for the name expect it: entries are plain, and stay."""
    main, cache = ForeignStore(), ForeignStore(b=b"left by others")
    store = AsyncCachingStore(main, cache)
    await store.put("a", b"1")
    await main.put("a", b"2")
    assert await store.get("a") == await cache.get("a") == b"1"
    assert await store.get("b") == b"left by others"
    await store.clear("a")
    assert (await store.get("a"), await cache.exists("b")) == (b"2", True)
    await store.clear()
    assert not await cache.exists("a")


async def test_what_was_read_is_told_with_its_etag_through_other_stores() -> None:
    main, cache = AsyncDictStore({"a": b"1"}), AsyncDictStore()
    store = AsyncIdentityStore(AsyncCachingStore(main, cache))
    info = await main.head("a")
    assert [await store.get_with_info("a") for _ in range(2)] == [(b"1", info)] * 2
    cache.objects["a"] = b"by somebody else"
    assert (await store.get_with_info("a"))[1].etag is None


async def test_many_misses_at_once_are_one_read() -> None:
    main = FlakyStore({"a": b"1"}, delay=0.01)
    store = AsyncCachingStore(main, AsyncDictStore())
    assert await asyncio.gather(*[store.get("a") for _ in range(100)]) == [b"1"] * 100
    assert main.reads == 1


async def test_writes_go_through() -> None:
    main, cache = ForeignStore(), ForeignStore()
    store = AsyncCachingStore(main, cache)
    await store.put("a", b"1")
    assert main.objects == cache.objects == {"a": b"1"}
    await store.put("a", iter([b"2", b"3"]))
    assert main.objects == {"a": b"23"}
    assert await store.get("a") == b"23"
    await store.delete("a")
    assert main.objects == cache.objects == {}
    with pytest.raises(ObjectNotFound):
        await store.get("a")


async def test_copies_and_moves_leave_nothing_stale() -> None:
    store = AsyncCachingStore(AsyncDictStore({"a": b"1", "b": b"2"}), AsyncDictStore())
    assert [await store.get(key) for key in "ab"] == [b"1", b"2"]
    await store.copy("a", "b")
    assert await store.get("b") == b"1"
    await store.put("a", b"3")
    await store.move("a", "b")
    assert await store.get("b") == b"3"
    assert not await store.exists("a")
    with pytest.raises(ObjectNotFound):
        await store.get("a")


async def test_clear_forgets_the_cache_and_keeps_the_main_store() -> None:
    main, cache = AsyncDictStore({"a": b"1", "b": b"2"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache)
    await store.get("a")
    await store.get("b")
    assert await store.clear("a") == 1
    assert await store.clear("a") == 0
    assert cache.objects == {"b": b"2"}
    assert await store.clear() == 1
    assert len(main.objects) == 2


async def test_a_cache_that_is_down_is_gone_around_for_reads() -> None:
    main, cache = FlakyStore({"a": b"1"}), FlakyStore()
    cache.failing = {"get", "put"}
    store = AsyncCachingStore(main, cache)
    assert await store.get("a") == b"1"


async def test_a_write_that_fails_midway_leaves_nothing_stale() -> None:
    main, cache = FlakyStore({"a": b"1"}), FlakyStore()
    store = AsyncCachingStore(main, cache)
    await store.get("a")
    cache.failing = {"put"}
    await store.put("a", b"2")
    cache.failing = set()
    assert await store.get("a") == b"2"
    main.failing = {"put"}
    with pytest.raises(StoreUnavailable):
        await store.put("a", b"3")
    assert await store.get("a") == b"2"


async def test_a_read_that_overlaps_a_write_does_not_cache_the_old_value() -> None:
    main, cache = FlakyStore({"a": b"old"}, delay=0.02), FlakyStore()
    store = AsyncCachingStore(main, cache)
    for turn in range(5):
        cache.objects.clear()
        reading = asyncio.create_task(store.get("a"))
        await asyncio.sleep(0.005 * turn)
        await store.put("a", b"%d" % turn)
        await reading
        assert await store.get("a") == b"%d" % turn


async def test_a_forked_child_does_not_wait_for_its_parents_threads() -> None:
    store = AsyncCachingStore(AsyncDictStore({"a": b"1"}), AsyncDictStore(), ttl=60)
    await store.get("a")
    for lock in (store._reads.traffic.lock, store._counters._lock, store._shelf.room._lock):
        lock.acquire()  # as a thread may have done that the child has not
    forks._after_fork_in_child()
    assert await asyncio.wait_for(store.get("a"), 5) == b"1"
    assert store.stats.hits == 1


def test_the_blocking_twin(tmp_path: Path) -> None:
    main = FilesystemStore(tmp_path / "main", durable=False)
    with CachingStore(main, SqliteStore(tmp_path / "cache.db"), ttl=60, max_bytes=1000) as store:
        store.put("a", b"hello")
        assert [store.get("a") for _ in range(2)] == [b"hello"] * 2
        assert store.get_range("a", 1, 3) == b"el"
        with store.open_reader("a") as reader:
            assert reader.read() == b"hello"
        assert store.stats == CacheStats(hits=4, bytes=17)
        main.put("a", b"other")
        assert (store.get("a"), store.clear("a"), store.get("a")) == (b"hello", 1, b"other")
        store.delete("a")
        with pytest.raises(ObjectNotFound):
            store.get("a")


async def test_ranges_conditions_and_streams_are_right() -> None:
    main = AsyncDictStore({"a": b"0123456789"})
    store = AsyncCachingStore(main, AsyncDictStore())
    assert await store.get_range("a", 2, 4) == b"23"
    await store.get("a")
    assert await store.get_range("a", -2) == b"89"
    info = await store.head("a")
    assert await store.get("a", if_match=info.etag) == b"0123456789"
    async with store.open_reader("a") as reader:
        assert reader.info.etag == info.etag
        assert await reader.read() == b"0123456789"
