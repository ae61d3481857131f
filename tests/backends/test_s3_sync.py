"""Syncs whose S3 end answers what it should not: nothing is deleted, ever."""

from __future__ import annotations

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.memory import AsyncDictStore
from storage._async.backends.s3 import AsyncBucketStore, listing
from storage._async.transfer.sync import async_sync_stores
from storage._async.wrappers.guarding import AsyncReadonlyStore
from storage._core.errors import MalformedResponse, StoreError, StoreNotFound
from tests.backends.s3 import connected
from tests.backends.test_s3_garbage import without
from tests.faults import fault
from tests.faults.proxy import Fault, FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service
from tests.stores import fill

KEYS = ["a", "a b", "a/b", "b", "c"]
"""SeaweedFS does not list the first three in this order."""
MORE = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
LIES = {
    "nothing": fault.answered(200),
    "HTML": fault.answered(200, b"<html><body>Welcome to the hotel!</body></html>"),
    "other XML": fault.answered(200, b"<?xml version='1.0'?><Other/>"),
    "cut": fault.changed(lambda answer: setattr(answer, "body", answer.body[:-40])),
    "no count": without("<KeyCount>.*?</KeyCount>"),
    "no objects": without("<Contents>.*</Contents>"),
    "one object less": without("<Contents>.*?</Contents>"),
    "more to come, but no token": without("<IsTruncated>false", "<IsTruncated>true"),
    "the same token again": without("<IsTruncated>false</IsTruncated>", MORE),
    "refused": fault.refused(403, "AccessDenied"),
    "no bucket": fault.refused(404, "NoSuchBucket"),
}


async def put_all(store: AsyncBucketStore) -> None:
    for key in KEYS:  # at once, SeaweedFS may lose one of "a" and "a/b"
        await store.put(key, key.encode())


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_nothing_is_deleted_after_a_lie_of_the_source(
    faulty: AsyncBucketStore, between: FaultProxy, lie: Fault
) -> None:
    await put_all(faulty)
    target = AsyncDictStore(fill(*KEYS, "surplus"))
    between.when("GET", lie, target="list-type=2", times=-1)
    with pytest.raises(StoreError):
        await async_sync_stores(AsyncReadonlyStore(faulty), target, delete=True, max_delete=None)
    assert sorted(target.objects) == [*KEYS, "surplus"]
    assert not between.sent("DELETE")


async def test_nothing_is_deleted_after_a_later_page_is_garbage(
    faulty: AsyncBucketStore, between: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    await put_all(faulty)
    target = AsyncDictStore(fill("surplus"))
    between.when("GET", LIES["HTML"], target="continuation-token", times=-1, skip=1)
    with pytest.raises(MalformedResponse):
        await async_sync_stores(faulty, target, delete=True, max_delete=None)
    assert "surplus" in target.objects


async def test_nothing_is_deleted_in_a_bucket_that_lies(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await put_all(faulty)
    between.when("GET", LIES["one object less"], target="list-type=2", times=-1)
    with pytest.raises(MalformedResponse):
        await async_sync_stores(AsyncDictStore(fill("a")), faulty, delete=True, max_delete=None)
    assert not between.sent("DELETE")
    assert not between.sent("POST", "?delete")


async def test_a_bucket_that_is_missing_is_no_empty_source(seaweedfs: S3Service) -> None:
    target = AsyncDictStore(fill("a"))
    async with connected(seaweedfs, "no-such-bucket") as source:
        with pytest.raises(StoreNotFound):
            await async_sync_stores(source, target, delete=True, max_delete=None)
    assert target.objects == fill("a")


async def test_an_order_that_nobody_promised_deletes_nothing_wrong(
    seaweedfs: S3Service, shared_bucket: NewBucket, faulty: AsyncBucketStore
) -> None:
    await put_all(faulty)
    target = AsyncDictStore(fill(*KEYS, "surplus"))
    report = await async_sync_stores(faulty, target, delete=True)
    assert (report.copied, report.identical, report.deleted) == (0, 5, 1)
    await faulty.put("surplus", b"x")
    report = await async_sync_stores(target, faulty, delete=True)
    assert (report.copied, report.identical, report.deleted) == (0, 5, 1)
    assert sorted([key async for key in faulty.keys()]) == KEYS


async def test_an_order_that_was_promised_falsely_is_found_out(
    faulty: AsyncBucketStore,
) -> None:
    await put_all(faulty)
    faulty.capabilities |= type(faulty.capabilities).ORDERED
    target = AsyncDictStore(fill("a b", "surplus"))
    with pytest.raises(StoreError, match="order that it claims"):
        await async_sync_stores(faulty, target, delete=True)
    assert target.objects == fill(*KEYS, "surplus")


async def test_parts_of_one_bucket_do_not_overlap_and_a_part_and_the_whole_do(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    bucket = shared_bucket(seaweedfs)
    places = [connected(seaweedfs, bucket, prefix=prefix) for prefix in ("x/a/", "x/b/", "x/")]
    for place in places:
        await place.aclose()
    a, b, both = (place._locations()[0] for place in places)
    assert a[0] == b[0] == both[0]
    assert a[1].startswith(both[1])
    assert not a[1].startswith(b[1])
