"""What S3 has beyond other stores: settings of objects, versions, tags, presigned requests."""

from __future__ import annotations

import os
import pickle
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

import aiohttp

from storage import open_async_store
from storage._async.backends.s3 import copying
from storage._core.errors import (
    AccessDenied,
    ConfigError,
    ObjectNotFound,
    StoreClosed,
    StoreError,
)
from storage._core.protocol import SupportsPresign
from storage.s3 import AsyncBucketStore, BucketStore, Encryption, ObjectVersion
from tests.backends.s3 import MIB, connected, own_corner
from tests.faults import fault
from tests.faults.proxy import Exchange, FaultProxy
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

LARGE = b"0123456789abcdef" * (11 * MIB // 16)


@pytest.fixture
async def store(s3_service: S3Service, shared_bucket: NewBucket) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(s3_service, shared_bucket, part_size=5 * MIB) as store:
        yield store


def seen_by_another(store: AsyncBucketStore, service: S3Service, key: str) -> Mapping[str, Any]:
    found: dict[str, Any] = buckets.client(service).head_object(
        Bucket=store.bucket_name, Key=store._prefix + key
    )
    return found


# -- settings ---------------------------------------------------------------------------------


async def test_settings_of_the_store_and_of_some_objects(
    s3_service: S3Service, shared_bucket: NewBucket
) -> None:
    async with own_corner(
        s3_service, shared_bucket, storage_class="STANDARD_IA", tags={"a": "b c", "d": "+-=._:/@"}
    ) as store:
        view = store.with_options(storage_class="REDUCED_REDUNDANCY", tags=None)
        await store.put("one", b"1")
        await store.upload("two", b"2")
        await view.put("three", [LARGE])
        await store.copy("three", "four")
        for key, storage_class, tags in (
            ("one", "STANDARD_IA", {"a": "b c", "d": "+-=._:/@"}),
            ("two", "STANDARD_IA", {"a": "b c", "d": "+-=._:/@"}),
            ("three", "REDUCED_REDUNDANCY", {}),
            ("four", "STANDARD_IA", {"a": "b c", "d": "+-=._:/@"}),
        ):
            assert seen_by_another(store, s3_service, key)["StorageClass"] == storage_class, key
            assert await store.get_tags(key) == tags, key
        assert await view.get("one") == b"1"


async def test_a_view_lives_on_its_store(store: AsyncBucketStore) -> None:
    view = store.with_options(checksum=None).with_options(tags={"a": "b"})
    assert view.capabilities == store.capabilities
    await view.put("key", b"data")
    await view.aclose()
    with pytest.raises(StoreClosed):
        await view.get("key")
    assert await store.get("key") == b"data"  # closing the view closed nothing else
    other = store.with_options(tags={"a": "b"})
    await store.aclose()
    with pytest.raises(StoreClosed):
        await other.get("key")


async def test_what_is_pickled_of_a_view(seaweedfs: S3Service) -> None:
    plain = AsyncBucketStore.connect("bucket", endpoint_url=seaweedfs.endpoint_url)
    view = plain.with_options(storage_class="GLACIER", encryption=Encryption(kms_key="k"))
    again = pickle.loads(pickle.dumps(view))
    assert again._send.settings == view._send.settings
    secret = plain.with_options(encryption=Encryption(customer_key=b"k" * 32))
    assert "kkk" not in repr(secret._send.settings)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(secret)


async def test_customer_keys(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    keyed = faulty.with_options(encryption=Encryption(customer_key=os.urandom(32)))
    await keyed.put("small", b"secret", if_absent=True)
    await keyed.put("large", [LARGE])
    assert await keyed.get("small") == b"secret"
    assert await keyed.get("large") == LARGE
    assert (await keyed.head("small")).size == 6
    await keyed.copy("small", "copy")
    assert await keyed.get("copy") == b"secret"
    for key in ("small", "large", "copy"):
        with pytest.raises(StoreError):
            await faulty.get(key)
    with pytest.raises(StoreError):
        await faulty.with_options(encryption=Encryption(customer_key=b"x" * 32)).get("small")


@pytest.mark.parametrize(
    ("encryption", "expected"),
    [
        (Encryption(), {"ServerSideEncryption": "AES256"}),
        (Encryption(kms_key="aws/s3"), {"ServerSideEncryption": "aws:kms"}),
        (
            Encryption(kms_key="my-key", bucket_key=True),
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "my-key", "BucketKeyEnabled": True},
        ),
    ],
)
async def test_keys_of_the_server(
    moto: S3Service, shared_bucket: NewBucket, encryption: Encryption, expected: dict[str, Any]
) -> None:
    # SeaweedFS would have to be told a key for that.
    async with own_corner(moto, shared_bucket, encryption=encryption) as store:
        await store.put("key", b"data")
        await store.put("large", [LARGE])
        assert await store.get("key") == b"data"
        for key in ("key", "large"):
            found = seen_by_another(store, moto, key)
            for name in expected.keys() - {"BucketKeyEnabled"}:  # it forgets that at times
                assert found[name] == expected[name]


@pytest.mark.parametrize(
    "options",
    [
        {"customer_key": b"short"},
        {"kms_context": "e30="},
        {"bucket_key": True},
        {"kms_key": "a", "customer_key": b"k" * 32},
    ],
)
def test_encryption_that_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Encryption(**options)


async def test_the_payer_is_told(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    paying = faulty.with_options(request_payer=True)
    await paying.put("key", b"data")
    await paying.get("key")
    await paying.head("key")
    _ = [key async for key in paying.keys()]
    await paying.delete_many(["key"])
    assert len(between.requests) == 5
    assert all(r.headers.get("x-amz-request-payer") == "requester" for r in between.requests)
    assert "x-amz-request-payer" in await paying.presigned_get("key")  # a signed header


async def test_without_credentials(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        async with connected(
            seaweedfs, shared_bucket(seaweedfs), anonymous=True, endpoint_url=between.url
        ) as store:
            with pytest.raises(AccessDenied):
                await store.get("key")
        assert "authorization" not in between.requests[0].headers


async def test_settings_in_urls(seaweedfs: S3Service) -> None:
    url = "s3://bucket/prefix?storage_class=GLACIER&checksum=sha256&request_payer=yes&kms_key=k"
    store: Any = open_async_store(url)
    settings = store._send.settings
    assert (settings.storage_class, settings.checksum) == ("GLACIER", "sha256")
    assert (settings.request_payer, settings.encryption) == (True, Encryption(kms_key="k"))
    store = open_async_store("s3://bucket?anonymous=true&encrypted=true")
    assert store._send.settings.encryption == Encryption()
    with pytest.raises(ConfigError, match="checksum"):
        open_async_store("s3://bucket?checksum=md5")


# -- tags -------------------------------------------------------------------------------------


async def test_tags(store: AsyncBucketStore, monkeypatch: pytest.MonkeyPatch) -> None:
    info = await store.put("key", b"data")
    assert await store.get_tags("key") == {}
    await store.put_tags("key", {"a": "1", "b": "x + y@z=1"})
    await store.put_tags("key", {"b": "x + y@z=1", "c": ""})
    assert await store.get_tags("key") == {"b": "x + y@z=1", "c": ""}
    assert (await store.head("key")).etag == info.etag
    await store.put_tags("key", {})
    assert await store.get_tags("key") == {}
    for work in (store.get_tags("nothing"), store.put_tags("nothing", {"a": "b"})):
        with pytest.raises(ObjectNotFound, match="tags 'nothing'"):
            await work
    monkeypatch.setattr(copying, "LIMIT", 6 * MIB)
    monkeypatch.setattr(copying, "PART_SIZE", 5 * MIB)
    await store.put("large", [LARGE])
    await store.put_tags("large", {"a": "1 2"})
    await store.copy("large", "copy")
    assert await store.get_tags("copy") == {"a": "1 2"}


async def test_a_source_that_is_replaced_while_it_is_copied_in_parts(
    faulty: AsyncBucketStore, between: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "LIMIT", 6 * MIB)
    monkeypatch.setattr(copying, "PART_SIZE", 5 * MIB)
    await faulty.put("key", [LARGE])

    async def replaced(exchange: Exchange) -> None:
        await faulty.put("key", [LARGE[::-1]])
        await fault.passed(exchange)

    between.when("PUT", replaced, target="copy?partNumber=1")
    await faulty.copy("key", "copy")
    assert await faulty.get("copy") == LARGE[::-1]  # one version, whole
    assert [upload async for upload in faulty.list_uploads()] == []


# -- versions ---------------------------------------------------------------------------------


async def test_versions(s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(s3_service)
    client = buckets.client(s3_service)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    async with connected(s3_service, bucket, prefix="own") as store:
        for number in range(3):
            await store.put("key", b"%d" % number, metadata={"n": str(number)})
        await store.delete("key")
        await store.put("other", b"x")
        store._send.settings.__dict__["_known"]["list_object_versions"] = {"MaxKeys": 2}
        found = [version async for version in store.list_versions()]
        assert [each.info.key for each in found] == ["key"] * 4 + ["other"]
        mark, *versions = [each for each in found if each.info.key == "key"]
        assert (mark.deleted, mark.latest, mark.info.size) == (True, True, None)
        assert not any(each.deleted or each.latest for each in versions)
        contents = [await store.get_version("key", each.version) for each in versions]
        assert contents == [b"2", b"1", b"0"]
        info = await store.head_version("key", versions[1].version)
        assert (info.metadata, info.etag) == ({"n": "1"}, versions[1].info.etag)
        for read in (store.get_version, store.head_version):
            with pytest.raises(ObjectNotFound):
                await read("key", mark.version)
        await store.delete_version("key", mark.version)  # which brings the object back
        assert await store.get("key") == b"2"
        await store.delete_version("key", versions[0].version)
        assert await store.get("key") == b"1"
        with pytest.raises(StoreError):
            await store.get_version("key", versions[0].version)
        assert [v.info.key async for v in store.list_versions("o")] == ["other"]


def test_versions_of_the_blocking_store(s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = new_bucket(s3_service)
    with BucketStore(buckets.client(s3_service), bucket) as store:
        store.with_options(tags={"a": "b"}).put("key", b"data")
        [version] = store.list_versions()
        assert isinstance(version, ObjectVersion)
        assert store.get_version("key", version.version) == b"data"
        assert store.get_tags("key") == {"a": "b"}


# -- presigned --------------------------------------------------------------------------------


async def test_presigned_urls(store: AsyncBucketStore) -> None:
    assert isinstance(store, SupportsPresign)
    async with aiohttp.ClientSession() as http:
        url = await store.presigned_put("key", 60, content_type="a/b")
        async with http.put(url, data=b"data", headers={"Content-Type": "a/b"}) as answer:
            assert answer.status == 200
        expires = datetime(2030, 1, 1, tzinfo=UTC)
        url = await store.presigned_get(
            "key", 60, content_disposition='attachment; filename="x"', content_type="c/d",
            cache_control="no-store", expires=expires,
        )  # fmt: skip
        async with http.get(url) as answer:
            assert await answer.read() == b"data"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="x"'
            assert answer.headers["Content-Type"] == "c/d"
        async with http.delete(await store.presigned_delete("key")) as answer:
            assert answer.status == 204
    assert not await store.exists("key")


async def test_a_signed_media_type_holds(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store, aiohttp.ClientSession() as http:
        url = await store.presigned_put("key", content_type="a/b")
        async with http.put(url, data=b"data", headers={"Content-Type": "c/d"}) as answer:
            assert answer.status == 403
        assert not await store.exists("key")


async def test_presigned_forms(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store, aiohttp.ClientSession() as http:
        post = await store.presigned_post("key", 60, sizes=(1, 10), content_type="a/b")

        async def send(data: bytes, **changes: str) -> int:
            form = aiohttp.FormData({**post.fields, **changes})
            form.add_field("file", data, filename="x", content_type="a/b")
            async with http.post(post.url, data=form) as answer:
                return answer.status

        assert await send(b"01234567890") >= 400
        assert await send(b"") >= 400
        assert await send(b"data", key=store._prefix + "other") >= 400
        assert [key async for key in store.keys()] == []
        assert await send(b"data") in (200, 204)
        assert await store.get("key") == b"data"


@pytest.mark.parametrize("expiry", [0, -1, 604_801, 1.5, True])
async def test_times_that_cannot_be(store: AsyncBucketStore, expiry: Any) -> None:
    for work in (
        store.presigned_get("key", expiry),
        store.presigned_put("key", expiry),
        store.presigned_delete("key", expiry),
        store.presigned_post("key", expiry),
    ):
        with pytest.raises(ConfigError, match="604800"):
            await work


async def test_presigned_nonsense(store: AsyncBucketStore) -> None:
    with pytest.raises(TypeError, match="location"):
        await store.presigned_get("key", location="x")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="sizes"):
        await store.presigned_post("key", sizes=(5, 1))
