"""Snapshots of the store in memory: into any store, and from any."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncJsonStore
from storage.db import SqliteStore
from storage.fs import FilesystemStore
from storage.object import (
    AsyncDictStore,
    BulkError,
    DictStore,
    NoSpace,
    ObjectInfo,
    ReadOptions,
    StoreClosed,
    StoreNotFound,
    StoreUnavailable,
    WriteOptions,
)
from storage.utils import FanoutStore
from storage.zip import AsyncZipStore, ZipStore
from tests.stores import ForeignStore
from tests.wrappers.clocks import FakeClock
from tests.wrappers.faulty import ScriptedStore, down

OBJECTS = {f"dir/{n:02}": b"%d" % n * n for n in range(50)}
MAKERS: dict[str, Callable[[Path], Any]] = {
    "files": lambda path: FilesystemStore(path / "files", durable=False),
    "database": lambda path: SqliteStore(path / "x.sqlite", durable=False),
    "archive": lambda path: ZipStore(path / "x.zip"),
    "memory": lambda path: DictStore(),
    "on the loop": lambda path: FanoutStore([DictStore(), DictStore()]),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_there_and_back(tmp_path: Path, kind: str) -> None:
    store, again = DictStore(dict(OBJECTS)), DictStore({"other": b""})
    store.put("a", b"1", content_type="text/x", metadata={"k": "v"})
    with MAKERS[kind](tmp_path) as other:
        assert store.save(other) == 51
        assert {key: other.get(key) for key in other.keys()} == store.objects
        other.put("more", b"")
        assert again.load(other) == 52
        assert again.objects == {**store.objects, "other": b"", "more": b""}
        if kind != "files":
            info = again.head("a")
            assert (info.content_type, info.metadata) == ("text/x", {"k": "v"})
        store.delete("a")
        assert store.save(other, delete=True) == 50
        assert again.load(other, delete=True) == 50
        assert again.objects == store.objects == OBJECTS


@pytest.mark.parametrize("kind", ["files", "database", "archive", "foreign"])
async def test_there_and_back_in_async(tmp_path: Path, kind: str) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "files": lambda: AsyncFilesystemStore(tmp_path / "files", durable=False),
        "database": lambda: AsyncSqliteStore(tmp_path / "x.sqlite", durable=False),
        "archive": lambda: AsyncZipStore(tmp_path / "x.zip"),
        "foreign": ForeignStore,
    }
    store, again = AsyncDictStore(dict(OBJECTS)), AsyncDictStore()
    async with makers[kind]() as other:
        assert await store.save(other, delete=True) == 50
        await other.put("gone", b"")
        assert await store.save(other, delete=True) == 50
        assert await again.load(other) == 50
    assert again.objects == OBJECTS


def test_somebodys_blocking_store() -> None:
    class Theirs:
        def __init__(self) -> None:
            self.objects: dict[str, bytes] = {}

        def get(self, key: str) -> bytes:
            return self.objects[key]

        def put(self, key: str, data: bytes) -> None:
            self.objects[key] = data

        def exists(self, key: str) -> bool:
            return key in self.objects

        def delete(self, key: str) -> None:
            del self.objects[key]

        def keys(self) -> Any:
            return iter(list(self.objects))

    theirs, again = Theirs(), DictStore()
    DictStore(dict(OBJECTS)).save(theirs)
    assert again.load(theirs) == 50
    assert again.objects == theirs.objects == OBJECTS


class Slow(AsyncDictStore):
    """Waits at each put and get."""

    inline = False

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await asyncio.sleep(0.001)
        return await super()._put(key, data, options)

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await asyncio.sleep(0.001)
        return await super()._get(key, options)


async def test_a_snapshot_is_of_one_moment() -> None:
    store, slow = AsyncDictStore(dict(OBJECTS)), Slow()
    saving = asyncio.create_task(store.save(slow))
    await asyncio.sleep(0)
    await store.clear()
    await store.put("late", b"1")
    assert await saving == 50
    assert slow.objects == OBJECTS


def test_readers_see_a_load_as_one(tmp_path: Path) -> None:
    first = {f"k{n}": b"first" for n in range(100)}
    second = {f"k{n}": b"second" for n in range(50, 150)}
    store, seen, done = DictStore(dict(first)), set(), threading.Event()

    def look() -> None:
        while not done.is_set():
            with store._async._shelf.lock:
                seen.add(frozenset(store.objects.items()))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(5):
        store.load(DictStore(second), delete=True)
        store.load(DictStore(first), delete=True)
    done.set()
    reader.join()
    assert seen <= {frozenset(first.items()), frozenset(second.items())}


async def test_a_load_that_fails_changes_nothing() -> None:
    store, source = AsyncDictStore({"a": b"old"}), ScriptedStore(a=b"new", b=b"2")
    source.before["get"] = [None, down]
    with pytest.raises(BulkError, match="1 key failed") as caught:
        await store.load(source, delete=True)
    assert isinstance(caught.value.errors["b"], StoreUnavailable)
    source.before["keys"] = [down]
    with pytest.raises(StoreUnavailable):
        await store.load(source, delete=True)
    with pytest.raises(StoreNotFound):
        await store.load(AsyncZipStore("/nowhere/x.zip"))
    with pytest.raises(BulkError):
        await store.load(AsyncJsonStore(AsyncDictStore({"a": b"[1]"})))
    assert store.objects == {"a": b"old"}
    assert await store.load(source) == 2


async def test_a_save_that_fails_removes_nothing() -> None:
    store, target = AsyncDictStore({"a": b"1", "b": b"2"}), ScriptedStore(old=b"0")
    target.before["put"] = [down]
    with pytest.raises(BulkError, match="1 key failed"):
        await store.save(target, delete=True)
    assert target.objects == {"old": b"0", "b": b"2"}
    assert await store.save(target, delete=True) == 2
    assert target.objects == store.objects


def test_what_is_loaded_has_to_fit() -> None:
    source = DictStore({f"k{n}": bytes(30) for n in range(3)})
    store = DictStore({"mine": bytes(20)}, max_size=100)
    with pytest.raises(NoSpace):
        store.load(source)
    assert set(store.objects) == {"mine"}
    assert store.load(source, delete=True) == 3
    assert set(store.objects) == {"k0", "k1", "k2"}
    small = DictStore({"mine": bytes(20)}, max_size=80, when_full="evict")
    with pytest.raises(NoSpace):
        small.load(source)
    assert set(small.objects) == {"mine"}
    evicting = DictStore({"mine": bytes(20)}, max_size=100, when_full="evict")
    assert evicting.load(source) == 3
    assert set(evicting.objects) == {"k0", "k1", "k2"}


async def test_times_to_live_go_along() -> None:
    clock = FakeClock()
    store, target = AsyncDictStore(ttl=10, clock=clock), AsyncDictStore(clock=clock)
    await store.put("a", b"1")
    await store.with_ttl(3).put("gone", b"1")
    await store.with_ttl(None).put("stays", b"1")
    clock.now += 4
    assert await store.save(target) == 2
    clock.now += 5
    assert set(target.objects) == {"a", "stays"}
    assert await target.exists("a")
    clock.now += 1
    assert [key async for key in target.keys()] == ["stays"]
    loaded = AsyncDictStore(ttl=2, clock=clock)
    await loaded.load(target)
    clock.now += 2
    assert not await loaded.exists("stays")


async def test_a_closed_store_saves_nothing() -> None:
    store = AsyncDictStore()
    await store.aclose()
    for work in (store.save(AsyncDictStore()), store.load(AsyncDictStore()), store.sweep()):
        with pytest.raises(StoreClosed):
            await work


async def test_what_goes_while_it_is_read_is_left_out() -> None:
    class Vanishing(AsyncDictStore):
        async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
            yield "gone"
            async for key in super()._keys(prefix, start_after):
                yield key

    store = AsyncDictStore()
    assert await store.load(Vanishing({"a": b"1"})) == 1
    assert store.objects == {"a": b"1"}
