"""Objects that go by themselves, in stores that know no lifetimes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage._core.info import Capability
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncIdentityStore, AsyncTTLStore
from storage.fs import FilesystemStore
from storage.object import (
    AsyncDictStore,
    ConfigError,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SupportsTTL,
)
from storage.utils import TTLStore


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "files"])
async def store(
    request: pytest.FixtureRequest, clock: Clock, tmp_path: Path
) -> AsyncIterator[AsyncTTLStore]:
    """Over a child that lists metadata, and one that does not."""
    child = AsyncDictStore() if request.param == "memory" else AsyncFilesystemStore(tmp_path)
    async with AsyncTTLStore(child, 10, clock=clock) as made:
        yield made


async def gone(store: Any, key: str) -> None:
    """No verb finds anything."""
    for attempt in (
        store.get(key), store.head(key), store.get_range(key, 0, 1), store.delete(key),
        store.copy(key, "copied"), store.move(key, "moved"), store.get_ranges(key, [(0, 1)]),
        store.get_with_info(key),
    ):  # fmt: skip
        with pytest.raises(ObjectNotFound):
            await attempt
    with pytest.raises(ObjectNotFound):
        async with store.open_reader(key):
            pass
    with pytest.raises(PreconditionFailed):
        await store.put(key, b"", if_match=(await store.store.head(key)).etag)
    assert not await store.exists(key)
    assert key not in [each async for each in store.keys()]
    assert key not in [each.key async for each in store.list()]
    level = await store.list_with_delimiter()
    assert key not in [each.key for each in level.objects]


async def test_an_object_goes_in_time(store: AsyncTTLStore, clock: Clock) -> None:
    await store.put("put", b"1", metadata={"mine": "x"})
    await store.put("streamed", iter([b"1", b"2"]))
    await store.with_ttl(20).put("later", b"2")
    await store.with_ttl(None).put("never", b"3")
    clock.now += 9.9
    assert (await store.head("put")).metadata == {"mine": "x"}
    assert await store.get("streamed") == b"12"
    clock.now += 0.2
    await gone(store, "put")
    await gone(store, "streamed")
    assert sorted([key async for key in store.keys()]) == ["later", "never"]
    assert await store.sweep() == 2
    assert await store.sweep() == 0
    assert sorted([key async for key in store.store.keys()]) == ["later", "never"]
    clock.now += 10**9
    assert [key async for key in store.keys()] == ["never"]
    await store.with_ttl(0).put("at-once", b"")
    assert not await store.exists("at-once")
    await store.delete("later", missing_ok=True)
    assert await store.sweep() == 1


async def test_copies_go_with_their_sources(store: AsyncTTLStore, clock: Clock) -> None:
    await store.put("a", b"1")
    clock.now += 5
    assert not (await store.copy("a", "b")).metadata
    await store.move("a", "c")
    clock.now += 4
    assert sorted([key async for key in store.keys()]) == ["b", "c"]
    clock.now += 2
    assert [key async for key in store.keys()] == []


async def test_what_is_over_is_not_in_the_way(store: AsyncTTLStore, clock: Clock) -> None:
    """Of many who create anew exactly one wins."""
    await store.put("key", b"old", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.put("key", b"new", if_absent=True)
    clock.now += 11
    outcomes = await asyncio.gather(
        *(store.put("key", b"%d" % n, if_absent=True) for n in range(12)), return_exceptions=True
    )
    won = [number for number, each in enumerate(outcomes) if not isinstance(each, Exception)]
    assert len(won) == 1
    assert await store.get("key") == b"%d" % won[0]
    clock.now += 11
    await store.put("source", b"s")
    await store.copy("source", "key", if_absent=True)
    clock.now += 11
    async with store.open_writer("key", if_absent=True) as writer:
        await writer.write(b"streamed")
    assert await store.get("key") == b"streamed"


async def test_many(store: AsyncTTLStore, clock: Clock) -> None:
    await store.put_many({f"key{n}": b"%d" % n for n in range(50)})
    await store.with_ttl(100).put_many({f"more{n}": b"%d" % n for n in range(5)})
    assert len([pair async for pair in store.get_many([f"key{n}" for n in range(50)])]) == 50
    clock.now += 11
    found = store.get_many([f"key{n}" for n in range(50)], missing_ok=True)
    assert [pair async for pair in found] == []
    assert await store.clear() == 5


async def test_what_it_needs() -> None:
    class Plain(AsyncIdentityStore):
        @property
        def capabilities(self) -> Capability:  # type: ignore[override]
            return ~(Capability.ATTRIBUTES | Capability.DELETE_IF_MATCH)

    store = AsyncTTLStore(Plain(AsyncDictStore()), 10)
    with pytest.raises(NotSupported, match="metadata"):
        await store.put("key", b"")
    await store.with_ttl(None).put("key", b"")
    with pytest.raises(NotSupported):
        await store.put("key", b"", if_absent=True)
    with pytest.raises(NotSupported, match="sweep"):
        await store.sweep()
    with pytest.raises(ConfigError, match="storage-expires"):
        await AsyncTTLStore(AsyncDictStore(), 1).put("k", b"", metadata={"storage-expires": "1"})
    with pytest.raises(ConfigError, match="ttl"):
        AsyncTTLStore(AsyncDictStore(), -1)


def test_blocking(tmp_path: Path, clock: Clock) -> None:
    with TTLStore(FilesystemStore(tmp_path), 10, clock=clock) as store:
        assert isinstance(store, SupportsTTL)
        store.put("key", b"1")
        with store.with_ttl(None) as view:  # does not close what it lives on
            view.put("other", b"2")
        assert sorted(store.keys()) == ["key", "other"]
        clock.now += 11
        assert list(store.keys()) == ["other"]
        assert store.sweep() == 1
