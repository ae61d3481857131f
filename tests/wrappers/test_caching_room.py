"""Limits: what was not used for longest goes, also after a restart and beside other processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage._core.info import ObjectInfo
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from tests.origins import Origin
from tests.stores import FlakyStore, ForeignStore

DATA = {name: name.encode() * 1000 for name in "abcdefghij"}


async def settled(store: AsyncCachingStore) -> None:
    """Wait for what goes on aside."""
    while store._shelf.room._tidying is not None:
        await asyncio.sleep(0)


@pytest.mark.parametrize("plain", [True, False])
async def test_what_was_not_used_for_longest_goes(plain: bool) -> None:
    main, cache = Origin(dict(DATA)), AsyncDictStore()
    store = AsyncCachingStore(main, cache, max_objects=3, plain=plain)
    for key in "abcadae":
        await store.get(key)
        await settled(store)
    assert set(cache.objects) == {"a", "d", "e"}
    assert store.stats.evictions == 2
    await store.put("f", b"f")
    await store.delete("a")
    await store.get("b")
    await settled(store)
    assert set(cache.objects) == {"e", "f", "b"}


@pytest.mark.parametrize("plain", [True, False])
async def test_bytes_are_limited_too(plain: bool) -> None:
    main, cache = Origin({**DATA, "large": b"x" * 4000}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, max_bytes=4000, plain=plain)
    for key in "abcdefg":
        await store.get(key)
        async for _ in store.stream(key):
            pass
        await settled(store)
        assert sum(map(len, cache.objects.values())) <= 4000
    assert len(cache.objects) >= 2
    held = set(cache.objects)
    assert await store.get("large") == b"x" * 4000
    async for _ in store.stream("large"):
        pass
    await store.put("larger", b"x" * 4001)
    await store.put("largest", iter([b"x" * 4000, b"x"]))
    await settled(store)
    # A plain entry of exactly the limit finds room, and takes all of it.
    assert set(cache.objects) == ({"large"} if plain else held)


async def test_objects_above_a_size_are_left_out() -> None:
    main, cache = Origin({"small": b"x" * 10, "large": b"x" * 11}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, max_object_bytes=10, ttl=60)
    for key in main.objects:
        async for _ in store.stream(key):
            pass
        await store.get(key)
        await store.put(key, main.objects[key])
        await store.put(key, iter([main.objects[key]]))
    assert set(cache.objects) == {"small"}
    nothing = AsyncCachingStore(main, AsyncDictStore(), max_objects=0)
    assert await nothing.get("small") == b"x" * 10
    assert await nothing.clear() == 0


async def test_a_restart_knows_what_is_there_and_how_old_it_is(tmp_path: Path) -> None:
    def opened() -> AsyncCachingStore:
        cache = AsyncFilesystemStore(tmp_path / "cache", durable=False)
        return AsyncCachingStore(Origin(dict(DATA)), cache, plain=False, max_objects=4)

    store = opened()
    for number, key in enumerate("abcd"):
        await store.get(key)
        await settled(store)
        os.utime(tmp_path / "cache" / key, (1_000_000 - number, 1_000_000 - number))
    again = opened()
    await again.get("a")
    await again.get("e")
    await settled(again)
    assert await listed(tmp_path) == {"a", "b", "c", "e"}
    await again.get("f")
    await settled(again)
    assert await listed(tmp_path) == {"a", "b", "e", "f"}


async def listed(tmp_path: Path) -> set[str]:
    return {key async for key in AsyncFilesystemStore(tmp_path / "cache").keys()}


async def test_several_stores_on_one_cache_keep_the_limits_together() -> None:
    cache = AsyncDictStore()
    main = Origin({f"{n:03}": b"x" for n in range(400)})
    stores = [AsyncCachingStore(main, cache, plain=False, max_objects=40) for _ in range(3)]
    most = 0
    for n in range(400):
        await stores[n % 3].get(f"{n:03}")
        await settled(stores[n % 3])
        most = max(most, len(cache.objects))
    assert 40 <= most <= 40 + 3 * 40 // 4 + 3


async def test_a_cache_that_tells_no_sizes_is_measured() -> None:
    cache = ForeignStore(**{f"{n}": b"x" * 100 for n in range(10)})
    store = AsyncCachingStore(Origin(dict(DATA)), cache, max_bytes=1100)
    await store.get("a")
    await settled(store)
    assert set(cache.objects) == {"9", "a"} or sum(map(len, cache.objects.values())) <= 1100
    assert "a" in cache.objects


async def test_a_cache_that_cannot_be_listed_stays_within_what_is_known() -> None:
    cache = FlakyStore()
    cache.list_fails_after = 0
    store = AsyncCachingStore(Origin(dict(DATA)), cache, max_objects=3)
    for key in DATA:
        await store.get(key)
        await settled(store)
    assert len(cache.objects) == 3
    assert store.stats.errors > 0


async def test_an_entry_that_cannot_be_removed_is_tried_again() -> None:
    cache = FlakyStore()
    store = AsyncCachingStore(Origin(dict(DATA)), cache, max_objects=2)
    cache.failing = {"delete"}
    for key in "abcd":
        assert await store.get(key) == DATA[key]
        await settled(store)
    assert len(cache.objects) == 4
    cache.failing = set()
    await store.get("e")
    await settled(store)
    assert len(cache.objects) == 2


async def test_what_goes_while_the_cache_is_listed_is_not_counted() -> None:
    listed, go = asyncio.Event(), asyncio.Event()

    class Slow(AsyncDictStore):
        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            async for info in super()._list(prefix, start_after):
                yield info
            listed.set()
            await go.wait()

    cache = Slow()
    for key in ("x", *(f"y{n}" for n in range(6))):
        await cache.put(key, b"1")
    store = AsyncCachingStore(Origin(dict(DATA)), cache, max_objects=8)
    await store.get("a")
    await listed.wait()
    await store.clear("x")
    await store.get("b")
    go.set()
    await settled(store)
    assert (len(cache.objects), store.stats.evictions) == (8, 0)
    await store.get("c")
    await settled(store)
    assert (len(cache.objects), store.stats.evictions) == (8, 1)
    assert cache.objects.keys() >= set("abc")


async def test_tidying_up_keeps_no_reader_waiting() -> None:
    main, go, stuck = Origin(dict(DATA)), asyncio.Event(), asyncio.Event()

    class Slow(AsyncDictStore):
        waits = "list"

        async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
            if self.waits == "delete":
                stuck.set()
                await go.wait()
            await super()._delete(key, missing_ok, if_match)

        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            if self.waits == "list":
                stuck.set()
                await go.wait()
            async for info in super()._list(prefix, start_after):
                yield info

    for waits in ("list", "delete"):
        cache = Slow()
        cache.waits = waits
        stuck.clear()
        go.clear()
        store = AsyncCachingStore(main, cache, max_objects=4)
        for key in "abcde":
            assert await store.get(key) == DATA[key]
        await stuck.wait()
        assert [await store.get(key) for key in "bcde"] == [DATA[key] for key in "bcde"]
        assert store.stats.hits == 4
        go.set()
        await store.aclose()
        assert len(cache.objects) == 4
