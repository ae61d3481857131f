"""What each policy promises: never stale, no older than so many seconds, or whatever is there."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from storage._core.errors import (
    AccessDenied,
    ConfigError,
    NotModified,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from storage.aioutils import AsyncCachingStore, CacheStats
from storage.object import AsyncDictStore
from tests.origins import Origin, Plainer
from tests.stores import ForeignStore


class Clock:
    """Time that goes on when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._wall, self._steady = time.time, time.monotonic
        self.ahead = 0.0
        for module in ("policy", "whole", "reads", "writes"):
            monkeypatch.setattr(f"storage._async.wrappers._cache.{module}.time", self)

    def time(self) -> float:
        return self._wall() + self.ahead

    def monotonic(self) -> float:
        return self._steady() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_always_sees_what_others_write_and_reads_no_bytes_twice() -> None:
    main = Origin({"a": b"1"})
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always")
    assert [await store.get("a") for _ in range(4)] == [b"1"] * 4
    assert (main.gets, main.unchanged, main.heads) == (4, 3, 0)
    await AsyncDictStore.put(main, "a", b"2")
    assert await store.get("a") == b"2"
    assert (main.gets, main.unchanged) == (5, 3)
    await AsyncDictStore.delete(main, "a")
    with pytest.raises(ObjectNotFound):
        await store.get("a")
    assert store.stats == CacheStats(hits=3, misses=2, revalidations=5, bytes=3)


async def test_always_is_asked_for_parts_infos_and_streams_too() -> None:
    main = Origin({"a": b"0123456789"})
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always")
    await store.get("a")
    for data in (b"abcdefghij", b"ABCDEFGHIJ"):
        await AsyncDictStore.put(main, "a", data)
        etag = (await AsyncDictStore.head(main, "a")).etag
        assert await store.get_range("a", 2, 4) == data[2:4]
        assert (await store.head("a")).etag == etag
        assert await store.get("a", if_match=etag) == data
        assert b"".join([piece async for piece in store.stream("a")]) == data
        assert await store.get_ranges("a", [(0, 1), (8, None)]) == [data[:1], data[8:]]
        with pytest.raises(NotModified):
            await store.get("a", if_none_match=etag)
        with pytest.raises(PreconditionFailed):
            await store.get("a", if_match="other")
        with pytest.raises(NotModified):
            await store.get("a", if_none_match=etag)
    # The part that found out, and what is asked of one version: those two are not cached whole.
    assert main.gets == 1 + 2 * 3


async def test_ttl_asks_when_the_time_is_up(clock: Clock) -> None:
    main = Origin({"a": b"1"})
    store = AsyncCachingStore(main, AsyncDictStore(), ttl=60)
    assert await store.get("a") == b"1"
    await AsyncDictStore.put(main, "a", b"2")
    clock.ahead = 59
    assert await store.get("a") == b"1"
    assert (await store.get_range("a", 0, 1), await store.exists("a")) == (b"1", True)
    assert main.asked == 1
    clock.ahead = 61
    assert await store.get("a") == b"2"
    clock.ahead = 122
    assert await store.get("a") == b"2"  # asked, unchanged
    clock.ahead = 181
    assert await store.get("a") == b"2"  # not asked again
    assert (main.gets, main.unchanged) == (3, 1)


async def test_another_store_on_the_cache_knows_how_old_an_entry_is(clock: Clock) -> None:
    main, cache = Origin({"a": b"1"}), AsyncDictStore()
    await AsyncCachingStore(main, cache, ttl=60).get("a")
    clock.ahead = 59
    await AsyncCachingStore(main, cache, ttl=60).get("a")
    assert main.gets == 1
    clock.ahead = -3600  # so the entry is from the future
    await AsyncCachingStore(main, cache, ttl=60).get("a")
    assert main.gets == 2


async def test_never_does_not_ask() -> None:
    main = Origin({"a": b"1"})
    store = AsyncCachingStore(main, AsyncDictStore(), plain=False)
    await store.get("a")
    main.objects.clear()
    data, info = await store.get_with_info("a")
    assert (data, info.size, await store.exists("a")) == (b"1", 1, True)
    assert (await store.head("a")) == info
    assert await store.get("a", if_match=info.etag) == b"1"
    assert main.asked == 1


@pytest.mark.parametrize("options", [{"ttl": 1000}, {"revalidate": "always"}, {"plain": False}])
@pytest.mark.parametrize("write", ["through", "invalidate"])
async def test_what_was_written_here_is_seen_here(options: dict[str, Any], write: Any) -> None:
    main = Origin({"a": b"0"})
    store = AsyncCachingStore(main, AsyncDictStore(), write=write, negative_ttl=1000, **options)
    await store.get("a")
    for turn in range(3):
        await store.put("a", b"%d" % turn)
        assert await store.get("a") == b"%d" % turn
        async with store.open_writer("a") as writer:
            await writer.write(b"streamed %d" % turn)
        assert await store.get("a") == b"streamed %d" % turn
        assert await store.get_range("a", 0, 4) == b"stre"
        await store.move("a", "b")
        assert (await store.exists("a"), await store.get("b")) == (False, b"streamed %d" % turn)
        await store.copy("b", "a")
        assert await store.get("a") == b"streamed %d" % turn
        await store.delete_many(["a", "b"])
        with pytest.raises(ObjectNotFound):
            await store.get("a")
    if write == "through" and not options.get("revalidate"):
        assert (await store.put("c", b"c"), main.gets)[1] == main.gets
        before = main.asked
        assert (await store.get("c"), main.asked) == (b"c", before)


async def test_around_leaves_the_cache_to_the_policy(clock: Clock) -> None:
    main, cache = Origin({"a": b"1"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, write="around", ttl=60)
    await store.get("a")
    await store.put("a", b"2")
    await store.put("b", b"2")
    assert await store.get("a") == b"1"
    assert list(cache.objects) == ["a"]
    clock.ahead = 61
    assert await store.get("a") == b"2"
    await store.delete("a")
    assert cache.objects == {}


@pytest.mark.parametrize("knows_times", [True, False])
async def test_without_etags_size_and_time_decide(knows_times: bool) -> None:
    main = Plainer({"a": b"1"})
    main.knows_times = knows_times
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always")
    assert [await store.get("a") for _ in range(3)] == [b"1"] * 3
    assert main.gets == (1 if knows_times else 3)
    await AsyncDictStore.put(main, "a", b"2")
    assert await store.get("a") == b"2"
    assert await store.get_range("a", 0, 1) == b"2"


async def test_other_peoples_stores_are_never_stale_either() -> None:
    main = ForeignStore(a=b"1")
    store = AsyncCachingStore(main, ForeignStore(), revalidate="always")
    assert await store.get("a") == b"1"
    main.objects["a"] = b"2"
    assert (await store.get("a"), await store.get_range("a", 0, 1)) == (b"2", b"2")


# -- what is missing, and who is down -------------------------------------------------------


async def test_what_is_missing_is_not_asked_for_again(clock: Clock) -> None:
    main = Origin()
    store = AsyncCachingStore(main, AsyncDictStore(), negative_ttl=10, revalidate="always")
    for _ in range(3):
        with pytest.raises(ObjectNotFound):
            await store.get("a")
        with pytest.raises(ObjectNotFound):
            await store.head("a")
        with pytest.raises(ObjectNotFound):
            await store.get_range("a", 0, 1)
        with pytest.raises(ObjectNotFound):
            async with store.open_reader("a"):
                pass
        assert not await store.exists("a")
    assert (main.asked, store.stats.absences) == (1, 14)
    clock.ahead = 11
    assert not await store.exists("a")
    assert main.asked == 2
    await store.put("a", b"1")
    assert await store.get("a") == b"1"


@pytest.mark.parametrize("error", [StoreUnavailable("down"), StoreTimeout("slow")])
async def test_a_store_that_is_down_may_be_stood_in_for(clock: Clock, error: StoreError) -> None:
    main = Origin({"a": b"123"})
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always", stale_if_error=60)
    _, info = await store.get_with_info("a")
    main.failure = error
    assert await store.get("a") == b"123"
    assert await store.get_range("a", 1) == b"23"
    assert await store.head("a") == info
    assert await store.exists("a")
    assert b"".join([piece async for piece in store.stream("a")]) == b"123"
    assert store.stats.stale == 5
    with pytest.raises(type(error)):
        await store.get("b")
    clock.ahead = 61
    for read in (store.get, store.head, store.exists):
        with pytest.raises(type(error)):
            await read("a")
    forgiving = AsyncCachingStore(main, store._children[1], ttl=1, stale_if_error=math.inf)
    assert await forgiving.get("a") == b"123"


async def test_no_one_stands_in_for_a_store_that_answers() -> None:
    main = Origin({"a": b"1"})
    cache = AsyncDictStore()
    store = AsyncCachingStore(main, cache, revalidate="always", stale_if_error=math.inf)
    await store.get("a")
    for error in (AccessDenied("no"), StoreError("what"), ObjectNotFound("gone")):
        main.failure = error
        with pytest.raises(type(error)):
            await store.get("a")
    assert (store.stats.stale, cache.objects) == (0, {})


async def test_an_object_that_was_written_in_vain_is_not_stood_in_for() -> None:
    main = Origin({"a": b"1"})
    store = AsyncCachingStore(main, AsyncDictStore(), ttl=1000, stale_if_error=math.inf)
    await store.get("a")
    main.failure = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await store.put("a", b"2")  # it may have got there
    with pytest.raises(StoreUnavailable):
        await store.get("a")


async def test_an_entry_from_long_ago_does_not_profit_from_a_newer_one(clock: Clock) -> None:
    main, cache = Origin({"a": b"1"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, ttl=60)
    await store.get("a")
    old = cache.objects["a"]
    await store.put("a", b"2")
    clock.ahead = 61
    assert await store.get("a") == b"2"  # asked
    cache.objects["a"] = old  # from a backup, say
    assert await store.get("a") == b"2"


@pytest.mark.parametrize(
    "options",
    [
        {"revalidate": "ttl"},
        {"revalidate": "always", "ttl": 1},
        {"revalidate": "sometimes"},
        {"ttl": -1},
        {"ttl": 1, "plain": True},
        {"max_bytes": -1},
        {"write": "around"},
        {"write": "back", "ttl": 1},
        {"stale_if_error": math.nan},
    ],
)
async def test_options_that_contradict_each_other(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        AsyncCachingStore(AsyncDictStore(), AsyncDictStore(), **options)


async def test_a_store_is_not_its_own_cache() -> None:
    store = AsyncDictStore()
    with pytest.raises(ConfigError):
        AsyncCachingStore(store, store)
