"""Many readers of one key are one read, whoever of them leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from storage._core.errors import ObjectNotFound, StoreUnavailable
from storage.aioutils import AsyncBufferStore, AsyncCachingStore, AsyncJsonStore
from storage.object import AsyncDictStore, DictStore
from storage.utils import CachingStore
from tests.origins import Origin
from tests.stores import FlakyStore


class Anything:
    """Somebody's store of values of any kind."""

    def __init__(self, **objects: Any) -> None:
        self.objects = objects

    async def get(self, key: str) -> Any:
        return self.objects[key]

    async def put(self, key: str, data: Any) -> None:
        self.objects[key] = data

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def delete(self, key: str) -> None:
        del self.objects[key]

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.objects):
            yield key


POLICIES: list[dict[str, Any]] = [{}, {"plain": False}, {"ttl": 60}, {"revalidate": "always"}]


@pytest.mark.parametrize("options", POLICIES)
async def test_a_hundred_misses_are_one_read(options: dict[str, Any]) -> None:
    main = Origin({"a": b"1"})
    store = AsyncCachingStore(main, AsyncDictStore(), **options)
    assert await asyncio.gather(*[store.get("a") for _ in range(100)]) == [b"1"] * 100
    assert (main.gets, store.stats.misses) == (1, 100)


async def test_a_hundred_misses_in_front_of_a_cache_that_is_down_are_one_read() -> None:
    main, cache = Origin({"a": b"1"}), FlakyStore()
    cache.failing = {"get", "put", "delete"}
    store = AsyncCachingStore(main, cache, ttl=60)
    assert await asyncio.gather(*[store.get("a") for _ in range(100)]) == [b"1"] * 100
    assert main.gets == 1


async def test_whoever_leaves_takes_nobody_along() -> None:
    main = Origin({"a": b"1"})
    arrived, go = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        arrived.set()
        await go.wait()

    main.pause = pause
    store = AsyncCachingStore(main, AsyncDictStore(), ttl=60)
    readers = [asyncio.create_task(store.get("a")) for _ in range(10)]
    await arrived.wait()
    for reader in readers[:9]:
        reader.cancel()
    assert await asyncio.gather(*readers[:9], return_exceptions=True)
    go.set()
    assert (await readers[9], main.gets) == (b"1", 1)


async def test_a_read_that_nobody_waits_for_ends() -> None:
    main, cache = Origin({"a": b"1"}), AsyncDictStore()
    arrived = asyncio.Event()

    async def pause() -> None:
        arrived.set()
        await asyncio.Event().wait()

    main.pause = pause
    store = AsyncCachingStore(main, cache, ttl=60)
    readers = [asyncio.create_task(store.get("a")) for _ in range(3)]
    await arrived.wait()
    before = asyncio.all_tasks()
    for reader in readers:
        reader.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError)
        for each in await asyncio.gather(*readers, return_exceptions=True)
    )
    assert asyncio.all_tasks() == {asyncio.current_task()} != before
    main.pause = None
    assert await store.get("a") == b"1"


@pytest.mark.parametrize("error", [StoreUnavailable("down"), ObjectNotFound("gone"), OSError("x")])
async def test_an_error_comes_to_all_and_each_has_its_own(error: Exception) -> None:
    main = Origin()
    main.failure = error
    store = AsyncCachingStore(main, AsyncDictStore(), ttl=60)
    results = await asyncio.gather(*[store.get("a") for _ in range(5)], return_exceptions=True)
    assert main.gets == 1
    assert {type(each) for each in results} == {type(error)}
    assert isinstance(error, OSError) or len({id(each) for each in results}) == 5
    assert len({str(each) for each in results}) == 1


async def test_always_joins_no_read_that_was_sent_before() -> None:
    main = Origin({"a": b"old"})
    arrived, go = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        arrived.set()
        await go.wait()

    main.pause = pause
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always")
    early = asyncio.create_task(store.get("a"))
    await arrived.wait()
    main.pause = None
    await AsyncDictStore.put(main, "a", b"new")  # it is there before the others ask
    late = [asyncio.create_task(store.get("a")) for _ in range(9)]
    assert await asyncio.gather(*late) == [b"new"] * 9
    go.set()
    assert await early == b"old"
    assert main.gets == 2
    assert await store.get("a") == b"new"


async def test_a_read_joins_none_that_was_sent_before_a_write_of_ours() -> None:
    main = Origin({"a": b"old"})
    arrived, go = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        arrived.set()
        await go.wait()

    main.pause = pause
    store = AsyncCachingStore(main, AsyncDictStore(), plain=False, write="invalidate")
    early = asyncio.create_task(store.get("a"))
    await arrived.wait()
    main.pause = None
    await store.put("a", b"new")
    assert await store.get("a") == b"new"
    go.set()
    assert await early == b"old"
    assert await store.get("a") == b"new"


async def test_two_writers_who_meet_leave_what_the_main_store_has() -> None:
    for turns in range(10):
        main, cache = Origin(), FlakyStore()
        store = AsyncCachingStore(main, cache, plain=False)

        async def later(turns: int = turns, store: AsyncCachingStore = store) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await store.put("a", b"2")

        await asyncio.gather(store.put("a", b"1"), later(), store.delete("a", missing_ok=True))
        expected = main.objects.get("a")
        assert (await store.get("a") if expected else None) == expected


def test_blocking_threads_share_a_read() -> None:
    main = Origin({"a": b"1"})
    entered, go = threading.Event(), threading.Event()

    async def pause() -> None:
        entered.set()
        while not go.is_set():
            await asyncio.sleep(0.001)

    main.pause = pause
    store = CachingStore(DictStore.around(main), DictStore(), ttl=60)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(store.get("a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    entered.wait()
    while store._async._reads.traffic._lanes["a"].users < 9:  # all of them, and the read
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert (found, main.gets) == ([b"1"] * 8, 1)


def test_one_store_on_several_loops_in_turn_and_at_once() -> None:
    main = Origin({f"{n}": b"%d" % n for n in range(20)})
    store = AsyncCachingStore(main, AsyncDictStore(), ttl=60, max_objects=10)

    async def use() -> None:
        for n in range(20):
            await store.put(f"{n}", b"%d" % n)
            assert await store.get(f"{n}") == b"%d" % n

    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(use())
        except BaseException as error:
            failures.append(error)

    run()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


async def test_values_that_can_be_changed_are_each_readers_own() -> None:
    store: Any = AsyncCachingStore(AsyncJsonStore(AsyncDictStore({"a": b"[1]"})), Anything())
    for _ in range(2):
        first, second = await asyncio.gather(store.get("a"), store.get("a"))
        first.append(2)
        assert second == [1]


@pytest.mark.parametrize("cache", [AsyncDictStore, Anything])
async def test_values_that_can_be_read_once_are_not_used_up_by_the_cache(cache: Any) -> None:
    store: Any = AsyncCachingStore(AsyncBufferStore(AsyncDictStore({"a": b"1"})), cache())
    found = [*await asyncio.gather(store.get("a"), store.get("a")), await store.get("a")]
    assert [each.read() for each in found] == [b"1"] * 3
    assert store.stats.errors == 0


async def test_values_that_nobody_can_copy_are_shared() -> None:
    value = threading.Lock()
    store: Any = AsyncCachingStore(Anything(a=value), Anything())
    assert await store.get("a") is value
