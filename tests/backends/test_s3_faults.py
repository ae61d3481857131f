"""The S3 store when servers refuse, are silent, or forget to answer."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._core.errors import (
    AccessDenied,
    IntegrityError,
    ObjectExists,
    ObjectNotFound,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from tests.backends.s3 import LANES, MIB, own_corner, uploads
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

pytestmark = pytest.mark.parametrize("lane", LANES)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (500, "InternalError"),
        (429, "SlowDown"),
        (409, "ConditionalRequestConflict"),
    ],
)
async def test_what_passes_is_tried_again(
    faulty: AsyncBucketStore, between: FaultProxy, status: int, code: str
) -> None:
    between.when("PUT", fault.refused(status, code), times=2)
    await faulty.put("key", b"data", if_absent=True)
    assert len(between.sent("PUT")) == 3
    assert await faulty.get("key") == b"data"


@pytest.mark.parametrize(
    ("status", "code", "error", "tries"),
    [
        (503, "SlowDown", StoreUnavailable, 5),
        (409, "ConditionalRequestConflict", StoreUnavailable, 6),
        (403, "AccessDenied", AccessDenied, 1),
        (403, "SignatureDoesNotMatch", AccessDenied, 1),
        (400, "ExpiredToken", AccessDenied, 1),
        (400, "InvalidArgument", StoreError, 1),
        (400, "BadDigest", IntegrityError, 2),  # sent again once
        (507, "InsufficientStorage", OSError, 1),
    ],
)
async def test_what_stays_is_told(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    status: int,
    code: str,
    error: type[Exception],
    tries: int,
) -> None:
    between.when("PUT", fault.refused(status, code), times=-1)
    with pytest.raises(error, match=rf"put 'key' in .*on purpose \({code}, HTTP {status}\)"):
        await faulty.put("key", b"data", if_absent=True)
    assert len(between.sent("PUT")) == tries


async def test_denied_is_never_absent(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    between.when("HEAD", fault.answered(403), times=-1)
    for call in (faulty.exists, faulty.head, faulty.delete):
        with pytest.raises(AccessDenied):
            await call("key")


async def test_who_may_not_see_the_bucket_may_miss_an_object(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    between.when("HEAD", fault.answered(403), target="x-no-such-target")
    between.when("HEAD", fault.answered(403), times=-1, skip=1)
    assert not await faulty.exists("key")


async def test_hanging_and_refusing_servers(
    faulty: AsyncBucketStore, between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    between.when("GET", fault.reset, times=2)
    await faulty.put("key", b"data")
    assert await faulty.get("key") == b"data"
    between.when("GET", fault.hang, times=-1)
    async with own_corner(seaweedfs, shared_bucket, endpoint_url=between.url, timeout=0.3) as hasty:
        with pytest.raises(StoreTimeout, match=r"longer than 0\.3 s"):
            await hasty.get("key")
    nowhere = own_corner(seaweedfs, shared_bucket, endpoint_url="http://127.0.0.1:9")
    async with nowhere:
        with pytest.raises(StoreUnavailable):
            await nowhere.get("key")


@pytest.mark.parametrize("size", [4, 6 * MIB])
async def test_a_lost_acknowledgement_is_no_lost_race(
    faulty: AsyncBucketStore, between: FaultProxy, seaweedfs: S3Service, size: int
) -> None:
    method, target = ("PUT", "") if size < MIB else ("POST", "uploadId")
    for condition in ("if_absent", "if_match", None):
        options: dict[str, Any] = {}
        if condition == "if_absent":
            options["if_absent"] = True
        elif condition == "if_match":
            options["if_match"] = (await faulty.head("key")).etag
        between.when(method, fault.lost_answer, target=target)
        before = len(between.sent(method, target))
        info = await faulty.put("key", iter([bytes(size)]), **options)
        assert len(between.sent(method, target)) == before + 2
        assert (await faulty.head("key")).etag == info.etag
    # A race that is lost stays lost.
    between.when(method, fault.reset, target=target)
    with pytest.raises(ObjectExists):
        await faulty.put("key", iter([bytes(size)]), if_absent=True)
    left = [key for key in uploads(seaweedfs, faulty.bucket_name) if key.startswith(faulty._prefix)]
    assert left == []


async def test_lost_acknowledgements_of_deletes_and_copies(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await faulty.put("key", b"data")
    between.when("PUT", fault.lost_answer)
    await faulty.copy("key", "copy", if_absent=True)
    # Of a delete nothing is left by which to know whose it was.
    between.when("DELETE", fault.lost_answer)
    with pytest.raises((StoreUnavailable, ObjectNotFound)):
        await faulty.delete("key", if_match=info.etag)
    between.when("DELETE", fault.lost_answer)
    await faulty.delete("copy")
    between.when("POST", fault.lost_answer, target="?delete")
    assert await faulty.delete_many(["key", "copy"]) == 2
    assert [key async for key in faulty.keys()] == []
