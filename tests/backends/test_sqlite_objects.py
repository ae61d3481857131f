"""The SQLite store: keys, values, conditions, listings."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage._async.backends.db import listing, objects
from storage._async.backends.db.objects import CHUNK
from storage._async.hooks import AsyncStoreHooks
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    BulkError,
    Capability,
    CorruptStore,
    InvalidKey,
    NotModified,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
)
from tests.backends.sqlite import change, leftovers, query, started

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    async with AsyncSqliteStore(path, durable=False) as store:
        await store.put("first", b"")
        yield store


def value(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return b"".join(i.to_bytes(8) for i in range(size // 8 + 1))[:size]


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [None, 1000, CHUNK, 5 * CHUNK])
async def test_every_size_comes_back(
    store: AsyncSqliteStore, path: Path, size: int, piece: int | None
) -> None:
    data = value(size)
    info = await store.put("key", data if piece is None else pieces(data, piece))
    assert (info.key, info.size) == ("key", size)
    assert await store.get("key") == data
    assert await store.head("key") == info
    assert b"".join([chunk async for chunk in store.stream("key")]) == data
    assert leftovers(path) == 0


@pytest.mark.parametrize("size", SIZES)
async def test_every_range_comes_back(store: AsyncSqliteStore, size: int) -> None:
    data = value(size)
    await store.put("key", data)
    edges = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, size - 1, size, size + 1}
    for start in sorted(edge for edge in edges if edge >= 0):
        assert await store.get_range("key", start) == data[start:]
        assert await store.get_range("key", -start or size) == data[-start or size :]
        for end in sorted(edge for edge in edges if edge >= start):
            assert await store.get_range("key", start, end) == data[start:end]
            parts = [part async for part in store.stream("key", start=start, end=end)]
            assert b"".join(parts) == data[start:end]


async def test_a_range_reads_only_its_chunks(store: AsyncSqliteStore, path: Path) -> None:
    await store.put("key", value(8 * CHUNK))
    # A chunk that is missing is seen only by those who read it.
    change(path, "DELETE FROM chunks WHERE seq = 3")
    assert await store.get_range("key", 4 * CHUNK, 4 * CHUNK + 9)
    for start, end in [(0, None), (3 * CHUNK, 3 * CHUNK + 1), (3 * CHUNK - 5, 4 * CHUNK + 5)]:
        with pytest.raises(CorruptStore):
            await store.get_range("key", start, end)
    with pytest.raises(CorruptStore):
        async for _ in store.stream("key"):
            pass


async def test_attributes_and_etags(store: AsyncSqliteStore) -> None:
    assert store.capabilities == ~Capability.NONE
    first = await store.put("key", b"1", content_type="a/b", metadata={"ü": "\ud800 \0 é"})
    assert (first.content_type, first.metadata) == ("a/b", {"ü": "\ud800 \0 é"})
    assert await store.head("key") == first
    etags = {first.etag}
    for _ in range(50):
        etags.add((await store.put("key", b"1")).etag)
    assert len(etags) == 51
    assert (await store.head("key")).metadata == {}


async def test_conditions(store: AsyncSqliteStore) -> None:
    first = await store.put("key", b"1", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.put("key", b"2", if_absent=True)
    with pytest.raises(PreconditionFailed):
        await store.put("key", b"2", if_match="other")
    second = await store.put("key", b"2", if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        await store.put("none", b"2", if_match=first.etag)
    for stale in (pieces(b"3", 1), pieces(value(2 * CHUNK), 999)):
        with pytest.raises(PreconditionFailed):
            await store.put("key", stale, if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        await store.get("key", if_match=first.etag)
    with pytest.raises(NotModified):
        await store.get("key", if_none_match=second.etag)
    assert await store.get("key", if_match=second.etag, if_none_match=first.etag) == b"2"
    with pytest.raises(PreconditionFailed):
        await store.delete("key", if_match=first.etag)
    with pytest.raises(ObjectExists):
        await store.copy("key", "first", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.move("key", "first", if_absent=True)
    await store.delete("key", if_match=second.etag)
    with pytest.raises(ObjectNotFound):
        await store.delete("key")
    await store.delete("key", missing_ok=True)


@pytest.mark.parametrize("size", [10, 2 * CHUNK, objects.COPY_AT_ONCE + 1])
async def test_copy_and_move(store: AsyncSqliteStore, path: Path, size: int) -> None:
    data = value(size)
    source = await store.put("a", data, content_type="t/t", metadata={"m": "n"})
    await store.put("b", b"old")
    copy = await store.copy("a", "b")
    assert (copy.size, copy.content_type, copy.metadata) == (size, "t/t", {"m": "n"})
    assert copy.etag != source.etag
    moved = await store.move("b", "c")
    assert await store.get("a") == await store.get("c") == data
    assert await store.head("c") == moved
    assert not await store.exists("b")
    assert await store.copy("a", "a") == source == await store.move("a", "a")
    for verb in (store.copy, store.move):
        with pytest.raises(ObjectNotFound):
            await verb("nothing", "a")
    await store.clear()
    assert query(path, "SELECT count(*) FROM chunks") == [(0,)]


async def test_the_reader_of_a_replaced_object_gets_no_mixture(store: AsyncSqliteStore) -> None:
    for verb in ("put", "delete"):
        await store.put("key", value(4 * CHUNK))
        stream = store.stream("key")
        assert len(await anext(stream)) == CHUNK
        if verb == "put":
            await store.put("key", bytes(4 * CHUNK))
        else:
            await store.delete("key")
        with pytest.raises(PreconditionFailed):
            await anext(stream)


async def test_a_slow_reader_holds_nothing_back(store: AsyncSqliteStore, path: Path) -> None:
    await store.put("key", value(4 * CHUNK))
    stream = store.stream("key")
    await anext(stream)
    for _ in range(40):
        await store.put("other", bytes(CHUNK))
    # The log was put into the file again and again while the stream stood still.
    assert path.with_name("x.sqlite-wal").stat().st_size < 20 * CHUNK
    assert len(b"".join([chunk async for chunk in stream])) == 3 * CHUNK


async def test_a_slow_source_holds_nobody_up(store: AsyncSqliteStore, path: Path) -> None:
    go_on = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield bytes(3 * CHUNK)
        await go_on.wait()
        yield b"end"

    upload = asyncio.create_task(store.put("slow", source()))
    while not leftovers(path):
        await asyncio.sleep(0.01)
    for i in range(20):
        await asyncio.wait_for(store.put(f"fast-{i}", b"x"), 1)
    assert not await store.exists("slow")
    assert "slow" not in [key async for key in store.keys()]
    go_on.set()
    assert (await upload).size == 3 * CHUNK + 3


async def test_listing_in_pages(store: AsyncSqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"k/{i:04}" for i in range(2 * listing.PAGE)} | {"first"}
    await store.put_many((name, b"x") for name in names)
    assert [key async for key in store.keys()] == sorted(names)
    assert [info.key async for info in store.list("k/")] == sorted(names - {"first"})
    after = [key async for key in store.keys(start_after="k/1499")]
    assert after == sorted(name for name in names if name > "k/1499")
    # What is deleted or put meanwhile neither ends a listing nor doubles anything.
    seen = []
    async for key in store.keys():
        seen.append(key)
        await store.delete(key)
    assert seen == sorted(names)


async def test_one_level_of_many_keys(store: AsyncSqliteStore) -> None:
    """What lies deep below is passed over, not read."""
    deep = [f"a/{i:05}" for i in range(3 * listing.PAGE)]
    keys = [
        *deep,
        "a!",
        "a0",
        "b",
        "b/",
        "b//",
        "b/c",
        "c/\U0010ffff",
        "c/\U0010ffff\U0010ffff/x",
        "é/",
    ]
    await store.put_many((key, b"") for key in keys)
    read: list[str] = []

    def watch(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(read.append)

    await store._database.read(watch)
    level = await store.list_with_delimiter()
    assert level.prefixes == ("a/", "b/", "c/", "é/")
    assert [info.key for info in level.objects] == ["a!", "a0", "b", "first"]
    assert len(read) == 2
    for prefix in ("", "a", "a/", "a/0", "b", "b/", "c/", "none"):
        for delimiter in ("/", "0", "00", "//", "\U0010ffff", "x"):
            level = await store.list_with_delimiter(prefix, delimiter)
            assert level == await AsyncStoreHooks._list_with_delimiter(store, prefix, delimiter)


KEYS = [
    "%", "%%", "%a", "_", "__", "_a", "A", "a", "a%", "a_", "a/", "a/b", "a//b", "ab", "\\", "'",
    '"', "é", "e\u0301", "../x", " ", "\n", "\x7f", "\u0080", "\ud7ff", "\ue000", "\uffff",
    "\U00010000", "\U0010ffff", "\U0010ffff\U0010ffff", "\U0010ffffa", "a\U0010ffff",
    "a\U0010ffffz", "b",
]  # fmt: skip


async def test_any_key_and_any_prefix(store: AsyncSqliteStore) -> None:
    await store.delete("first")
    for key in KEYS:
        await store.put(key, key.encode())
    order = sorted(KEYS, key=str.encode)
    assert [key async for key in store.keys()] == order
    for prefix in [*KEYS, "", "\ud800", "\udfff", "a\udfff", "\0", "zz"]:
        expected = [key for key in order if key.startswith(prefix)]
        assert [key async for key in store.keys(prefix)] == expected
        later = [key for key in order if key > prefix]
        assert [key async for key in store.keys(start_after=prefix)] == later
    for key in KEYS:
        assert await store.get(key) == key.encode()
    with pytest.raises(InvalidKey):
        await store.put("\ud800", b"")


async def test_delete_many(store: AsyncSqliteStore, path: Path) -> None:
    await store.put_many((f"k{i}", b"x" * 10) for i in range(700))
    assert await store.delete_many([f"k{i}" for i in range(600)] + ["missing"]) == 601
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["k600", "missing", "", "k601"], missing_ok=False)
    assert {name: type(error) for name, error in caught.value.errors.items()} == {
        "missing": ObjectNotFound,
        "": InvalidKey,
    }
    assert await store.clear("k") == 98
    assert query(path, "SELECT count(*) FROM chunks") == [(1,)]


async def test_a_large_stream_takes_little_memory(tmp_path: Path) -> None:
    code = """
        import asyncio, resource, sys
        from storage.aiodb import AsyncSqliteStore
        from storage.db import SqliteStore

        def pieces():
            for i in range(256):
                yield bytes([i]) * 262144

        async def main():
            async with AsyncSqliteStore(sys.argv[1]) as store:
                await store.put("small", b"x")
                await store.put("key", iter([b"y" * 262144] * 4))
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                await store.put("key", pieces())
                size = 0
                async for chunk in store.stream("key"):
                    size += len(chunk)
                print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

        asyncio.run(main())
        with SqliteStore(sys.argv[1]) as store:
            store.put("key", pieces())
            size = sum(len(chunk) for chunk in store.stream("key"))
            print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    with started(code, tmp_path / "x.sqlite") as process:
        output = process.communicate(timeout=60)[0].split()
    assert output[0] == output[2] == str(64 * 1024 * 1024)
    assert int(output[1]) < 16 * 1024  # KiB


# -- one winner ------------------------------------------------------------------------------


async def contend(store: AsyncSqliteStore, etag: str | None) -> list[type[BaseException] | None]:
    async def write(i: int) -> type[BaseException] | None:
        data = bytes([i]) * (2 * CHUNK if i % 2 else 10)
        try:
            await store.put(
                "key", pieces(data, CHUNK) if i % 2 else data, if_absent=not etag, if_match=etag
            )
        except (ObjectExists, PreconditionFailed) as error:
            return type(error)
        return None

    return await asyncio.gather(*(write(i) for i in range(24)))


async def test_one_of_many_tasks_wins(store: AsyncSqliteStore, path: Path) -> None:
    outcomes = await contend(store, None)
    assert (outcomes.count(None), outcomes.count(ObjectExists)) == (1, 23)
    outcomes = await contend(store, (await store.head("key")).etag)
    assert (outcomes.count(None), outcomes.count(PreconditionFailed)) == (1, 23)
    assert leftovers(path) == 0


def test_one_of_many_threads_wins(path: Path) -> None:
    barrier = threading.Barrier(24)
    with SqliteStore(path) as store, ThreadPoolExecutor(24) as threads:

        def write(i: int) -> bool:
            barrier.wait()
            try:
                store.put("key", b"%d" % i, if_absent=True)
            except ObjectExists:
                return False
            return True

        winners = [i for i, won in enumerate(threads.map(write, range(24))) if won]
        assert len(winners) == 1
        assert store.get("key") == b"%d" % winners[0]


def test_one_of_many_processes_wins(path: Path) -> None:
    code = """
        import sys
        from storage.db import SqliteStore
        from storage.object import ObjectExists
        store = SqliteStore(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        for i in range(20):
            try:
                store.put(f"key-{i}", sys.argv[2].encode(), if_absent=True)
                print(i, flush=True)
            except ObjectExists:
                pass
        store.close()
        print("end", flush=True)
    """

    def lines(process: subprocess.Popen[str]) -> Iterator[str]:
        assert process.stdout is not None
        return iter(process.stdout.readline, "end\n")

    with ExitStack() as stack:
        processes = [stack.enter_context(started(code, path, i)) for i in range(8)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        wins = [line for process in processes for line in lines(process)]
    assert sorted(map(int, wins)) == list(range(20))


def test_a_version_is_never_used_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, and yet the reader of a deleted version never gets another's."""
    monkeypatch.setattr(objects, "time_ns", lambda: 1_000)
    with SqliteStore(path) as store:
        etags = [store.put("key", b"x").etag for _ in range(5)]
        assert len(set(etags)) == 5
