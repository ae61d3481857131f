"""A token bucket, and the store that takes from one."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest

from storage._core.bucket import Bucket
from storage.aioutils import AsyncThrottleStore
from storage.object import AsyncDictStore, ConfigError, DictStore
from storage.utils import ThrottleStore


class Clock:
    """Shows what it is set to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_is_full_at_first_and_fills_again() -> None:
    clock = Clock()
    bucket = Bucket(10, 2, clock)
    assert [bucket.take(10), bucket.take(10), bucket.take(5), bucket.take(10)] == [0, 0, 0.5, 1.5]
    clock.now += 1.5
    assert bucket.take(10) == 1
    clock.now += 1000
    assert bucket.take(20) == 0
    assert bucket.take(1) == pytest.approx(0.1)
    bucket.give_back(1)
    assert bucket.take(2) == pytest.approx(0.2)


class Recording(Bucket):
    """Makes nobody wait, and notes what was taken."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.taken: list[float] = []

    def take(self, tokens: float) -> float:
        self.taken.append(tokens)
        return 0.0


async def test_both_directions_and_every_piece_count() -> None:
    store = AsyncThrottleStore(AsyncDictStore({"a": b"0123456789"}), 1, 1)
    size, operations = Recording(), Recording()
    store._bytes, store._operations = size, operations
    await store.get("a")
    await store.get_range("a", 0, 3)
    await store.get_ranges("a", [(0, 2), (4, 6)])
    await store.put("b", b"12")
    await store.put("c", iter([b"123", b"4567"]))
    assert [chunk async for chunk in store.stream("c")] == [b"1234567"]
    await store.exists("a")
    assert [key async for key in store.keys()] == ["a", "b", "c"]
    assert size.taken == [10, 3, 4, 2, 3, 4, 7]
    assert operations.taken == [1] * 8


async def test_it_waits_and_gives_back_when_cancelled() -> None:
    store = AsyncThrottleStore(AsyncDictStore({"a": b"0" * 1000}), 1000, burst=1)
    assert store._bytes is not None
    await store.get("a")
    waiting = asyncio.create_task(store.get("a"))
    while store._bytes._tokens > -500:
        await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert store._bytes._tokens > -500


def test_threads_and_loops_take_from_one_bucket() -> None:
    child: dict[str, Any] = {"a": b"0" * 10}
    store = AsyncThrottleStore(AsyncDictStore(child), 1_000_000)
    bucket = store._bytes = Recording()

    async def get() -> None:
        await asyncio.gather(*(store.get("a") for _ in range(5)))

    threads = [threading.Thread(target=asyncio.run, args=(get(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ThrottleStore.around(store).get("a")
    assert sum(bucket.taken) == 160


def test_a_blocking_caller_waits() -> None:
    store = ThrottleStore(DictStore(), operations_per_second=200, burst=0.005)
    for number in range(4):
        store.put(f"{number}", b"")
    bucket = store._async._operations
    assert bucket is not None
    # The fourth has waited for the third, and so on: the debt never grows.
    assert bucket._tokens > -1.5


def test_rates() -> None:
    for options in ({"bytes_per_second": 0}, {"operations_per_second": -1}, {"burst": 0}):
        with pytest.raises(ConfigError):
            AsyncThrottleStore(AsyncDictStore(), **options)
    assert pickle.loads(pickle.dumps(Bucket(5, 2))).take(10) == 0
