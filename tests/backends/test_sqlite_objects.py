"""The SQLite store: values, conditions, streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage._async.backends.db import objects
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore
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
from tests.backends.sqlite import change, leftovers, pieces, query, started, value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    async with AsyncSqliteStore(path, durable=False) as store:
        await store.put("first", b"")
        yield store


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17]


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
    for _ in range(100):
        await store.put("other", bytes(CHUNK))
    # The log was put into the file again and again while the stream stood still.
    assert path.with_name("x.sqlite-wal").stat().st_size < 50 * CHUNK
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
