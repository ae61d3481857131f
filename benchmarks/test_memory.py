"""What the layers above a dict cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from storage.aioutils import AsyncCachingStore, AsyncFanoutStore, async_sync_stores
from storage.object import AsyncDictStore, AsyncObjectStore, DictStore
from storage.utils import FanoutStore, sync_stores

OBJECTS = {f"key-{i:04}": b"%d " % i * 512 for i in range(1000)}
IN_FLIGHT = 32

reads = pytest.mark.benchmark(group="get, in memory")
writes = pytest.mark.benchmark(group="put, in memory")
async_reads = pytest.mark.benchmark(group=f"{IN_FLIGHT} async gets, in memory")
syncs = pytest.mark.benchmark(group="copy 1,000 objects, memory to memory")


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run coroutines on a loop that stays."""
    with asyncio.Runner() as runner:
        yield runner.run


@reads
def test_get_from_the_dict(benchmark: BenchmarkFixture) -> None:
    objects = dict(OBJECTS)
    assert benchmark(lambda: objects["key-0007"]) == OBJECTS["key-0007"]


@reads
def test_get_through_the_twin(benchmark: BenchmarkFixture) -> None:
    store = DictStore(dict(OBJECTS))
    assert benchmark(store.get, "key-0007") == OBJECTS["key-0007"]


@reads
def test_get_through_the_background_loop(benchmark: BenchmarkFixture) -> None:
    store = FanoutStore([DictStore(dict(OBJECTS))])
    assert benchmark(store.get, "key-0007") == OBJECTS["key-0007"]


@writes
def test_put_into_the_dict(benchmark: BenchmarkFixture) -> None:
    objects: dict[str, bytes] = {}
    benchmark(objects.__setitem__, "key", b"value")
    assert objects == {"key": b"value"}


@writes
def test_put_through_the_twin(benchmark: BenchmarkFixture) -> None:
    store = DictStore()
    info = benchmark(store.put, "key", b"value")
    assert (info.key, info.size) == ("key", 5)
    assert store.objects == {"key": b"value"}


@async_reads
@pytest.mark.parametrize("kind", ["bare", "fanout", "caching"])
def test_async_gets(
    benchmark: BenchmarkFixture, run: Callable[[Coroutine[Any, Any, Any]], Any], kind: str
) -> None:
    bare = AsyncDictStore(dict(OBJECTS))
    stores: dict[str, AsyncObjectStore] = {
        "bare": bare,
        "fanout": AsyncFanoutStore([bare]),
        "caching": AsyncCachingStore(AsyncDictStore(), bare),
    }
    keys = list(OBJECTS)[:IN_FLIGHT]

    async def get_all() -> list[bytes]:
        return await asyncio.gather(*map(stores[kind].get, keys))

    assert benchmark(lambda: run(get_all())) == [OBJECTS[key] for key in keys]


@syncs
def test_async_sync(
    benchmark: BenchmarkFixture, run: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    def sync() -> AsyncDictStore:
        target = AsyncDictStore()
        report = run(async_sync_stores(AsyncDictStore(OBJECTS), target))
        assert report.copied == len(OBJECTS)
        return target

    assert benchmark(sync).objects == OBJECTS


@syncs
def test_sync(benchmark: BenchmarkFixture) -> None:
    def sync() -> DictStore:
        target = DictStore()
        assert sync_stores(DictStore(OBJECTS), target).copied == len(OBJECTS)
        return target

    assert benchmark(sync).objects == OBJECTS
