"""The SQLite store in several loops and threads, and without a loop."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage._core import calls
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    ObjectInfo,
    PreconditionFailed,
)
from tests.backends.sqlite import leftovers, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


def test_one_loop_after_another(path: Path) -> None:
    store = AsyncSqliteStore(path)
    before = threading.active_count()
    for i in range(5):
        asyncio.run(store.put(f"k{i}", b"x"))
        assert asyncio.run(store.get(f"k{i}")) == b"x"
    # The connections of loops that are gone are closed.
    assert len(store._database._connections._lanes) == 1
    asyncio.run(store.aclose())
    for thread in threading.enumerate():
        if "storage-worker" not in thread.name and thread is not threading.current_thread():
            thread.join(1)
    workers = sum("storage-worker" in thread.name for thread in threading.enumerate())
    assert threading.active_count() <= before + workers


def test_loops_and_blocking_callers_at_once(path: Path) -> None:
    store = AsyncSqliteStore(path)

    async def use(name: str) -> None:
        await asyncio.gather(*(store.put(f"{name}/{i}", name.encode()) for i in range(100)))
        values = await asyncio.gather(*(store.get(f"{name}/{i}") for i in range(100)))
        assert set(values) == {name.encode()}

    def block(name: str) -> None:
        twin = SqliteStore.around(store)
        for i in range(50):
            twin.put(f"{name}/{i}", name.encode())
            assert twin.get(f"{name}/{i}") == name.encode()

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(asyncio.run, use(f"loop-{i}")) for i in range(3)]
        work += [threads.submit(block, f"thread-{i}") for i in range(3)]
        for future in work:
            future.result(60)
    assert len(list(calls.drive_iterator(store.keys()))) == 450
    calls.drive(store.aclose())
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert os.listdir(path.parent) == [path.name]


def test_threads_count_with_conditions(path: Path) -> None:
    """A counter that many threads increase by compare-and-swap loses nothing."""
    with SqliteStore(path, durable=False) as store, ThreadPoolExecutor(8) as threads:
        store.put("count", b"0")

        def increase(_: int) -> None:
            while True:
                data, info = store.get_with_info("count")
                try:
                    store.put("count", b"%d" % (int(data) + 1), if_match=info.etag)
                except PreconditionFailed:
                    continue
                return

        list(threads.map(increase, range(80)))
        assert store.get("count") == b"80"


def test_no_verb_suspends(path: Path) -> None:
    store = AsyncSqliteStore(path, timeout=60)
    assert store.inline
    threads = threading.active_count()

    async def everything() -> list[ObjectInfo]:
        await store.put("a/b", b"bytes")
        await store.put("a/c", [b"a ", b"stream"])
        async with store.open_writer("a/d") as writer:
            await writer.write(b"x" * 2_000_000)
        with pytest.raises(LookupError):
            async with store.open_writer("a/e") as writer:
                await writer.write(b"x" * 2_000_000)
                raise LookupError
        async with store.open_reader("a/d") as reader:
            await reader.seek(1_999_999)
            assert await reader.read() == b"x"
        assert b"".join([chunk async for chunk in store.stream("a/d", start=5)]) == b"x" * 1_999_995
        assert await store.get("a/b") == b"bytes"
        assert await store.get_range("a/b", 1, 3) == b"yt"
        assert await store.get_ranges("a/b", [(0, 1), (3, None)]) == [b"b", b"es"]
        info = await store.head("a/b")
        await store.copy("a/b", "e", if_absent=True)
        await store.move("e", "f/g")
        await store.put("a/b", b"2", if_match=info.etag)
        assert await store.exists("f/g")
        await store.delete("f/g")
        assert await store.put_many({"m/1": b"1", "m/2": b"2"}) == 2
        many = [item async for item in store.get_many(["m/1", "m/2"])]
        assert many == [("m/1", b"1"), ("m/2", b"2")]
        assert await store.clear("m/") == 2
        level = await store.list_with_delimiter()
        assert (level.prefixes, level.objects) == (("a/",), ())
        infos = [info async for info in store.list()]
        await store.aclose()
        return infos

    assert [info.key for info in calls.drive(everything())] == ["a/b", "a/c", "a/d"]
    assert threading.active_count() <= threads  # an idle worker may have ended
    assert leftovers(path) == 0


def test_a_store_can_be_pickled(path: Path) -> None:
    with SqliteStore(path, durable=False, timeout=3) as store:
        store.put("key", b"value")
        with pickle.loads(pickle.dumps(store)) as twin:
            assert twin.get("key") == b"value"
            assert repr(twin) == repr(store) == f"SqliteStore({str(path)!r})"
