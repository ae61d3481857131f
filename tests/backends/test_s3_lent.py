"""Large objects into files, most of whose bytes pass by the event loop."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

pytest.importorskip("aiobotocore")
pytest.importorskip("httptools")

from storage._async.backends.s3 import AsyncBucketStore, parallel
from storage._async.backends.s3.flights import MOST, Crowd
from storage._core.draining import Drain
from storage._core.errors import IntegrityError, StoreTimeout
from storage.s3 import BucketStore
from tests.backends import s3
from tests.backends.s3 import MIB
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.faults.wire import Response
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

DATA = random.Random(3).randbytes(4 * MIB + 12_345)


class Moved:
    """Counts what worker threads move."""

    total = 0


@pytest.fixture(autouse=True)
def moved(monkeypatch: pytest.MonkeyPatch) -> Moved:
    """What they moved so far; and what is large is smaller here."""
    found, move = Moved(), Drain.move

    def counted(drain: Drain, socket: int, most: int) -> int:
        size = move(drain, socket, most)
        found.total += size
        return size

    monkeypatch.setattr(Drain, "move", counted)
    monkeypatch.setattr(parallel, "LARGE", MIB)
    monkeypatch.setattr(parallel, "STEP", MIB)
    return found


def flip(answer: Response) -> None:
    answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])


async def test_into_a_file(faulty: AsyncBucketStore, moved: Moved, tmp_path: Path) -> None:
    await faulty.put("key", DATA)
    await faulty.download("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert moved.total > MIB


async def test_a_connection_that_breaks(
    faulty: AsyncBucketStore, between: FaultProxy, moved: Moved, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    for by_reset in (True, False):
        between.when("GET", fault.cut(3 * MIB, by_reset=by_reset))
        before = len(between.sent("GET"))
        await faulty.download("key", tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == DATA
        whole, *rest = between.sent("GET")[before:]
        assert "range" not in whole.headers
        assert rest
        assert all("if-match" in each.headers for each in rest)
    assert moved.total > MIB


async def test_damaged_bytes(
    faulty: AsyncBucketStore, between: FaultProxy, moved: Moved, tmp_path: Path
) -> None:
    await faulty.put("key", DATA)
    between.when("GET", fault.changed(flip), times=-1)
    with pytest.raises(IntegrityError):
        await faulty.download("key", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    assert moved.total > MIB


async def test_the_deadline(
    seaweedfs: S3Service, shared_bucket: NewBucket, between: FaultProxy, tmp_path: Path
) -> None:
    async with s3.own_corner(
        seaweedfs, shared_bucket, endpoint_url=between.url, timeout=0.3
    ) as store:
        await store.put("key", DATA)
        between.when("GET", fault.slow(3 * MIB, 30.0), times=-1)
        with pytest.raises(StoreTimeout):
            await store.download("key", tmp_path / "file")
        assert list(tmp_path.iterdir()) == []
        assert await s3.busy_connections(store) == 0


async def test_objects_at_once_have_no_more_connections_than_one(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel, "FAST", float("inf"))
    await faulty.put("key", DATA)
    between.when("GET", fault.slow(MIB // 2, 0.01), times=-1)
    others = [faulty._send.crowd.one() for _ in range(MOST - 1)]
    for each in others:
        each.__enter__()
    await faulty.download("key", tmp_path / "file")
    assert len(between.sent("GET")) == 1
    for each in others:
        each.__exit__(None, None, None)
    await faulty.download("key", tmp_path / "file")
    assert len(between.sent("GET")) > 2
    assert (tmp_path / "file").read_bytes() == DATA
    assert faulty._send.crowd._count == 0


def test_the_crowd() -> None:
    crowd = Crowd(2)
    with crowd.one(), crowd.one(), crowd.one():
        assert not crowd.join()
    assert crowd.join()
    assert crowd.join()
    assert not crowd.join()
    crowd.leave()
    assert crowd.join()


def test_loops_and_blocking_callers(
    seaweedfs: S3Service, shared_bucket: NewBucket, moved: Moved, tmp_path: Path
) -> None:
    store = s3.own_corner(seaweedfs, shared_bucket)

    async def down(name: str) -> None:
        await store.download("key", tmp_path / name)

    async def both() -> None:
        await store.put("key", DATA)
        await asyncio.gather(down("a"), down("b"))

    asyncio.run(both())
    asyncio.run(down("c"))
    blocking = BucketStore.connect(
        store.bucket_name, prefix=store._prefix, endpoint_url=seaweedfs.endpoint_url,
        region_name=seaweedfs.region, aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
    )  # fmt: skip
    with blocking:
        blocking.download("key", tmp_path / "d")
    asyncio.run(store.aclose())
    assert all((tmp_path / name).read_bytes() == DATA for name in "abcd")
    assert moved.total > 4 * MIB
