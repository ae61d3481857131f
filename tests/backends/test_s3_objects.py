"""The S3 store's verbs on real servers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._core.errors import (
    BulkError,
    ConfigError,
    InvalidKey,
    NotModified,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreNotFound,
)
from storage._core.info import Capability
from storage._core.protocol import SupportsPresign
from tests.backends.s3 import connected, own_corner
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket) as store:
        yield store


async def test_what_is_put_is_read(store: AsyncBucketStore) -> None:
    stored = await store.put("a/b c.txt", b"hello")
    assert await store.get("a/b c.txt") == b"hello"
    found = await store.head("a/b c.txt")
    assert (stored.key, stored.size, stored.etag) == (found.key, found.size, found.etag)
    assert found.modified is not None
    assert found.modified.tzinfo is not None
    assert await store.exists("a/b c.txt")
    [listed] = [info async for info in store.list()]
    assert (listed.key, listed.size, listed.etag) == (found.key, found.size, found.etag)
    assert [key async for key in store.keys()] == ["a/b c.txt"]


@pytest.mark.parametrize("data", [b"", bytearray(b"abc"), memoryview(b"xyz" * 400_000)])
async def test_any_buffer_is_stored(store: AsyncBucketStore, data: Any) -> None:
    await store.put("key", data)
    assert await store.get("key") == bytes(data)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (3, 5, b"34"),
        (7, 99, b"789"),
        (-3, None, b"789"),
        (-30, None, b"0123456789"),
        (4, 4, b""),
        (10, None, b""),
        (10, 20, b""),
        (99, 120, b""),
    ],
)
async def test_ranges_are_slices(
    store: AsyncBucketStore, start: int, end: int | None, expected: bytes
) -> None:
    await store.put("digits", b"0123456789")
    assert await store.get_range("digits", start, end) == expected
    assert b"".join([c async for c in store.stream("digits", start=start, end=end)]) == expected
    with pytest.raises(ObjectNotFound):
        await store.get_range("nothing", start, end)


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 5), (-5, None), (2, 2)])
async def test_ranges_of_an_empty_object(
    store: AsyncBucketStore, start: int, end: int | None
) -> None:
    await store.put("empty", b"")
    assert await store.get_range("empty", start, end) == b""


async def test_a_missing_key(store: AsyncBucketStore) -> None:
    for call in (store.get, store.head, store.delete):
        with pytest.raises(ObjectNotFound, match="'nothing'"):
            await call("nothing")
    with pytest.raises(ObjectNotFound):
        await store.copy("nothing", "other")
    assert not await store.exists("nothing")
    await store.delete("nothing", missing_ok=True)


async def test_a_missing_bucket_is_not_a_missing_key(s3_service: S3Service) -> None:
    async with connected(s3_service, f"missing-{secrets.token_hex(4)}") as store:
        for call in (store.get, store.head, store.delete, store.exists):
            with pytest.raises(StoreNotFound, match="there is no bucket"):
                await call("key")
        with pytest.raises(StoreNotFound, match="create=True"):
            await store.put("key", b"")
        with pytest.raises(StoreNotFound):
            await store.copy("key", "other")
        with pytest.raises(StoreNotFound):
            _ = [key async for key in store.keys()]
        with pytest.raises(StoreNotFound):
            await store.list_with_delimiter()
        with pytest.raises(BulkError) as caught:
            await store.delete_many(["a", "b"])
        assert [type(error) for error in caught.value.errors.values()] == [StoreNotFound] * 2


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_first_write_creates_the_bucket(s3_service: S3Service, streamed: bool) -> None:
    bucket = f"test-{secrets.token_hex(8)}"
    async with connected(s3_service, bucket, create=True) as store:
        with pytest.raises(StoreNotFound):  # reading creates nothing
            await store.get("key")
        data = [b"x" * 3_000_000] * 3 if streamed else b"data"
        await asyncio.gather(*(store.put(f"key-{n}", data) for n in range(3)))
        assert len([key async for key in store.keys()]) == 3
    buckets.remove_bucket(s3_service, bucket)


async def test_conditions_on_writes(store: AsyncBucketStore) -> None:
    first = await store.put("key", b"1", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.put("key", b"2", if_absent=True)
    second = await store.put("key", b"2", if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        await store.put("key", b"3", if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        await store.put("nothing", b"3", if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        await store.delete("key", if_match=first.etag)
    with pytest.raises(ObjectNotFound):
        await store.delete("nothing", if_match=first.etag)
    assert await store.get("key") == b"2"
    await store.delete("key", if_match=second.etag)
    assert not await store.exists("key")


async def test_conditions_on_reads(store: AsyncBucketStore) -> None:
    info = await store.put("key", b"data")
    other = "0" * 32
    assert await store.get("key", if_match=info.etag, if_none_match=other) == b"data"
    assert await store.get("key", if_match=f'"{info.etag}"') == b"data"  # as S3 writes it
    for options, error in (
        ({"if_match": other}, PreconditionFailed),
        ({"if_none_match": info.etag}, NotModified),
    ):
        with pytest.raises(error):
            await store.get("key", **options)
        with pytest.raises(error):
            _ = [chunk async for chunk in store.stream("key", start=2, end=2, **options)]
    with pytest.raises(PreconditionFailed):
        await store.get_range("key", 99, if_match=other)
    with pytest.raises(ObjectNotFound):
        await store.get("nothing", if_match=other)


PAIRS = {
    "plain": "value with = and ? and  two spaces",
    "empty": "",
    "spaces": "  around ",
    "non-ascii": "naïve — 😀",
    "controls": "tab\tand\nline",
    "encoded": "=?UTF-8?B?w6k=?=",
    "a.b_c-d": "x",
}


@pytest.mark.parametrize("pieces", [1, 9])
async def test_attributes_are_kept(store: AsyncBucketStore, pieces: int) -> None:
    data = [b"x" * 1_000_000] * pieces
    await store.put("key", data, content_type="text/x; charset=utf-8", metadata=PAIRS)
    await store.copy("key", "copy")
    for key in ("key", "copy"):
        info = await store.head(key)
        assert (info.content_type, info.metadata) == ("text/x; charset=utf-8", PAIRS)
    async with store.open_reader("copy") as reader:
        assert reader.info.metadata == PAIRS


async def test_no_attributes_are_none(store: AsyncBucketStore) -> None:
    await store.put("page.html", b"<html>")
    info = await store.head("page.html")
    assert (info.content_type, info.metadata) == (None, {})
    await store.put("page.html", b"<html>", if_match=info.etag)
    assert (await store.head("page.html")).metadata == {}  # the mark of the write is not shown


@pytest.mark.parametrize(
    "attributes",
    [
        {"metadata": {"Upper": "x"}},
        {"metadata": {"a b": "x"}},
        {"metadata": {"": "x"}},
        {"metadata": {"storage-write": "x"}},
        {"metadata": {"x": "\ud800"}},
        {"content_type": "text/x\r\nevil: 1"},
        {"content_type": ""},
    ],
)
async def test_attributes_that_no_header_can_carry(
    store: AsyncBucketStore, attributes: Any
) -> None:
    for data in (b"x", [b"x"]):
        with pytest.raises(ConfigError):
            await store.put("key", data, **attributes)
    assert not await store.exists("key")


async def test_copy(store: AsyncBucketStore) -> None:
    await store.put("a %+?é", b"source")
    copied = await store.copy("a %+?é", "b %+?é")
    found = await store.head("b %+?é")
    assert (copied.key, copied.size, copied.etag) == (found.key, found.size, found.etag)
    assert await store.get("b %+?é") == b"source"
    assert (await store.copy("b %+?é", "b %+?é")).etag == found.etag
    await store.move("b %+?é", "c")
    assert [key async for key in store.keys()] == ["a %+?é", "c"]


async def test_copy_if_absent(store: AsyncBucketStore) -> None:
    await store.put("a", b"source", content_type="text/x", metadata={"k": "v"})
    await store.put("b", b"target")
    if Capability.COPY_IF_ABSENT not in store.capabilities:
        with pytest.raises(NotSupported):
            await store.copy("a", "b", if_absent=True)
        return
    with pytest.raises(ObjectExists):
        await store.copy("a", "b", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.copy("a", "a", if_absent=True)
    assert await store.get("b") == b"target"
    await store.copy("a", "c", if_absent=True)
    info = await store.head("c")
    assert (info.content_type, info.metadata) == ("text/x", {"k": "v"})


async def test_presigned_urls(store: AsyncBucketStore) -> None:
    import aiohttp
    from yarl import URL

    assert isinstance(store, SupportsPresign)
    write, read = await store.presigned_put("ké y"), await store.presigned_get("ké y", 60)
    assert "X-Amz-Expires=3600" in write
    assert "X-Amz-Expires=60" in read
    async with aiohttp.ClientSession() as session:
        async with session.put(URL(write, encoded=True), data=b"data") as response:
            assert response.status == 200
        async with session.get(URL(read, encoded=True)) as response:
            assert await response.read() == b"data"
    assert await store.get("ké y") == b"data"


@pytest.mark.parametrize("expiry", [0, -1, 604_801, True, 1.5])
async def test_presigned_urls_are_bounded(store: AsyncBucketStore, expiry: Any) -> None:
    with pytest.raises(ConfigError):
        await store.presigned_get("key", expiry)
    with pytest.raises(InvalidKey):
        await store.presigned_put("")
