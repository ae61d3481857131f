"""Uploads from files, bytes and streams: parallel, resumed, cancelled, cleared away."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, uploads
from storage._async.backends.s3.flights import Budget, Flights
from storage._async.backends.s3.multipart import even_size
from storage._async.backends.s3.sources import OpenedFile
from storage._core.errors import (
    ConfigError,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from storage.s3 import BucketStore, UploadState
from tests.backends import s3
from tests.backends.s3 import MIB, connected, own_corner
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

DATA = random.Random(2).randbytes(12 * MIB + 7)
PART = 5 * MIB


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGE_PUT", 6 * MIB)
    monkeypatch.setattr("storage._async.backends.s3.hooks.LARGE_PUT", 6 * MIB)


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket, part_size=PART) as store:
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def parts_sent(between: FaultProxy) -> list[str]:
    """The parts that reached the proxy, in order of their numbers."""
    targets = [request.target for request in between.sent("PUT", "partNumber=")]
    return sorted(target.partition("partNumber=")[2].partition("&")[0] for target in targets)


async def pending(store: AsyncBucketStore) -> list[str]:
    return [upload.key async for upload in store.list_uploads()]


@pytest.mark.parametrize("kind", ["path", "file", "bytes", "stream"])
async def test_all_that_can_be_uploaded(store: AsyncBucketStore, file: Path, kind: str) -> None:
    with file.open("rb") as opened:
        given: Any = {
            "path": file, "file": opened, "bytes": bytearray(DATA), "stream": iter([DATA])
        }[kind]  # fmt: skip
        info = await store.upload("key", given, content_type="a/b", metadata={"c": "d"})
        assert kind != "file" or opened.read() == b""
    assert (info.size, (info.etag or "")[-2:]) == (len(DATA), "-3")
    found = await store.head("key")
    assert (found.etag, found.content_type, found.metadata) == (info.etag, "a/b", {"c": "d"})
    assert await store.get("key") == DATA


async def test_small_and_partial_files(store: AsyncBucketStore, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"0123456789")
    (tmp_path / "empty").touch()
    await store.upload("small", str(tmp_path / "small"))
    assert await store.get("small") == b"0123456789"
    await store.upload("empty", tmp_path / "empty")
    assert await store.get("empty") == b""
    with (tmp_path / "small").open("rb") as opened:
        opened.read(4)
        await store.upload("rest", opened)
    assert await store.get("rest") == b"456789"


async def test_what_only_looks_like_a_file(store: AsyncBucketStore, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "packed", "wb") as packed:
        packed.write(b"content" * 1000)
    with gzip.open(tmp_path / "packed") as packed:
        assert packed.fileno()  # of the packed bytes
        await store.upload("key", packed)
    assert await store.get("key") == b"content" * 1000
    await store.upload("key", io.BytesIO(b"in memory"))
    assert await store.get("key") == b"in memory"
    with pytest.raises(ConfigError):
        await store.upload("key", tmp_path)
    with pytest.raises(FileNotFoundError):
        await store.upload("key", tmp_path / "missing")


async def test_conditions(seaweedfs: S3Service, shared_bucket: NewBucket, file: Path) -> None:
    async with own_corner(seaweedfs, shared_bucket, part_size=PART) as store:
        first = await store.upload("key", file, if_absent=True)
        with pytest.raises(ObjectExists):
            await store.upload("key", file, if_absent=True)
        await store.upload("key", DATA[::-1], if_match=first.etag)
        with pytest.raises(PreconditionFailed):
            await store.upload("key", file, if_match=first.etag)
        assert await pending(store) == []


async def test_parts_go_at_once_within_the_budget(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path
) -> None:
    between.when("PUT", fault.late(0.1), times=-1)
    await faulty.upload("key", file)
    assert between.peak == 3
    between.peak, faulty._budget._free = 0, PART
    await faulty.upload("key", file)
    assert between.peak == 2  # one of its own, and one of the budget
    assert faulty._budget._free == PART


def test_ten_thousand_parts_are_enough() -> None:
    for size in (0, 1, 100 * MIB, 80_000 * MIB, 80_000 * MIB + 1, 5 * 1024**4):
        part = even_size(8 * MIB, size)
        assert part >= 8 * MIB
        assert part % MIB == 0
        assert -(-size // part) <= 10_000
    assert even_size(8 * MIB, 80_000 * MIB) == 8 * MIB


async def test_flights_end_with_the_first_error() -> None:
    budget, seen = Budget(10), []

    async def fly(number: int) -> None:
        seen.append(number)
        await asyncio.sleep(0 if number == 1 else 60)
        raise ZeroDivisionError(number)

    flights = Flights(budget)
    for number in range(3):
        await flights.start(5, lambda number=number: fly(number))  # type: ignore[misc]
    assert budget._free == 0
    with pytest.raises(ZeroDivisionError, match="1"):
        await flights.start(5, lambda: fly(9))
    await flights.cancel()
    assert seen == [0, 1, 2]
    assert budget._free == 10


async def test_memory_is_bounded(
    seaweedfs: S3Service, shared_bucket: NewBucket, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    with path.open("wb") as opened:
        opened.truncate(60 * MIB)
    async with own_corner(seaweedfs, shared_bucket, part_size=PART) as store:
        store._budget._free = PART
        tracemalloc.start(1)
        try:
            await store.upload("key", path)
            assert tracemalloc.get_traced_memory()[1] < 3.5 * PART
        finally:
            tracemalloc.stop()


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target"), [("POST", "?uploads"), ("PUT", "partNumber=2"), ("POST", "?uploadId=")]
)
async def test_a_cancelled_upload_leaves_nothing(
    seaweedfs: S3Service, new_bucket: NewBucket, file: Path, method: str, target: str
) -> None:
    bucket = new_bucket(seaweedfs)
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when(method, fault.late(0.2), target=target)
        options = {"part_size": PART, "endpoint_url": between.url}
        async with connected(seaweedfs, bucket, **options) as store:
            task = asyncio.create_task(store.upload("key", file))
            await between.reached(method, target)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await pending(store) == []
            assert store._budget._free == Budget()._free


async def test_a_file_that_changes_is_not_stored(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path
) -> None:
    changes: list[Callable[[], None]] = [
        lambda: os.utime(file, (1, 1)),
        lambda: os.truncate(file, 11 * MIB),
    ]
    for change in changes:
        between.when("PUT", fault.late(0.2), target="partNumber=1")
        task = asyncio.create_task(faulty.upload("key", file))
        between.requests.clear()
        await between.reached("PUT", "partNumber=1")
        change()
        with pytest.raises(StoreError, match=r"upload 'key'.*while it was uploaded"):
            await task
    assert not await faulty.exists("key")
    assert await pending(faulty) == []


async def test_lost_answers(faulty: AsyncBucketStore, between: FaultProxy, file: Path) -> None:
    between.when("POST", fault.lost_answer, target="?uploadId=")
    info = await faulty.upload("key", file, if_absent=True)
    assert (await faulty.head("key")).etag == info.etag
    assert await pending(faulty) == []


async def test_memory_of_a_part_that_was_sent_twice_is_not_used_again(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who still held the bytes of the first try would send another part's."""
    reused: list[bytes] = []
    monkeypatch.setattr(OpenedFile, "reuse", lambda _, body: reused.append(bytes(body)))
    between.when("PUT", fault.refused(503, "SlowDown"), target="partNumber=2")
    await faulty.upload("key", file)
    assert await faulty.get("key") == DATA
    assert sorted(reused) == sorted((DATA[:PART], DATA[2 * PART :]))


# -- resuming ---------------------------------------------------------------------------------


async def interrupted(store: AsyncBucketStore, between: FaultProxy, file: Path) -> UploadState:
    """An upload of which part 2 is missing."""
    state = await store.begin_upload("key", size=len(DATA), metadata={"a": "b"})
    between.when("PUT", fault.refused(400, "InvalidArgument"), target="partNumber=2")
    with pytest.raises(StoreError, match="on purpose"):
        # One by one, so that it is known how far it came.
        store._budget._free, kept = 0, store._budget._free
        await store.upload("key", file, resume=state)
    store._budget._free = kept
    assert await pending(store) == ["key"]
    between.requests.clear()
    return UploadState.from_json(state.to_json())


@pytest.mark.parametrize("by_id", [False, True])
async def test_only_what_is_missing_is_sent(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path, by_id: bool
) -> None:
    state = await interrupted(faulty, between, file)
    info = await faulty.upload("key", file, resume=state.upload_id if by_id else state)
    assert parts_sent(between) == ["2", "3"]
    assert info.size == len(DATA)
    assert await faulty.get("key") == DATA
    assert (await faulty.head("key")).metadata == {"a": "b"}
    assert await pending(faulty) == []


async def test_parts_with_other_bytes_are_sent_again(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path
) -> None:
    state = await interrupted(faulty, between, file)
    other = b"x" + DATA[1:]
    await faulty.upload("key", other, resume=state)
    assert parts_sent(between) == ["1", "2", "3"]
    assert await faulty.get("key") == other


async def test_resuming_what_was_completed(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path
) -> None:
    state = await faulty.begin_upload("key")
    info = await faulty.upload("key", file, resume=state)
    between.requests.clear()
    again = await faulty.upload("key", file, resume=state)  # the answer was lost, say
    assert again.etag == info.etag
    assert parts_sent(between) == []
    await faulty.put("key", b"another")
    with pytest.raises(ObjectNotFound, match="no such upload"):
        await faulty.upload("key", file, resume=state)


async def test_an_interrupted_resumption_can_be_resumed(
    faulty: AsyncBucketStore, between: FaultProxy, file: Path
) -> None:
    state = await interrupted(faulty, between, file)
    between.when("PUT", fault.hang, target="partNumber=3")
    task = asyncio.create_task(faulty.upload("key", file, resume=state))
    await between.reached("PUT", "partNumber=3")
    while len([r for r in between.requests if "partNumber=2" in r.target]) < 1:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pending(faulty) == ["key"]
    await faulty.upload("key", file, resume=state)
    assert await faulty.get("key") == DATA


async def test_what_cannot_be_resumed(store: AsyncBucketStore, file: Path) -> None:
    state = await store.begin_upload("key")
    with pytest.raises(ConfigError, match="'key'"):
        await store.upload("other", file, resume=state)
    with pytest.raises(ConfigError, match="stream"):
        await store.upload("key", iter([b"data"]), resume=state)
    for text in ("", "[]", "{}", '{"key": 1, "upload_id": "a"}', '{"key": "a"}'):
        with pytest.raises(ConfigError):
            UploadState.from_json(text)
    await store.upload("key", b"", resume=state)
    assert await store.get("key") == b""


CHILD = """
import asyncio, os, sys
from storage._async.backends.s3 import AsyncBucketStore
async def main():
    async with AsyncBucketStore.connect(
        sys.argv[2], endpoint_url=sys.argv[1], region_name="us-east-1", part_size=5 << 20,
        aws_access_key_id=sys.argv[3], aws_secret_access_key=sys.argv[4]) as store:
        state = await store.begin_upload("key")
        print(state.to_json(), flush=True)
        await store.upload("key", sys.argv[5], resume=state)
asyncio.run(main())
"""


async def test_what_a_killed_process_began(
    seaweedfs: S3Service, new_bucket: NewBucket, file: Path
) -> None:
    bucket = new_bucket(seaweedfs)
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        between.when("PUT", fault.hang, target="partNumber=3", times=-1)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, between.url, bucket,
            seaweedfs.access_key, seaweedfs.secret_key, str(file),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        state = UploadState.from_json((await child.stdout.readline()).decode())
        await between.reached("PUT", "partNumber=3")
        async with connected(seaweedfs, bucket, part_size=PART) as store:
            listed = store._send
            while True:
                found = await listed("list_parts", Key="key", UploadId=state.upload_id)
                if len(found.get("Parts", ())) == 2:
                    break
                await asyncio.sleep(0.02)
        child.kill()
        await child.communicate()
        between._rules.clear()
        between.requests.clear()
        async with connected(seaweedfs, bucket, endpoint_url=between.url) as store:
            await store.upload("key", file, resume=state)
            assert parts_sent(between) == ["3"]
            assert await store.get("key") == DATA


# -- the janitor ------------------------------------------------------------------------------


async def test_stale_uploads_are_aborted(seaweedfs: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(seaweedfs)  # moto says of all uploads that they began in 2010
    async with connected(seaweedfs, bucket, prefix="own") as store:
        states = [await store.begin_upload(key) for key in ("a/1", "a/2", "b")]
        assert sorted(await pending(store)) == ["a/1", "a/2", "b"]
        assert await store.abort_uploads(older_than=timedelta(hours=1)) == 0
        assert await store.abort_uploads("a/", older_than=timedelta()) == 2
        [left] = [upload async for upload in store.list_uploads()]
        assert (left.key, left.upload_id) == ("b", states[2].upload_id)
        assert left.started.tzinfo is not None
        await store.abort_upload(left)
        await store.abort_upload(states[2])
        with pytest.raises(ConfigError):
            await store.abort_uploads(older_than=timedelta(-1))
    assert s3.uploads(seaweedfs, bucket) == []


async def test_uploads_come_in_pages(s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(s3_service)
    async with connected(s3_service, bucket) as store:
        for number in range(5):
            await store.begin_upload(f"key-{number}")
        store._send.settings.__dict__["_known"]["list_multipart_uploads"] = {"MaxUploads": 2}
        assert sorted(await pending(store)) == [f"key-{number}" for number in range(5)]


@pytest.mark.parametrize("body", [b"", b"<html>", b"<ListMultipartUploadsResult/>"])
async def test_garbage_is_no_empty_listing(
    faulty: AsyncBucketStore, between: FaultProxy, body: bytes
) -> None:
    between.when("GET", fault.answered(200, body), times=-1)
    with pytest.raises((StoreError, StoreUnavailable)):
        await faulty.abort_uploads(older_than=timedelta())
    with pytest.raises((StoreError, StoreUnavailable)):
        _ = [version async for version in faulty.list_versions()]


def test_blocking(seaweedfs: S3Service, shared_bucket: NewBucket, file: Path) -> None:
    bucket = shared_bucket(seaweedfs)
    with BucketStore(buckets.client(seaweedfs), bucket, prefix="blocking", part_size=PART) as store:
        state = store.begin_upload("key")
        assert [upload.upload_id for upload in store.list_uploads()] == [state.upload_id]
        store.upload("key", file, resume=state)
        store.download("key", file.with_name("copy"))
        with file.open("rb") as opened:
            store.upload("other", opened)
        assert store.get("other") == file.with_name("copy").read_bytes() == DATA
        assert store.abort_uploads(older_than=timedelta()) == 0
