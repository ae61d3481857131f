"""What the verbs give, to the type checkers: nothing here runs, mypy and pyright read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, assert_type

from storage import open_async_store, open_store
from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore
from storage.object import (
    AsyncBaseStore,
    AsyncDictStore,
    BaseStore,
    ByteRange,
    DictStore,
    ListResult,
    ObjectInfo,
)
from storage.s3 import AsyncBucketStore
from storage.zip import AsyncZipStore


async def async_verbs(store: AsyncDictStore) -> None:
    assert_type(await store.get("k"), bytes)
    assert_type(await store.get_with_info("k"), tuple[bytes, ObjectInfo])
    assert_type(await store.get_range("k", -5), bytes)
    assert_type(await store.get_ranges("k", [(0, 1), ByteRange(-5)]), Sequence[bytes])
    assert_type(await store.head("k"), ObjectInfo)
    assert_type(await store.exists("k"), bool)
    assert_type(await store.put("k", b"v", if_absent=True), ObjectInfo)
    assert_type(await store.copy("k", "l"), ObjectInfo)
    assert_type(await store.move("k", "l"), ObjectInfo)
    assert_type(store.stream("k"), AsyncIterator[bytes])
    assert_type(store.keys("prefix"), AsyncIterator[str])
    assert_type(store.list(), AsyncIterator[ObjectInfo])
    assert_type(await store.list_with_delimiter(), ListResult)
    assert_type(store.get_many(["k"]), AsyncIterator[tuple[str, bytes]])
    assert_type(await store.put_many({"k": b"v"}), int)
    assert_type(await store.delete_many(["k"]), int)
    assert_type(await store.clear(), int)


async def async_files(store: AsyncDictStore) -> None:
    async with store.open_reader("k") as reader:
        assert_type(await reader.read(10), bytes)
        assert_type(reader.info, ObjectInfo)
        async for chunk in reader:
            assert_type(chunk, bytes)
    async with store.open_writer("k") as writer:
        assert_type(await writer.write(b"v"), int)
    async with store as entered:
        assert_type(entered, AsyncDictStore)


def blocking_verbs(store: DictStore) -> None:
    assert_type(store.get("k"), bytes)
    assert_type(store.get_with_info("k"), tuple[bytes, ObjectInfo])
    assert_type(store.get_range("k", -5), bytes)
    assert_type(store.get_ranges("k", [(0, 1), ByteRange(-5)]), Sequence[bytes])
    assert_type(store.head("k"), ObjectInfo)
    assert_type(store.exists("k"), bool)
    assert_type(store.put("k", b"v", if_absent=True), ObjectInfo)
    assert_type(store.copy("k", "l"), ObjectInfo)
    assert_type(store.move("k", "l"), ObjectInfo)
    assert_type(store.stream("k"), Iterator[bytes])
    assert_type(store.keys("prefix"), Iterator[str])
    assert_type(store.list(), Iterator[ObjectInfo])
    assert_type(store.list_with_delimiter(), ListResult)
    assert_type(store.get_many(["k"]), Iterator[tuple[str, bytes]])
    assert_type(store.put_many({"k": b"v"}), int)
    assert_type(store.delete_many(["k"]), int)
    assert_type(store.clear(), int)


def blocking_files(store: DictStore) -> None:
    with store.open_reader("k") as reader:
        assert_type(reader.info, ObjectInfo)
        _: io.RawIOBase = reader
    with store.open_writer("k") as writer:
        writer.write(b"v")
    with store as entered:
        assert_type(entered, DictStore)


async def whatever_can_be_put(
    store: AsyncDictStore, file: io.BytesIO, pieces: AsyncIterator[bytes], path: Path
) -> None:
    for data in (b"v", bytearray(b"v"), memoryview(b"v"), [b"a", b"b"], file):
        await store.put("k", data)
    await store.put("k", pieces)
    with path.open("rb") as stream:
        await store.put("k", stream)
    async with store.open_reader("k") as reader:
        await store.put("l", reader)


async def text_is_no_value(store: AsyncDictStore, blocking: DictStore) -> None:
    await store.put("k", "text")  # type: ignore[arg-type]
    blocking.put("k", "text")  # type: ignore[arg-type]
    await store.put("k", 1)  # type: ignore[arg-type]
    await store.put(b"k", b"v")  # type: ignore[arg-type]


async def options_have_names(store: AsyncDictStore, blocking: DictStore) -> None:
    await store.put("k", b"v", True)  # type: ignore[call-arg]
    blocking.put("k", b"v", if_none="x")  # type: ignore[call-arg]
    await blocking.get("k")  # type: ignore[misc]


def urls() -> None:
    assert_type(open_store("memory://"), BaseStore)
    assert_type(open_async_store(Path("folder")), AsyncBaseStore)
    open_store(b"folder")  # type: ignore[arg-type]


class AsyncOwnStore(AsyncDictStore):
    """A subclass narrows what it must, and stays a store."""

    async def head(self, key: str) -> ObjectInfo:
        return await super().head(key)


class OwnStore(DictStore):
    """The same, of the blocking twin."""

    def get(self, key: str, **conditions: Any) -> bytes:
        return super().get(key, **conditions)


async def stores_are_made_from_what_they_keep(path: Path) -> None:
    AsyncDictStore({"k": b"v"})
    AsyncFilesystemStore(path, durable=False)
    AsyncSqliteStore("objects.sqlite", timeout=1)
    AsyncZipStore(path, compression="store")
    async with AsyncBucketStore.connect("bucket", region_name="eu-west-1") as bucket:
        assert_type(bucket, AsyncBucketStore)
        assert_type(await bucket.presigned_get("k", 60), str)
    AsyncDictStore({"k": "text"})  # type: ignore[dict-item]
    AsyncFilesystemStore()  # type: ignore[call-arg]
    AsyncZipStore(path, compression="rar")  # type: ignore[arg-type]
