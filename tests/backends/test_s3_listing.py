"""Listings and bulk deletes of the S3 store on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, deleting, listing
from storage._core.errors import BulkError, InvalidKey
from storage._core.info import Capability
from tests.backends.s3 import connected, own_corner
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

KEYS = ["A", "a", "a b", "a/b", "a/c/d", "a0", "b%2F", "b+c", "b/é", "b/😀", "z"]


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket) as store:
        yield store


async def fill(store: AsyncBucketStore, keys: list[str]) -> None:
    await asyncio.gather(*(store.put(key, b"x") for key in keys))


async def test_prefixes_and_starts(store: AsyncBucketStore) -> None:
    await fill(store, KEYS)

    async def check(prefix: str, after: str) -> None:
        expected = [key for key in sorted(KEYS) if key.startswith(prefix) and key > after]
        found = [key async for key in store.keys(prefix, start_after=after)]
        assert sorted(found) == expected, (prefix, after)
        infos = [info.key async for info in store.list(prefix, start_after=after)]
        assert infos == found

    starts = ("", "a", "a/", "a0", "b/é", "zz")
    for prefix in ("", "a", "a/", "b/", "zz", "a//", "/", "../", "A"):
        await asyncio.gather(*(check(prefix, after) for after in starts))


async def test_one_level(store: AsyncBucketStore) -> None:
    await fill(store, KEYS)
    top = await store.list_with_delimiter()
    assert top.prefixes == ("a/", "b/")
    assert [info.key for info in top.objects] == ["A", "a", "a b", "a0", "b%2F", "b+c", "z"]
    below = await store.list_with_delimiter("a/")
    assert below.prefixes == ("a/c/",)
    assert [info.key for info in below.objects] == ["a/b"]


async def test_many_pages(store: AsyncBucketStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 7)
    keys = [f"{n:03}/{n}" for n in range(30)]
    await fill(store, keys)
    assert sorted([key async for key in store.keys()]) == keys
    assert len((await store.list_with_delimiter()).prefixes) == 30
    # A listing that is left in the middle leaves nothing on its way.
    found: Any = store.keys()
    await anext(found)
    await found.aclose()
    assert len(asyncio.all_tasks()) == 1


async def test_order_is_promised_only_where_it_is_known(moto: S3Service) -> None:
    def promised(**options: object) -> bool:
        return Capability.ORDERED in connected(moto, "bucket", **options).capabilities

    assert not promised()
    assert promised(ordered=True)
    assert promised(endpoint_url=None)
    assert promised(endpoint_url="https://s3.eu-west-1.amazonaws.com")
    assert not promised(endpoint_url="https://amazonaws.com.example.com")
    express = AsyncBucketStore.connect("bucket--use1-az4--x-s3")
    assert Capability.ORDERED not in express.capabilities


async def test_order_and_native_start(moto: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(moto, shared_bucket, ordered=True) as store:
        await fill(store, KEYS)
        assert [key async for key in store.keys()] == sorted(KEYS)
        assert [key async for key in store.keys(start_after="a/b")] == sorted(KEYS)[4:]


async def test_nothing_outside_of_the_prefix(s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(s3_service)
    async with connected(s3_service, bucket) as whole:
        foreign = ["data", "data2/x", "dat/x", "x"]
        await fill(whole, [*foreign, "data/x", "data/y/z"])
        for prefix in ("data", "data/"):
            async with connected(s3_service, bucket, prefix=prefix) as store:
                assert sorted([key async for key in store.keys()]) == ["x", "y/z"]
                assert (await store.list_with_delimiter()).prefixes == ("y/",)
                assert await store.get("x") == b"x"
                assert not await store.exists("data")
        async with connected(s3_service, bucket, prefix="data") as store:
            assert await store.clear() == 2
        assert sorted([key async for key in whole.keys()]) == sorted(foreign)


async def test_a_folder_mark_is_no_key(moto: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(moto)
    buckets.client(moto).put_object(Bucket=bucket, Key="data/", Body=b"")
    async with connected(moto, bucket, prefix="data") as store:
        assert [key async for key in store.keys()] == []
        assert (await store.list_with_delimiter()).objects == ()


async def test_bulk_delete(store: AsyncBucketStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "BATCH", 20)
    keys = [f"k{n}" for n in range(50)]
    await fill(store, [*keys, "kept"])
    assert await store.delete_many([*keys, "nothing"]) == 51
    assert [key async for key in store.keys()] == ["kept"]


async def test_bulk_delete_of_keys_that_xml_cannot_name(
    s3_service: S3Service, shared_bucket: NewBucket
) -> None:
    # Moto does not take a line feed in a key at all.
    odd = ["ctl\x01x", "cr\rx", "del\x7fx", "\ufffe", "<&>\"'"]
    async with own_corner(s3_service, shared_bucket, exact_keys=True) as store:
        await fill(store, [*odd, "kept"])
        assert await store.delete_many(odd) == len(odd)
        assert [key async for key in store.keys()] == ["kept"]


async def test_bulk_delete_tells_of_each_key(store: AsyncBucketStore) -> None:
    await fill(store, ["a", "b"])
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a", "x" * 2_000, "b", "b//c", "\0"])
    assert {type(error) for error in caught.value.errors.values()} == {InvalidKey}
    assert set(caught.value.errors) == {"x" * 2_000, "b//c", "\0"}
    assert [key async for key in store.keys()] == []


async def test_bulk_delete_without_missing_ok(store: AsyncBucketStore) -> None:
    await fill(store, ["a", "b"])
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a", "nothing", "b"], missing_ok=False)
    assert list(caught.value.errors) == ["nothing"]
    assert isinstance(caught.value.errors["nothing"], KeyError)
