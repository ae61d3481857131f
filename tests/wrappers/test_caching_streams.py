"""Streams through a cache: kept as they pass, if all of them has passed, and in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage._async.pieces import Body
from storage._core.errors import CorruptStore, PreconditionFailed, StoreUnavailable
from storage._core.info import Capability, ObjectInfo, ReadOptions
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from tests.origins import Origin, Plainer
from tests.stores import FlakyStore, ForeignStore

DATA = bytes(range(256)) * 5000


async def read_all(store: AsyncCachingStore, key: str = "a") -> bytes:
    return b"".join([piece async for piece in store.stream(key)])


async def test_what_was_streamed_once_is_there() -> None:
    main = Origin({"a": DATA, "empty": b""})
    store = AsyncCachingStore(main, AsyncDictStore(), plain=False)
    for _ in range(2):
        assert await read_all(store) == DATA
        assert await read_all(store, "empty") == b""
    assert (await store.get("a"), await store.get("empty")) == (DATA, b"")
    assert (main.opens, main.gets) == (2, 0)
    async with store.open_reader("a") as reader:
        assert reader.info == await AsyncDictStore.head(main, "a")
        assert await reader.read(5) == DATA[:5]
        await reader.seek(1_000_000)
        assert await reader.read() == DATA[1_000_000:]
    assert (main.opens, main.gets) == (2, 0)


async def test_exactly_all_of_it_is_enough() -> None:
    main, cache = Origin({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    async with store.open_reader("a") as reader:
        assert await reader.read(len(DATA)) == DATA
    assert "a" in cache.objects


async def test_what_was_not_read_to_its_end_is_not_kept() -> None:
    main, cache = Origin({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    async with store.open_reader("a") as reader:
        await reader.read(len(DATA) - 100_000)
    async for _ in store.stream("a"):
        break
    with pytest.raises(ZeroDivisionError):
        async with store.open_reader("a") as reader:
            await reader.read(10)
            raise ZeroDivisionError
    async for _ in store.stream("a", start=0, end=10):
        pass
    async with store.open_reader("a") as reader:
        await reader.seek(10)
        await reader.read()
    assert cache.objects == {}


async def test_a_stream_that_breaks_off_is_not_kept() -> None:
    main, cache = Origin({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    with pytest.raises(StoreUnavailable):
        async for _ in store.stream("a"):
            main.failure = StoreUnavailable("gone away")
    assert cache.objects == {}


async def test_a_stream_of_another_length_than_was_said_is_not_kept() -> None:
    class Lying(Origin):
        @asynccontextmanager
        async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
            async with super()._open(key, options) as body:
                yield Body(ObjectInfo(key, 5, body.info.etag), body.chunks)

    cache = AsyncDictStore()
    await read_all(AsyncCachingStore(Lying({"a": DATA}), cache, plain=False))
    assert cache.objects == {}


async def test_a_stream_that_a_write_overtakes_is_not_kept() -> None:
    main, cache = Origin({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False, write="invalidate")
    parts: list[bytes] = []
    async for piece in store.stream("a"):
        if not parts:
            await store.put("a", b"new")
        parts.append(piece)
    assert b"".join(parts) == DATA
    assert await store.get("a") == b"new"


async def test_a_cancelled_stream_leaves_nothing(tmp_path: Path) -> None:
    main = Origin({"a": DATA})
    cache = AsyncFilesystemStore(tmp_path / "cache", durable=False)
    store = AsyncCachingStore(main, cache, plain=False)
    reached = asyncio.Event()

    async def read() -> None:
        async with store.open_reader("a") as reader:
            await reader.read(10)
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert await read_all(store) == DATA


@pytest.mark.parametrize("verb", ["put", "delete", "get"])
async def test_a_cache_that_fails_midway_is_gone_around(verb: str) -> None:
    main, cache = Origin({"a": DATA}), FlakyStore()
    cache.failing = {verb}
    store = AsyncCachingStore(main, cache, plain=False)
    for _ in range(3):
        assert await read_all(store) == DATA
        await store.put("a", iter([DATA, b"1"]))
        assert await read_all(store) == DATA + b"1"
        await store.put("a", iter([DATA]))


async def test_writers_fill_the_cache_as_they_go() -> None:
    main, cache = Origin(), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    info = await store.put("a", iter([DATA[:1000], DATA[1000:]]), content_type="text/x")
    assert await store.get_with_info("a") == (DATA, info)
    assert info.content_type == "text/x"
    with pytest.raises(ZeroDivisionError):
        async with store.open_writer("a") as writer:
            await writer.write(b"half")
            raise ZeroDivisionError
    assert await store.get("a") == DATA
    with pytest.raises(PreconditionFailed):
        await store.put("a", iter([b"other"]), if_match="wrong")
    assert await store.get("a") == DATA


@pytest.mark.parametrize("main_kind", [Origin, Plainer])
async def test_an_entry_that_spoils_while_it_is_read(main_kind: type[Origin]) -> None:
    """The main store goes on with the same version, or the reader is told to read again."""
    main, cache = main_kind({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    await read_all(store)
    entry = bytearray(cache.objects["a"])
    entry[800_000] ^= 1
    cache.objects["a"] = bytes(entry)
    if main_kind is Origin:
        assert await read_all(store) == DATA
        cache.objects["a"] = bytes(entry)
        await AsyncDictStore.put(main, "a", b"another")
        with pytest.raises(PreconditionFailed):
            await read_all(store)
    else:
        with pytest.raises(CorruptStore):
            await read_all(store)
        assert await read_all(store) == DATA


async def test_an_entry_that_is_replaced_while_it_is_read() -> None:
    """Another process may do so at any time; nobody gets a mixture, and nobody is blamed."""
    main, cache = Origin({"a": DATA}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    other = AsyncCachingStore(main, cache, revalidate="always")
    await read_all(store)
    find = store._shelf._seal

    async def find_and_wait(key: str) -> Any:
        seal = await find(key)
        store._shelf._seal = find  # type: ignore[method-assign]
        await other.put("a", DATA[::-1])
        return seal

    store._shelf._seal = find_and_wait  # type: ignore[method-assign]
    assert await store.get_range("a", 10, 300_000) == DATA[::-1][10:300_000]
    assert (store.stats.corrupt, await other.get("a")) == (0, DATA[::-1])
    assert other.stats.hits == 1


async def test_memory_stays_bounded(tmp_path: Path) -> None:
    """Through files, both ways: 32 MiB pass, and a fraction of that is ever held."""
    size, piece = 32 * 1024 * 1024, b"x" * 262_144
    main = AsyncFilesystemStore(tmp_path / "main", durable=False)
    cache = AsyncFilesystemStore(tmp_path / "cache", durable=False)
    store = AsyncCachingStore(main, cache, plain=False)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    async def digest() -> str:
        found = hashlib.sha256()
        async for part in store.stream("a"):
            found.update(part)
        return found.hexdigest()

    tracemalloc.start()
    try:
        await store.put("a", pieces())
        digests = {await digest()}
        await store.clear()
        digests |= {await digest(), await digest()}
        assert tracemalloc.get_traced_memory()[1] < size // 4
    finally:
        tracemalloc.stop()
    assert digests == {hashlib.sha256(b"x" * size).hexdigest()}
    assert store.stats.hits == 2


async def test_a_cache_without_streams_gets_no_large_ones() -> None:
    main, cache = Origin({"a": DATA, "small": b"1"}), ForeignStore()
    assert Capability.STREAMS not in AsyncCachingStore(main, cache)._shelf.cache.capabilities
    store = AsyncCachingStore(main, cache, plain=False)
    assert await read_all(store) == DATA
    assert await read_all(store, "small") == b"1"
    assert set(cache.objects) == {"small"}
