"""Streams, uploads in parts, races and cancellations of the S3 store on real servers."""

from __future__ import annotations

import asyncio
import hashlib
import random
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, copying, endings, multipart
from storage._core.errors import (
    IntegrityError,
    ObjectExists,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
)
from storage._core.info import ObjectInfo
from tests.backends.s3 import MIB, connected, own_corner, uploads
from tests.faults import fault
from tests.faults.proxy import Exchange, FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket, part_size=5 * MIB) as store:
        yield store


def pieces(size: int, piece: int = 700_001) -> list[bytes]:
    """Bytes that differ from place to place."""
    data = random.Random(size).randbytes(size)
    return [data[start : start + piece] for start in range(0, size, piece)]


async def slowly(chunks: list[bytes], pause: float = 0.005) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 17 * MIB])
async def test_streams_of_any_length(store: AsyncBucketStore, size: int) -> None:
    chunks = pieces(size)
    info = await store.put("key", slowly(chunks, 0), if_absent=True)
    assert (await store.head("key")).etag == info.etag
    assert info.size == size
    assert await store.get("key") == b"".join(chunks)
    parts = 0 if size <= 5 * MIB else -(-size // (5 * MIB))
    assert (info.etag or "").partition("-")[2] == (str(parts) if parts else "")


async def test_a_large_buffer_goes_in_parts(
    store: AsyncBucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage._async.backends.s3.hooks.LARGE_PUT", 6 * MIB)
    data = b"".join(pieces(7 * MIB))
    info = await store.put("key", data)
    assert (info.etag or "").endswith("-2")
    assert await store.get("key") == data


def test_parts_grow_so_that_ten_thousand_are_enough() -> None:
    sizes = [multipart.part_size(8 * MIB, number) for number in range(1, 10_001)]
    assert sum(sizes) >= 5 * 1024**4
    assert max(sizes) < 5 * 1024**3
    assert sizes[:1000] == [8 * MIB] * 1000


async def test_conditions_on_streams(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    # Moto takes no notice of if_match at the end of an upload.
    async with own_corner(seaweedfs, shared_bucket, part_size=5 * MIB) as store:
        first = await store.put("key", pieces(6 * MIB), if_absent=True)
        with pytest.raises(ObjectExists):
            await store.put("key", pieces(7 * MIB), if_absent=True)
        second = await store.put("key", pieces(8 * MIB), if_match=first.etag)
        with pytest.raises(PreconditionFailed):
            await store.put("key", pieces(9 * MIB), if_match=first.etag)
        assert (await store.head("key")).size == second.size == 8 * MIB
        assert uploads(seaweedfs, store.bucket_name) == []


@pytest.mark.parametrize("size", [10, 6 * MIB])
async def test_of_many_writers_one_wins(
    seaweedfs: S3Service,
    shared_bucket: NewBucket,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of uploads completed at the same moment SeaweedFS and moto accept more than one: they look
    # first and write then. So the parts race here, and the completions follow each other.
    turn, complete = asyncio.Lock(), multipart.Upload.complete

    async def in_turn(upload: multipart.Upload, **conditions: Any) -> Mapping[str, Any]:
        async with turn:
            return await complete(upload, **conditions)

    monkeypatch.setattr(multipart.Upload, "complete", in_turn)
    async with own_corner(seaweedfs, shared_bucket, part_size=5 * MIB) as store:

        async def put(number: int) -> ObjectInfo | StoreError:
            data = bytes([number]) * size
            try:
                if number % 2:
                    return await store.put("key", data, if_absent=True)
                return await store.put("key", iter([data]), if_absent=True)
            except ObjectExists as error:
                return error

        outcomes = await asyncio.gather(*map(put, range(24 if size < MIB else 4)))
        winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ObjectInfo)]
        assert len(winners) == 1
        assert await store.get("key") == bytes(winners) * size
        assert uploads(seaweedfs, store.bucket_name) == []


async def test_of_many_swaps_one_wins(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store:
        first = await store.put("key", b"first")

        async def swap(number: int) -> bool:
            try:
                await store.put("key", bytes([number]), if_match=first.etag)
            except PreconditionFailed:
                return False
            return True

        assert sum(await asyncio.gather(*map(swap, range(12)))) == 1


async def test_what_fails_leaves_nothing(s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(s3_service)

    async def broken() -> AsyncIterator[bytes]:
        for chunk in pieces(12 * MIB):
            yield chunk
        raise ZeroDivisionError

    async with connected(s3_service, bucket, part_size=5 * MIB) as store:
        with pytest.raises(ZeroDivisionError):
            await store.put("key", broken())
        with pytest.raises(ZeroDivisionError):
            async with store.open_writer("key") as writer:
                await writer.write(b"x" * 11 * MIB)
                raise ZeroDivisionError
        async with store.open_writer("key") as writer:
            await writer.write(b"x" * 11 * MIB)
            await writer.abort()
        assert [key async for key in store.keys()] == []
    assert uploads(s3_service, bucket) == []


async def test_a_writer_that_nobody_closes_is_taken_back(
    seaweedfs: S3Service, new_bucket: NewBucket
) -> None:
    bucket = new_bucket(seaweedfs)
    async with connected(seaweedfs, bucket, part_size=5 * MIB) as store:
        writer = store.open_writer("key")
        await writer.__aenter__()
        await writer.write(b"x" * 11 * MIB)
        del writer
        for _ in range(100):
            if not uploads(seaweedfs, bucket):
                break
            await asyncio.sleep(0.05)
    assert uploads(seaweedfs, bucket) == []


@pytest.mark.parametrize("mime", [None, "text/x"])
async def test_copy_in_parts(
    store: AsyncBucketStore, mime: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "LIMIT", 6 * MIB)
    monkeypatch.setattr(copying, "PART_SIZE", 5 * MIB)
    chunks = pieces(17 * MIB)
    await store.put("source", iter(chunks), content_type=mime, metadata={"a": "é"})
    info = await store.copy("source", "target")
    assert (info.etag or "").endswith("-4")
    assert await store.get("target") == b"".join(chunks)
    found = await store.head("target")
    assert (found.content_type, found.metadata) == (mime, {"a": "é"})


# -- cancelling -------------------------------------------------------------------------------


async def test_cancelled_uploads_leave_nothing(seaweedfs: S3Service, new_bucket: NewBucket) -> None:
    bucket, chance = new_bucket(seaweedfs), random.Random(7)
    old = b"old" * 1000
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when("PUT", fault.late(0.03), times=-1)
        between.when("POST", fault.late(0.03), times=-1)
        async with connected(
            seaweedfs, bucket, part_size=5 * MIB, endpoint_url=between.url
        ) as store:
            await store.put("key", old)
            for _ in range(25):
                task = asyncio.create_task(store.put("key", slowly(pieces(11 * MIB, MIB))))
                await asyncio.sleep(chance.uniform(0, 0.45))
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    data = await store.get("key")
                    assert len(data) in (len(old), 11 * MIB)  # the old one or the new, whole
                if chance.random() < 0.5:
                    await store.put("key", old)
            assert len(between.sent("POST", "?uploads")) > 10  # most came that far
    assert uploads(seaweedfs, bucket) == []
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("method", "target"), [("POST", "?uploads"), ("PUT", "partNumber=1"), ("POST", "?uploadId=")]
)
async def test_an_upload_is_taken_back_wherever_it_is_cancelled(
    seaweedfs: S3Service, new_bucket: NewBucket, method: str, target: str
) -> None:
    bucket = new_bucket(seaweedfs)
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when(method, fault.late(0.5), target=target)
        async with connected(
            seaweedfs, bucket, part_size=5 * MIB, endpoint_url=between.url
        ) as store:
            task = asyncio.create_task(store.put("key", pieces(6 * MIB)))
            await between.reached(method, target)
            task.cancel()
            await asyncio.sleep(0.01)
            task.cancel()  # impatience changes nothing
            with pytest.raises(asyncio.CancelledError):
                await task
    assert uploads(seaweedfs, bucket) == []


async def test_taking_back_is_bounded_in_time(
    seaweedfs: S3Service, new_bucket: NewBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "GRACE", 0.2)
    bucket = new_bucket(seaweedfs)
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when("DELETE", fault.hang, times=-1)
        async with connected(
            seaweedfs, bucket, part_size=5 * MIB, endpoint_url=between.url
        ) as store:
            task = asyncio.create_task(store.put("key", slowly(pieces(30 * MIB, MIB), 0.05)))
            await between.reached("PUT")
            task.cancel()
            async with asyncio.timeout(2):
                with pytest.raises(asyncio.CancelledError):
                    await task


async def test_the_deadline_takes_back_too(seaweedfs: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(seaweedfs)
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when("PUT", fault.hang, target="partNumber=2", times=-1)
        async with connected(
            seaweedfs, bucket, part_size=5 * MIB, endpoint_url=between.url, timeout=2
        ) as store:
            with pytest.raises(StoreTimeout, match="put 'key'"):
                await store.put("key", pieces(11 * MIB))
            assert not await store.exists("key")
    assert uploads(seaweedfs, bucket) == []


async def test_what_is_stored_is_what_was_sent(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    # The server compares the checksums: a body that was changed on its way is refused.
    async def damage(exchange: Exchange) -> None:
        head, _, body = exchange.request.raw.partition(b"\r\n\r\n")
        exchange.request.raw = head + b"\r\n\r\n" + bytes([body[0] ^ 1]) + body[1:]
        await fault.passed(exchange)

    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when("PUT", damage, times=2)
        async with own_corner(seaweedfs, shared_bucket, endpoint_url=between.url) as store:
            with pytest.raises(IntegrityError):  # sent again once
                await store.put("key", b"data")
            assert not await store.exists("key")
            between.when("PUT", damage)
            assert not any(request.headers.get("expect") for request in between.requests)
            info = await store.put("key", b"data")
            assert info.etag == hashlib.md5(b"data").hexdigest()
            assert info.checksum == f"crc32:{zlib.crc32(b'data'):08x}"
