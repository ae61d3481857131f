"""Values in buckets that come from boto3, beside minimalkv's own stores of that name."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest

from storage.kv import Boto3Store, Credentials, HBoto3Store, HS3FSStore, S3FSStore
from storage.object import NotSupported, StoreError
from tests.services.process import S3Service

boto3 = pytest.importorskip("boto3")


@pytest.fixture
def held(seaweedfs: S3Service, new_bucket: Callable[[S3Service], str]) -> Iterator[Any]:
    """A bucket as boto3 has it."""
    resource = boto3.resource(
        "s3",
        endpoint_url=seaweedfs.endpoint_url,
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        region_name=seaweedfs.region,
    )
    yield resource.Bucket(new_bucket(seaweedfs))
    resource.meta.client.close()


def test_what_it_puts_the_original_reads(held: Any) -> None:
    original = pytest.importorskip("minimalkv.net.boto3store")
    theirs = original.Boto3Store(held, object_prefix="pre-")
    with Boto3Store(held, object_prefix="pre-", metadata={"made": "here"}) as ours:
        ours.put("a", b"1")
        ours.put_file("b", io.BytesIO(b"2" * 100_000))
        theirs.put("c", b"3")
        assert [theirs.get(key) for key in "ab"] == [b"1", b"2" * 100_000]
        assert ours.get("c") == b"3"
        assert sorted(ours.keys()) == sorted(theirs.keys()) == ["a", "b", "c"]
        assert held.Object("pre-b").metadata == {"made": "here"}
        ours.delete("a")
        assert "a" not in theirs


def test_what_used_to_go_wrong_in_buckets(held: Any) -> None:
    """URLs have the prefix, copies the metadata, and the end of a value is no error."""
    with HBoto3Store(held, object_prefix="in/", url_valid_time=60, metadata={"k": "v"}) as store:
        store.put("a/b", b"value")
        with urlopen(store.url_for("a/b")) as answer:
            assert answer.read() == b"value"
        store.copy("a/b", "c")
        assert held.Object("in/c").metadata == {"k": "v"}
        store.put("empty", b"")
        for key, data in {"empty": b"", "c": b"value"}.items():
            with store.open(key) as file:
                assert file.read() == data
                assert file.read(5) == b""
                assert file.seek(100) == 100
                assert file.read() == b""
                with pytest.raises((OSError, ValueError)):
                    file.seek(-1)
    with Boto3Store(held, object_prefix="in/", url_valid_time=60, public=True) as public:
        assert public.url_for("c").endswith(f"/{held.name}/in/c")
    with pytest.warns(DeprecationWarning, match="object_prefix"):
        assert Boto3Store(held, prefix="old-").object_prefix == "old-"


def test_the_names_of_those_who_had_s3fs(held: Any) -> None:
    secret = Credentials("name", "canary-secret", "canary-token")
    assert "canary" not in repr(secret)
    with HS3FSStore(held, secret, object_prefix="x/") as store:
        store.put("a/b", b"1")
        assert store.keys() == ["a/b"]
        assert "canary" not in repr(store)
    with S3FSStore("never-asked-for", secret, region_name="eu-west-1") as store:
        assert store.bucket.name == "never-asked-for"
    with pytest.raises(NotSupported, match="profile"):
        S3FSStore(held, is_sts_credentials=True)


def test_a_bucket_is_made_when_it_is_told(held: Any) -> None:
    other = held.meta.client
    name = f"{held.name}-more"
    named = SimpleNamespace(name=name, meta=held.meta)
    with Boto3Store(named) as store, pytest.raises(StoreError):
        store.put("a", b"1")
    with Boto3Store(named, create_if_missing=True) as store:
        store.put("a", b"1")
        store.delete("a")
    other.delete_bucket(Bucket=name)
