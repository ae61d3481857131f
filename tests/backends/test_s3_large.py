"""Large objects read over several connections, into memory, as streams and into files."""

from __future__ import annotations

import asyncio
import os
import random
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, downloads, parallel
from storage._async.backends.s3.flights import MOST
from storage._core.errors import (
    IntegrityError,
    NoSpace,
    ObjectNotFound,
    PreconditionFailed,
    StoreTimeout,
    StoreUnavailable,
)
from tests.backends.s3 import MIB, collected, own_corner
from tests.faults import fault
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.wire import Response
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

DATA = random.Random(1).randbytes(3 * MIB + 12_345)
STEP = 256 * 1024


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large is smaller here."""
    monkeypatch.setattr(parallel, "LARGE", MIB)
    monkeypatch.setattr(parallel, "FAST", float("inf"))
    monkeypatch.setattr(parallel, "STEP", STEP)
    monkeypatch.setattr(parallel, "AHEAD", STEP)


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket) as store:
        yield store


def flip(answer: Response) -> None:
    answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])


def left_behind(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


@pytest.mark.parametrize("size", [MIB, MIB + 1, len(DATA)])
async def test_all_ways_to_read(store: AsyncBucketStore, tmp_path: Path, size: int) -> None:
    await store.put("key", DATA[:size])
    assert await store.get("key") == DATA[:size]
    assert await collected(store, "key") == DATA[:size]
    info = await store.download("key", tmp_path / "file")
    assert replace(info, checksum=None) == replace(await store.head("key"), checksum=None)
    assert (tmp_path / "file").read_bytes() == DATA[:size]


@pytest.mark.parametrize(("start", "end"), [(0, None), (5, 2 * MIB + 7), (-2 * MIB, None)])
async def test_large_ranges(store: AsyncBucketStore, start: int, end: int | None) -> None:
    await store.put("key", DATA)
    assert await store.get_range("key", start, end) == DATA[start:end]
    async with store.open_reader("key") as reader:
        await reader.seek(start % len(DATA))
        assert await reader.read(2 * MIB) == DATA[start:][: 2 * MIB]


async def test_small_objects_cost_one_request(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    await faulty.put("key", DATA[:MIB])
    before = len(between.requests)
    await faulty.get("key")
    await collected(faulty, "key")
    await faulty.download("key", tmp_path / "file")
    await faulty.put("empty", b"")
    assert await faulty.get("empty") == b""
    assert [r.method for r in between.requests[before:]] == ["GET", "GET", "GET", "PUT", "GET"]


async def test_parts_are_pinned_and_come_at_once(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await faulty.put("key", DATA)
    between.when("GET", fault.late(0.05), times=-1)
    for read in (faulty.get("key"), faulty.download("key", tmp_path / "file")):
        between.peak, before = 0, len(between.requests)
        await read
        first, *others = between.requests[before:]
        assert "range" not in first.headers
        assert len(others) >= 4
        assert all(each.headers["if-match"] == f'"{info.etag}"' for each in others)
        assert between.peak >= 3


async def test_a_fast_connection_stays_alone(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel, "FAST", 0.0)
    await faulty.put("key", DATA)
    assert await faulty.get("key") == DATA
    assert await collected(faulty, "key") == DATA
    await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert len(between.sent("GET")) == 3


async def test_a_stream_reads_ahead_only_when_read(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", DATA)
    async with faulty.open_reader("key") as reader:
        assert await reader.read(1000) == DATA[:1000]
        assert len(between.sent("GET")) == 1
        assert await reader.read(MIB) == DATA[1000 : MIB + 1000]
        ahead = len(between.sent("GET"))
        assert 3 < ahead <= 4 + MOST + 1
    assert await collected(faulty, "key") == DATA


async def test_memory_is_bounded(
    seaweedfs: S3Service, shared_bucket: NewBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads.File, "piece", 64 * 1024)
    data = DATA * 4
    async with own_corner(seaweedfs, shared_bucket) as store:
        await store.put("key", data)
        tracemalloc.start(1)
        try:
            async for _ in store.stream("key"):
                pass
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
            tracemalloc.reset_peak()
            await store.download("key", tmp_path / "file")
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()
    assert (tmp_path / "file").stat().st_size == len(data)


async def test_many_streams_share_one_budget(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store:
        await store.put("key", DATA)
        store._budget._free = 4 * STEP
        readers = [store.open_reader("key") for _ in range(6)]
        for reader in readers:
            await reader.__aenter__()
            await reader.read(2 * STEP)  # each has begun to read ahead
        assert store._budget._free == 0
        for reader in reversed(readers):  # and none of them waits for another
            assert await reader.read() == DATA[2 * STEP :]
            await reader.aclose()
        assert store._budget._free == 4 * STEP


# -- faults -----------------------------------------------------------------------------------


async def test_broken_connections_are_resumed(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    between.when("GET", fault.cut(100_000), times=3)
    assert await faulty.get("key") == DATA
    between.when("GET", fault.cut(100_000, by_reset=True), times=3, skip=1)
    await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    between.when("GET", fault.cut(100_000), times=3, skip=2)
    assert await collected(faulty, "key") == DATA


@pytest.mark.parametrize("skip", [0, 1, 4])
async def test_a_flipped_byte_is_seen_in_any_part(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path, skip: int
) -> None:
    await faulty.put("key", DATA)
    between.when("GET", fault.changed(flip), skip=skip)
    assert await faulty.get("key") == DATA  # read again
    between.when("GET", fault.changed(flip), skip=skip)
    await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    between.when("GET", fault.changed(flip), skip=skip + 1)
    with pytest.raises(IntegrityError):
        await collected(faulty, "key")


async def test_a_file_with_other_bytes_never_appears(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    (tmp_path / "file").write_bytes(b"old")
    between.when("GET", fault.changed(flip), times=-1)
    with pytest.raises(IntegrityError, match="download 'key'"):
        await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert left_behind(tmp_path) == ["file"]


@pytest.fixture
def replacing(faulty: AsyncBucketStore, between: FaultProxy) -> bytes:
    """The object becomes another one as soon as its first part is asked for."""
    other = DATA[::-1]

    async def replaced(exchange: Exchange) -> None:
        await faulty.put("key", other)
        await fault.passed(exchange)

    between.when("GET", replaced, skip=1)
    return other


async def test_what_is_replaced_is_read_again(
    faulty: AsyncBucketStore, between: FaultProxy, replacing: bytes
) -> None:
    await faulty.put("key", DATA)
    assert await faulty.get("key") == replacing


async def test_what_is_replaced_is_downloaded_again(
    faulty: AsyncBucketStore, replacing: bytes, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == replacing


async def test_a_stream_of_two_versions_is_an_error(
    faulty: AsyncBucketStore, replacing: bytes
) -> None:
    await faulty.put("key", DATA)
    with pytest.raises(PreconditionFailed, match="replaced while it was read"):
        await collected(faulty, "key")


async def test_the_version_asked_for_or_none(
    faulty: AsyncBucketStore, replacing: bytes, tmp_path: Path
) -> None:
    info = await faulty.put("key", DATA)
    with pytest.raises(PreconditionFailed):
        await faulty.download("key", tmp_path / "file", if_match=info.etag)
    assert left_behind(tmp_path) == []
    with pytest.raises(PreconditionFailed):
        await faulty.download("key", tmp_path / "file", if_match=info.etag)


async def test_a_cancelled_download_leaves_nothing(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    between.when("GET", fault.hang, skip=3, times=-1)
    task = asyncio.create_task(faulty.download("key", tmp_path / "file"))
    while len(between.sent("GET")) < 5:
        await asyncio.sleep(0.01)
    assert len(left_behind(tmp_path)) == 1  # hidden, and reserved at its full size
    assert (tmp_path / left_behind(tmp_path)[0]).stat().st_size == len(DATA)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_behind(tmp_path) == []
    assert len(asyncio.all_tasks()) <= 1 + len(between._handlers)


async def test_what_cannot_be_downloaded(store: AsyncBucketStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match="download 'nothing'"):
        await store.download("nothing", tmp_path / "file")
    await store.put("key", b"data")
    with pytest.raises(FileNotFoundError):
        await store.download("key", tmp_path / "missing" / "file")
    (tmp_path / "directory").mkdir()
    with pytest.raises(IsADirectoryError):
        await store.download("key", tmp_path / "directory")
    assert left_behind(tmp_path) == ["directory"]
    await store.download("key", tmp_path / "file", durable=True)
    assert (tmp_path / "file").read_bytes() == b"data"


async def test_a_full_disk_is_known_before(
    seaweedfs: S3Service, shared_bucket: NewBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    async with own_corner(seaweedfs, shared_bucket) as store:
        await store.put("key", DATA)
        monkeypatch.setattr(os, "posix_fallocate", full)
        with pytest.raises(NoSpace, match="download 'key'"):
            await store.download("key", tmp_path / "file")
        assert left_behind(tmp_path) == []


async def test_the_first_error_is_raised_as_it_is(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", DATA)
    between.when("GET", fault.refused(503, "SlowDown"), skip=2, times=-1)
    with pytest.raises(StoreUnavailable, match=r"get 'key'.*SlowDown"):
        await faulty.get("key")


async def test_the_deadline_is_that_of_each_step(
    seaweedfs: S3Service, shared_bucket: NewBucket, between: FaultProxy, tmp_path: Path
) -> None:
    async with own_corner(seaweedfs, shared_bucket, endpoint_url=between.url, timeout=0.5) as store:
        await store.put("key", DATA)
        between.when("GET", fault.hang, skip=2, times=-1)
        with pytest.raises(StoreTimeout, match="download 'key'"):
            await store.download("key", tmp_path / "file")
    assert left_behind(tmp_path) == []
