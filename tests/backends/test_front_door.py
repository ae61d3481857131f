"""The lines that users write first: constructors, URLs, missing stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from storage import open_async_store, open_store
from storage.db import SqliteStore
from storage.fs import FilesystemStore, HashdirStore, SafeFilesystemStore
from storage.object import ConfigError, DictStore, ObjectStore, StoreNotFound
from storage.s3 import AsyncBucketStore, BucketStore
from storage.utils import CachingStore, FanoutStore, MirroringStore, sync_stores
from storage.zip import ZipStore
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

FORMS = ["file", "hashdir", "safe", "sqlite", "zip"]


def exercise(store: Any) -> None:
    """What every amplify user does with a store."""
    store.put("a/key", b"value")
    assert store.get("a/key") == b"value"
    assert store.exists("a/key")
    assert list(store.keys()) == ["a/key"]
    store.delete("a/key")
    assert not store.exists("a/key")
    with pytest.raises(KeyError):
        store.get("a/key")
    with pytest.raises(KeyError):
        store.delete("a/key")


def test_the_constructors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exercise(FilesystemStore("dir"))
    exercise(FilesystemStore(Path("dir2")))
    exercise(SafeFilesystemStore("safe"))
    exercise(HashdirStore("hashed", width=2, depth=3))
    exercise(DictStore())
    with SqliteStore("x.sqlite") as database:
        exercise(database)
    with ZipStore("x.zip") as archive:
        exercise(archive)
    objects = {"a": b"1"}
    assert DictStore(objects).get("a") == b"1"
    assert DictStore(objects).objects is objects


def test_stores_of_stores(tmp_path: Path) -> None:
    one, two = FilesystemStore(tmp_path / "one"), DictStore()
    exercise(FanoutStore([one, two]))
    exercise(CachingStore(main_store=FilesystemStore(tmp_path / "main"), cache_store=DictStore()))
    assert MirroringStore is FanoutStore
    one.put("a", b"1")
    assert sync_stores(one, two, delete=True).copied == 1
    assert two.objects == {"a": b"1"}


def test_a_users_own_blocking_store_fits_in() -> None:
    class Upper:
        """Not derived from anything."""

        def __init__(self) -> None:
            self.held: dict[str, bytes] = {}

        def get(self, key: str) -> bytes:
            return self.held[key].upper()

        def put(self, key: str, data: bytes) -> None:
            self.held[key] = data

        def exists(self, key: str) -> bool:
            return key in self.held

        def delete(self, key: str) -> None:
            del self.held[key]

        def keys(self, **options: Any) -> Any:
            return iter(list(self.held))

    class Derived(Upper, ObjectStore):
        """Derived from the protocol, as amplify's users do."""

    for kind in (Upper, Derived):
        own, plain = kind(), DictStore()
        store = FanoutStore([own, plain])
        store.put("a", b"x")
        assert store.get("a") == b"X"
        assert plain.get("a") == b"x"
        assert list(store.keys()) == ["a"]


@pytest.mark.parametrize("scheme", FORMS)
def test_a_url_opens_a_store(scheme: str, tmp_path: Path) -> None:
    url = f"{scheme}://{tmp_path}/made/by/the first write"
    with open_store(url) as store:
        for read in (
            lambda: store.get("a"),
            lambda: store.head("a"),
            lambda: store.exists("a"),
            lambda: list(store.keys()),
            lambda: list(store.list()),
            store.list_with_delimiter,
        ):
            with pytest.raises(StoreNotFound):
                read()
        assert not (tmp_path / "made").exists()
        exercise(store)
    with open_store(url) as store:
        assert list(store.keys()) == []
    with pytest.raises(ConfigError, match="durable"):
        open_store(f"{url}?durible=true")


@pytest.mark.parametrize("scheme", FORMS)
async def test_a_url_opens_an_async_store(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_async_store(f"{scheme}://relative?durable=false&timeout=5") as store:
        await store.put("a", b"1")
        assert [key async for key in store.keys()] == ["a"]
    assert (tmp_path / "relative").exists()


def test_memory_has_a_url_too() -> None:
    exercise(open_store("memory://"))


def test_buckets(s3_service: S3Service, new_bucket: NewBucket) -> None:
    from botocore.session import get_session

    bucket = new_bucket(s3_service)
    client = get_session().create_client(
        "s3",
        endpoint_url=s3_service.endpoint_url,
        aws_access_key_id=s3_service.access_key,
        aws_secret_access_key=s3_service.secret_key,
        region_name=s3_service.region,
    )
    for store in (
        BucketStore(client, bucket),
        BucketStore(bucket, client),
        BucketStore(bucket_name=bucket, client=client),
    ):
        with store:
            exercise(store)
    url = (
        f"s3://{s3_service.access_key}:{s3_service.secret_key}@{bucket}/prefix"
        f"?endpoint_url={s3_service.endpoint_url}&region={s3_service.region}"
    )
    with open_store(url) as opened:
        exercise(opened)
    with open_store(url.replace(bucket, f"{bucket}-none")) as missing:
        with pytest.raises(StoreNotFound):
            missing.get("a")
        with pytest.raises(StoreNotFound):
            list(missing.keys())
        with pytest.raises(StoreNotFound):
            missing.put("a", b"1")


async def test_a_connected_bucket(s3_service: S3Service, new_bucket: NewBucket) -> None:
    async with AsyncBucketStore.connect(
        new_bucket(s3_service),
        endpoint_url=s3_service.endpoint_url,
        aws_access_key_id=s3_service.access_key,
        aws_secret_access_key=s3_service.secret_key,
        region_name=s3_service.region,
    ) as store:
        await store.put("a", b"1")
        assert await store.get("a") == b"1"
        assert (await store.presigned_get("a")).startswith(s3_service.endpoint_url)
