"""Entries: whatever becomes of them in the cache store, nothing wrong is served."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._async.wrappers._cache.entry import (
    BLOCK,
    MAGIC,
    Broken,
    Sealer,
    read_tail,
    seal,
    tail_length,
    unseal,
)
from storage._core.info import ObjectInfo
from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from storage.zip import AsyncZipStore
from tests.origins import Origin
from tests.stores import FlakyStore, ForeignStore

INFO = ObjectInfo("a", 5, "etag", datetime.now(UTC), "text/plain", {"k": "ü"}, "md5:00")

infos = st.builds(
    ObjectInfo,
    key=st.text(min_size=1, max_size=9),
    etag=st.none() | st.text(max_size=9),
    modified=st.none() | st.datetimes().map(lambda time: time.replace(tzinfo=UTC)),
    content_type=st.none() | st.text(max_size=9),
    metadata=st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
    checksum=st.none() | st.text(max_size=9),
)


@settings(max_examples=25)
@given(infos, st.binary(max_size=99), st.integers(0, 3), st.integers(1, 99))
def test_an_entry_gives_back_what_went_in(
    info: ObjectInfo, data: bytes, blocks: int, step: int
) -> None:
    data = data + b"x" * (BLOCK * blocks)
    entry = seal(data, info, 1.5)
    found, told = unseal(info.key, entry)
    assert (found, told.size, told.stored, told.info.size) == (data, len(data), 1.5, len(data))
    for field in ("key", "etag", "modified", "content_type", "metadata", "checksum"):
        assert getattr(told.info, field) == getattr(info, field)
    sealer = Sealer()
    for start in range(0, len(data), step * 5003):
        sealer.update(data[start : start + step * 5003])
    assert data + sealer.tail(info, 1.5) == entry
    assert read_tail(info.key, entry[-tail_length(entry) :], len(entry)) == told


def test_every_flipped_byte_and_every_cut_is_found() -> None:
    entry = seal(b"hello", INFO, 1.0)
    spoilt = [entry[:cut] for cut in range(len(entry))]
    spoilt += [entry[cut:] for cut in range(1, len(entry))]
    spoilt += [entry[:cut] + entry for cut in range(1, len(entry))]
    for position, byte in enumerate(entry):
        for bit in range(8):
            changed = bytes([byte ^ 1 << bit])
            spoilt.append(entry[:position] + changed + entry[position + 1 :])
    for each in spoilt:
        with pytest.raises(Broken):
            unseal("a", each)
    with pytest.raises(Broken):
        unseal("b", entry)


async def test_damaged_entries_are_read_again_in_every_way() -> None:
    main, cache = Origin({"a": b"hello"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    await store.get("a")
    entry = cache.objects["a"]
    for position in range(len(entry)):
        changed = bytearray(entry)
        changed[position] ^= 64
        cache.objects["a"] = bytes(changed)
        match position % 4:
            case 0:
                assert await store.get("a") == b"hello"
            case 1:
                assert await store.get_range("a", 1, 4) == b"ell"
            case 2:
                assert b"".join([piece async for piece in store.stream("a")]) == b"hello"
            case 3:
                assert await store.get_ranges("a", [(0, 2), (4, 5)]) == [b"he", b"o"]
    assert store.stats.corrupt >= len(entry)
    assert await store.get("a") == b"hello"


@pytest.mark.parametrize("foreign", [b"", b"hello", MAGIC, b"x" * 9999, b"x" * 50 + MAGIC])
async def test_what_others_put_there_is_not_served(foreign: bytes) -> None:
    main, cache = Origin({"a": b"right", "b": b"other"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    cache.objects["a"] = foreign
    assert await store.get("a") == b"right"
    cache.objects["a"] = foreign
    assert await store.get_range("a", 0, 2) == b"ri"
    await store.get("b")
    cache.objects["a"] = cache.objects["b"]
    assert await store.get("a") == b"right"
    assert store.stats.corrupt == 3


async def test_a_damaged_block_midway_is_made_good_by_the_main_store() -> None:
    data = bytes(range(256)) * (BLOCK // 256) * 4
    main, cache = Origin({"a": data}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, revalidate="always")
    await store.get("a")
    entry = bytearray(cache.objects["a"])
    entry[BLOCK * 2 + 7] ^= 1
    cache.objects["a"] = bytes(entry)
    assert await store.get_range("a", 5, BLOCK + 5) == data[5 : BLOCK + 5]
    assert store.stats.corrupt == 0
    asked = main.opens
    assert b"".join([piece async for piece in store.stream("a")]) == data
    assert (store.stats.corrupt, main.opens) == (1, asked + 1)
    assert "a" not in cache.objects


async def test_a_description_longer_than_one_look() -> None:
    main = AsyncDictStore()
    store = AsyncCachingStore(main, AsyncDictStore(), plain=False)
    metadata = {f"key-{n}": "x" * 100 for n in range(300)}
    info = await store.put("a", b"hello", metadata=metadata)
    main.objects.clear()
    assert await store.get_range("a", 1, 3) == b"el"
    assert await store.get_with_info("a") == (b"hello", info)


@pytest.mark.parametrize("kind", ["files", "hashdir", "sqlite", "zip", "memory", "foreign"])
async def test_any_store_can_be_the_cache(kind: str, tmp_path: Path) -> None:
    def cache() -> Any:
        place = tmp_path / "cache"
        match kind:
            case "files":
                return AsyncFilesystemStore(place, durable=False)
            case "hashdir":
                return AsyncHashdirStore(place, durable=False)
            case "sqlite":
                return AsyncSqliteStore(place, durable=False)
            case "zip":
                return AsyncZipStore(place)
            case "foreign":
                store = ForeignStore()
                store.objects = memory
                return store
        return AsyncDictStore(memory)

    memory: dict[str, bytes] = {}
    keys = ["a", "a/b", "A", "dir//x", "../x", "\U0001f600", "x" * 1024]
    data = {key: key.encode() * 30_000 for key in keys[:-1]} | {keys[-1]: b""}
    async with AsyncCachingStore(Origin(dict(data)), cache(), plain=False) as store:
        for key in keys:
            assert b"".join([piece async for piece in store.stream(key)]) == data[key]
            assert await store.get(key) == data[key]
    async with cache() as entries:
        held = {key async for key in entries.keys()}  # but for what such a store refuses
    assert len(held) >= 3
    async with AsyncCachingStore(Origin(), cache(), plain=False) as store:
        for key in held:
            assert await store.get(key) == data[key]
            assert await store.get_range(key, 10, 20) == data[key][10:20]
            assert (await store.head(key)).size == len(data[key])
        assert (store.stats.misses, store.stats.errors) == (0, 0)
        assert await store.clear("a") == 1
        assert await store.clear() == len(held) - 1


# -- plain entries --------------------------------------------------------------------------


async def test_plain_bytes_that_others_left_are_served() -> None:
    main, cache = Origin(), AsyncDictStore({"a": b"hello"})
    store = AsyncCachingStore(main, cache)
    assert (await store.get("a"), await store.exists("a")) == (b"hello", True)
    assert await store.get_range("a", 1, 3) == b"el"
    assert await store.get_ranges("a", [(1, 3), (-1, None)]) == [b"el", b"o"]
    assert main.asked == 0


async def test_one_kind_of_entry_is_not_taken_for_the_other() -> None:
    main, cache = Origin({"a": b"hello", "b": b"x" + MAGIC}), AsyncDictStore()
    sealed, plain = AsyncCachingStore(main, cache, plain=False), AsyncCachingStore(main, cache)
    for _ in range(2):
        for store in (sealed, plain):
            assert await store.get("a") == b"hello"
            assert await store.get("b") == b"x" + MAGIC
    assert "b" not in cache.objects


async def test_values_that_are_no_bytes_pass() -> None:
    """As those of a store that encodes them itself."""
    main, cache, value = ForeignStore(), ForeignStore(), cast("bytes", {"no": "bytes"})
    main.objects["a"] = cache.objects["b"] = value
    store = AsyncCachingStore(main, cache)
    assert await store.get("b") == value
    sealed = AsyncCachingStore(main, AsyncDictStore(), ttl=60)
    assert [await sealed.get("a") for _ in range(2)] == [value] * 2


# -- caches that fail -----------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"plain": False}, {"ttl": 60}])
async def test_a_cache_that_is_down_is_gone_around(options: dict[str, Any]) -> None:
    main, cache = Origin({"a": b"hello"}), FlakyStore()
    store = AsyncCachingStore(main, cache, **options)
    await store.get("a")
    cache.failing = {"get", "put", "delete"}
    await store.put("a", b"world")
    assert await store.get("a") == b"world"
    assert await store.get_range("a", 0, 1) == b"w"
    assert b"".join([piece async for piece in store.stream("a")]) == b"world"
    await store.put("a", iter([b"st", b"reamed"]))
    assert (await store.head("a")).size == 8
    await store.delete("a")
    await store.put("a", b"again")
    assert store.stats.errors >= 6
    cache.failing = set()
    assert await store.get("a") == b"again"  # and not what could not be removed
    assert await store.get("a") == b"again"
    assert store.stats.hits >= 1


async def test_a_cache_that_fails_for_long_is_left_alone_until_it_is_cleared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage._async.wrappers._cache.shelf.DISTRUSTED", 5)
    main, cache = Origin({f"{n}": b"old" for n in range(10)}), FlakyStore()
    store = AsyncCachingStore(main, cache, plain=False)
    for n in range(10):
        await store.get(f"{n}")
    cache.failing = {"delete", "put"}
    for n in range(10):
        await store.put(f"{n}", b"new")
    cache.failing = set()
    reads = cache.reads
    for n in range(10):
        assert [await store.get(f"{n}"), await store.get_range(f"{n}", 1)] == [b"new", b"ew"]
    assert cache.reads == reads
    await store.clear()
    assert [await store.get("0") for _ in range(2)] == [b"new"] * 2
    assert cache.reads == reads + 2


async def test_a_store_with_a_cache_can_be_pickled(tmp_path: Path) -> None:
    main = AsyncFilesystemStore(tmp_path / "main", durable=False)
    cache = AsyncFilesystemStore(tmp_path / "cache", durable=False)
    store = AsyncCachingStore(main, cache, ttl=60, max_bytes=10_000)
    await store.put("a", b"1")
    again = pickle.loads(pickle.dumps(store))
    assert await again.get("a") == b"1"
    assert (again.stats.hits, store.stats.hits) == (1, 0)
    assert timedelta(seconds=again._policy.ttl) == timedelta(minutes=1)
