"""A store that does only so much at once, and never waits for itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from storage.aioutils import AsyncIdentityStore, AsyncLimitStore
from storage.object import AsyncDictStore, ConfigError, DictStore, ObjectNotFound, StoreTimeout
from storage.utils import IdentityStore, LimitStore
from tests.stores import numbered
from tests.wrappers.crowd import CrowdedStore

pytestmark = pytest.mark.timeout(20)


async def test_operations_are_bounded() -> None:
    child = CrowdedStore(numbered(40))
    store = AsyncLimitStore(child, 3)
    keys = [key async for key in store.keys()]
    async with asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(store.get(key))
            group.create_task(store.put("new" + key, b"1"))
    assert child.most == 3
    assert len(child.objects) == 80


async def test_first_come_first_served() -> None:
    child = CrowdedStore(numbered(20))
    store = AsyncLimitStore(child, 2)
    keys = sorted(child.objects)
    async with asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(store.get(key))
    assert child.order == keys


async def test_a_stream_holds_its_place() -> None:
    child = CrowdedStore(numbered(4, 40))
    store = AsyncLimitStore(child, 2)

    async def read(key: str) -> None:
        async with store.open_reader(key) as reader:
            async for _ in reader:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for key in list(child.objects) * 3:
            group.create_task(read(key))
            group.create_task(store.get(key))
    assert child.most == 2


async def test_the_cancelled_leave_nothing_behind() -> None:
    child = CrowdedStore(numbered(30), turns=20)
    store = AsyncLimitStore(child, 2)
    tasks = [asyncio.create_task(store.get(key)) for key in child.objects]
    for turn in range(60):
        await asyncio.sleep(0)
        tasks[turn * 7 % 30].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.TaskGroup() as group:
        for key in child.objects:
            group.create_task(store.get(key))
    assert child.most == 2
    assert child.now == 0
    assert store._operations is not None
    assert store._operations._free == 2


async def put_what_is_read(store: Any) -> None:
    async with store.open_reader("a") as reader:
        await store.put("b", reader)
        await store.put("c", b"1")


async def put_a_stream_that_opens_late(store: Any) -> None:
    await store.put("b", store.stream("a"))


async def write_into_two(store: Any) -> None:
    async with store.open_reader("a") as reader, store.open_writer("b") as writer:
        async for piece in reader:
            await writer.write(piece)
            assert await store.exists("a")


async def delete_what_is_listed(store: Any) -> None:
    await store.put_many({f"b{n}": b"1" for n in range(5)})
    async for key in store.keys("b"):
        await store.delete(key)
    await store.delete_many(store.keys("b"))


async def many_within_a_stream(store: Any) -> None:
    async with store.open_reader("a"):
        await store.put_many({f"b{n}": b"1" for n in range(50)})
        assert len([pair async for pair in store.get_many(store.keys("b"))]) == 50


async def leave_the_outer_one_first(store: Any) -> None:
    outer, inner = store.open_reader("a"), store.open_reader("a")
    await outer.__aenter__()
    await inner.__aenter__()
    await outer.aclose()
    await store.get("a")
    assert await inner.read() == b"0123456789"
    await inner.aclose()


NESTED = [
    put_what_is_read,
    put_a_stream_that_opens_late,
    write_into_two,
    delete_what_is_listed,
    many_within_a_stream,
    leave_the_outer_one_first,
]
STACKS: dict[str, Callable[[Any], Any]] = {
    "one": lambda child: AsyncLimitStore(child, 1),
    "bytes": lambda child: AsyncLimitStore(child, 1, 3),
    "two": lambda child: AsyncLimitStore(AsyncLimitStore(child, 1), 2),
    "within": lambda child: AsyncIdentityStore(AsyncLimitStore(AsyncLimitStore(child, 2), 1)),
}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("act", NESTED)
async def test_nobody_waits_for_himself(act: Callable[[Any], Awaitable[None]], stack: str) -> None:
    store = STACKS[stack](CrowdedStore({"a": b"0123456789"}))
    async with asyncio.timeout(5):
        await act(store)
        await store.get("a")


async def _anything(store: AsyncLimitStore, random: Random, depth: int = 0) -> None:
    """Some operation, which may be a stream with others in it."""
    key, choice = f"key-0000{random.randrange(5)}", random.random()
    if choice < 0.3:
        await store.get(key)
    elif choice < 0.5 or depth == 3:
        await store.put(key, b"y" * random.randrange(1, 40))
    elif choice < 0.7:
        async with store.open_reader(key) as reader:
            await reader.read(3)
            await _anything(store, random, depth + 1)
    elif choice < 0.8:
        async with store.open_writer(key) as writer:
            await writer.write(b"zz")
            await _anything(store, random, depth + 1)
    elif choice < 0.9:
        async for _ in store.keys():
            await _anything(store, random, depth + 1)
    else:
        await asyncio.gather(*(_anything(store, random, 3) for _ in range(4)))


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_hangs_and_nothing_is_lost(seed: int) -> None:
    random = Random(seed)
    limits = random.choice([1, 2, 3]), random.choice([None, 8, 30])
    store = AsyncLimitStore(CrowdedStore(numbered(5, 20)), *limits)
    tasks = [asyncio.create_task(_anything(store, random)) for _ in range(40)]
    for _ in range(60):
        await asyncio.sleep(0)
        if random.random() < 0.5:
            random.choice(tasks).cancel()
    async with asyncio.timeout(15):
        await asyncio.gather(*tasks, return_exceptions=True)
    for permits in (store._operations, store._bytes):
        if permits is not None:
            assert permits._free == permits._units
            assert not permits._queue


async def test_a_ride_is_for_one_at_a_time() -> None:
    child = CrowdedStore(numbered(20))
    store = AsyncLimitStore(child, 1)
    async with store.open_reader("key-00000"), asyncio.TaskGroup() as group:
        for key in child.objects:
            group.create_task(store.get(key))
    assert child.most == 2
    child.most = 0
    async with asyncio.TaskGroup() as group:
        for key in child.objects:
            group.create_task(store.get(key))
    assert child.most == 1


async def test_bytes_are_bounded() -> None:
    child = CrowdedStore({"a": b"a" * 30, "b": b"b" * 30, "huge": b"h" * 500})
    store = AsyncLimitStore(child, bytes=100)
    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(store.get("ab"[number % 2]))
            group.create_task(store.put(f"c{number}", b"c" * 30))
            group.create_task(store.put(f"d{number}", iter([b"d" * 60, b"d" * 60])))
            group.create_task(store.get_range("huge", 5, 45))
    assert child.most_bytes > 60
    small = [size for size in (child.most_bytes - 500, child.most_bytes) if size >= 0]
    assert min(small) <= 100
    assert await store.get("huge") == b"h" * 500
    assert await store.get_range("huge", -3) == b"hhh"
    with pytest.raises(ObjectNotFound):
        await store.get("nothing")


def test_several_loops_share_one_limit() -> None:
    child = CrowdedStore(numbered(30))
    store = AsyncLimitStore(child, 2)

    async def get_all() -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*(store.get(key) for key in child.objects))

    threads = [threading.Thread(target=asyncio.run, args=(get_all(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert child.most == 2
    assert len(child.order) == 120


def test_a_loop_that_went_is_not_waited_for() -> None:
    child = AsyncDictStore({"a": b"1"})
    store = AsyncLimitStore(child, 1)

    async def hold() -> None:
        reader = await store.open_reader("a").__aenter__()
        waiting = asyncio.create_task(store.get("a"))
        await asyncio.sleep(0)
        await reader.aclose()
        waiting.cancel()

    asyncio.run(hold())
    assert asyncio.run(store.get("a")) == b"1"


async def test_a_wait_counts_for_the_timeout() -> None:
    store = AsyncLimitStore(AsyncDictStore({"a": b"1"}), 1, timeout=0.02)
    opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        async with store.open_reader("a"):
            opened.set_result(None)
            await asyncio.sleep(10)

    holder = asyncio.create_task(hold())
    await opened
    with pytest.raises(StoreTimeout):
        await store.get("a")
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    assert await store.get("a") == b"1"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_above_nothing(limit: int) -> None:
    with pytest.raises(ConfigError):
        AsyncLimitStore(AsyncDictStore(), limit)
    with pytest.raises(ConfigError):
        AsyncLimitStore(AsyncDictStore(), bytes=limit)


def test_blocking_callers_do_not_wait_for_themselves_either() -> None:
    store = IdentityStore(LimitStore(DictStore({"a": b"0123456789"}), 1))
    with store.open_reader("a") as reader:
        store.put("b", reader)
    store.put("c", store.stream("a"))
    with store.open_reader("a") as reader, store.open_writer("d") as writer:
        writer.write(reader.read())
    assert {store.get(key) for key in store.keys()} == {b"0123456789"}
    for key in store.keys():
        store.delete(key)
    assert store.delete_many(store.keys()) == 0


def test_a_blocking_caller_makes_no_family_of_later_tasks() -> None:
    child = CrowdedStore({"a": b"0123456789"})
    store = AsyncLimitStore(child, 1)
    twin = LimitStore.around(store)
    assert list(twin.keys()) == ["a"]
    with twin.open_reader("a") as reader:
        reader.read()

    async def read() -> None:
        async with store.open_reader("a") as reader:
            async for _ in reader:
                await asyncio.sleep(0)

    async def read_all() -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*(read() for _ in range(10)))

    child.most = 0
    asyncio.run(read_all())
    assert child.most == 1
