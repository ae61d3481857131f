"""Large uploads go on at their next part, whatever ended the process that began them."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.s3 import AsyncBucketStore
from storage._async.transfer.copying import Copier
from storage._async.transfer.journal import Journal, open_journal
from storage._async.transfer.selection import Selection
from storage._async.transfer.sync import async_sync_stores
from storage._core.errors import ObjectExists, StoreUnavailable
from storage._core.info import ObjectInfo, WriteOptions
from tests.backends.s3 import MIB
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services.process import S3Service

DATA = random.Random(5).randbytes(11 * MIB)


@pytest.fixture
def folder(tmp_path: Path) -> AsyncFilesystemStore:
    return AsyncFilesystemStore(tmp_path / "folder")


@asynccontextmanager
async def copying(
    source: AsyncFilesystemStore, target: AsyncBucketStore, tmp_path: Path
) -> AsyncIterator[tuple[Copier, Journal]]:
    """A copier with a journal, as a run of a sync has it."""
    journal = await open_journal(tmp_path / "journal", source, target)
    try:
        async with Copier(source, target, uploads=journal) as copier:
            yield copier, journal
    finally:
        await journal.aclose()


async def uploads_of(store: AsyncBucketStore) -> list[str]:
    return [upload.upload_id async for upload in store.list_uploads()]


def parts_sent(between: FaultProxy, before: int = 0) -> list[str]:
    targets = [r.target for r in between.requests[before:] if "partNumber=" in r.target]
    return sorted(target.partition("partNumber=")[2].partition("&")[0] for target in targets)


async def interrupted(
    folder: AsyncFilesystemStore, near: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> ObjectInfo:
    """An upload of which the second part has not arrived."""
    info = await folder.put("a", DATA)
    between.when("PUT", fault.hang, target="partNumber=2")
    async with copying(folder, near, tmp_path) as (copier, _):
        task = asyncio.create_task(copier.copy(info))
        while len(parts_sent(between)) < 3 or between.in_flight > 1:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    return info


async def test_the_next_run_sends_what_is_missing(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await interrupted(folder, near, between, tmp_path)
    (known,) = await uploads_of(near)
    before = len(between.requests)
    async with copying(folder, near, tmp_path) as (copier, journal):
        assert await journal.upload_state("a") is not None
        copied = await copier.copy(info, WriteOptions(if_absent=True))
        assert await journal.upload_state("a") is None
    assert parts_sent(between, before) == ["2"]
    assert all(known in r.target for r in between.requests[before:] if "uploadId" in r.target)
    assert (copied.size, await uploads_of(near)) == (len(DATA), [])
    assert await near.get("a") == DATA


async def test_of_what_was_just_begun_the_server_is_not_asked(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    """That request would be the only one which takes the client, and its imports."""
    info = await folder.put("a", DATA)
    async with copying(folder, near, tmp_path) as (copier, _):
        await copier.copy(info)
    asked = [r for r in between.sent("GET") if "uploadId=" in r.target]
    assert asked == []
    assert parts_sent(between) == ["1", "2", "3"]
    assert near._begun == set()
    assert await near.get("a") == DATA


async def test_another_version_is_begun_anew(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    await interrupted(folder, near, between, tmp_path)
    info, before = await folder.put("a", DATA[::-1]), len(between.requests)
    async with copying(folder, near, tmp_path) as (copier, _):
        await copier.copy(info)
    assert parts_sent(between, before) == ["1", "2", "3"]
    assert await uploads_of(near) == []
    assert await near.get("a") == DATA[::-1]


async def test_one_that_somebody_has_given_up_is_begun_anew(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await interrupted(folder, near, between, tmp_path)
    async for upload in near.list_uploads():
        await near.abort_upload(upload)
    async with copying(folder, near, tmp_path) as (copier, journal):
        await copier.copy(info)
        assert await journal.upload_state("a") is None
    assert await uploads_of(near) == []
    assert await near.get("a") == DATA


async def test_what_cannot_go_on_is_given_up(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await interrupted(folder, near, between, tmp_path)
    await near.put("a", b"somebody else's")
    async with copying(folder, near, tmp_path) as (copier, journal):
        between.when("PUT", fault.refused(503, "SlowDown"), target="partNumber=", times=20)
        with pytest.raises(StoreUnavailable):
            await copier.copy(info)
        assert len(await uploads_of(near)) == 1  # later, perhaps
        between._rules.clear()
        with pytest.raises(ObjectExists):
            await copier.copy(info, WriteOptions(if_absent=True))
        assert await journal.upload_state("a") is None
    assert await uploads_of(near) == []
    assert await near.get("a") == b"somebody else's"


async def test_what_nobody_wants_any_more_is_given_up(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    await interrupted(folder, near, between, tmp_path)
    async with copying(folder, near, tmp_path) as (copier, journal):
        await copier.forget("a")
        await copier.forget("a")
        assert await journal.upload_state("a") is None
    assert await uploads_of(near) == []


async def test_a_sync_gives_up_what_the_source_has_no_more(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    await interrupted(folder, near, between, tmp_path)
    await folder.delete("a")
    await folder.put("b", b"small")
    journal = tmp_path / "journal"
    await async_sync_stores(folder, near, journal=journal, selection=Selection(exclude=["a"]))
    assert len(await uploads_of(near)) == 1
    await async_sync_stores(folder, near, journal=journal)
    assert await uploads_of(near) == []


CHILD = """
import asyncio, sys
from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.s3 import AsyncBucketStore, passing, uploads
from storage._async.transfer.copying import Copier, copier
from storage._async.transfer.journal import open_journal
folder, journal, bucket, prefix, endpoint, key, secret = sys.argv[1:]
copier.WHOLE, passing.LARGE_PUT, uploads.LARGE_PUT = 1 << 18, 1 << 20, 1 << 20
async def main():
    source = AsyncFilesystemStore(folder)
    target = AsyncBucketStore.connect(
        bucket, prefix=prefix, endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=key, aws_secret_access_key=secret, part_size=5 << 20,
    )
    uploads = await open_journal(journal, source, target)
    async with target, Copier(source, target, uploads=uploads) as copier:
        await copier.copy(await source.head("a"))
asyncio.run(main())
"""


async def test_after_a_kill(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path,
    seaweedfs: S3Service,
) -> None:  # fmt: skip
    info = await folder.put("a", DATA)
    between.when("PUT", fault.hang, target="partNumber=2")
    service = seaweedfs.access_key, seaweedfs.secret_key
    places = folder.root_path, str(tmp_path / "journal"), near.bucket_name, near._prefix
    child = subprocess.Popen([sys.executable, "-c", CHILD, *places, between.url, *service])
    try:
        while len(parts_sent(between)) < 3 or between.in_flight > 1:
            assert child.poll() is None
            await asyncio.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    before = len(between.requests)
    async with copying(folder, near, tmp_path) as (copier, _):
        await copier.copy(info, WriteOptions(if_absent=True))
    assert parts_sent(between, before) == ["2"]
    assert await uploads_of(near) == []
    assert await near.get("a") == DATA
