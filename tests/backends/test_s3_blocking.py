"""The blocking twin of the S3 store: other people's clients, threads, and its end."""

from __future__ import annotations

import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._core.errors import ObjectNotFound
from storage.s3 import BucketStore
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service


def use(store: Any) -> None:
    """Each kind of verb once."""
    store.put("key", b"data", content_type="text/x")
    store.put("streamed", iter([b"da", b"ta"]))
    assert store.get("key") == store.get("streamed") == b"data"
    assert list(store.keys()) == ["key", "streamed"]
    assert store.head("key").content_type == "text/x"
    with store.open_reader("key") as reader:
        assert reader.read() == b"data"
    assert "X-Amz-Signature=" in store.presigned_get("key")
    with pytest.raises(ObjectNotFound):
        store.get("nothing")
    assert store.clear() == 2


def test_a_blocking_client(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    client, bucket = buckets.client(seaweedfs), shared_bucket(seaweedfs)
    with BucketStore(client, bucket, prefix=secrets.token_hex(8)) as store:
        assert store.bucket_name == bucket
        use(store)
    assert client.list_buckets()["Buckets"]


def test_a_boto3_client(moto: S3Service, shared_bucket: NewBucket) -> None:
    boto3 = pytest.importorskip("boto3")
    client = boto3.client(
        "s3",
        endpoint_url=moto.endpoint_url,
        aws_access_key_id=moto.access_key,
        aws_secret_access_key=moto.secret_key,
        region_name=moto.region,
    )
    with BucketStore(shared_bucket(moto), client, prefix=secrets.token_hex(8)) as store:
        use(store)


@pytest.mark.allow_blocking("a blocking class used on a running loop is what is tested")
async def test_an_asyncio_client(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    from aiobotocore.session import get_session

    async with get_session().create_client(
        "s3",
        endpoint_url=seaweedfs.endpoint_url,
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        region_name=seaweedfs.region,
    ) as client:
        options: Any = {"client": client, "bucket_name": shared_bucket(seaweedfs)}
        # Its loop is blocked meanwhile: the twin must not need it.
        with BucketStore(**options, prefix=secrets.token_hex(8)) as store:
            use(store)
        assert (await client.list_buckets())["Buckets"]  # pyright: ignore[reportGeneralTypeIssues]


def connect(service: S3Service, bucket: str) -> BucketStore:
    return BucketStore.connect(
        bucket,
        prefix=secrets.token_hex(8),
        endpoint_url=service.endpoint_url,
        region_name=service.region,
        aws_access_key_id=service.access_key,
        aws_secret_access_key=service.secret_key,
    )


def test_many_threads(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    with connect(seaweedfs, shared_bucket(seaweedfs)) as store, ThreadPoolExecutor(8) as pool:
        _ = list(pool.map(lambda n: store.put(f"k{n:02}", bytes([n])), range(40)))
        assert list(pool.map(lambda n: store.get(f"k{n:02}"), range(40))) == [
            bytes([n]) for n in range(40)
        ]


def test_an_unclosed_store_neither_hangs_nor_complains_at_exit(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    code = f"""
from storage.s3 import BucketStore
store = BucketStore.connect(
    {shared_bucket(seaweedfs)!r},
    prefix="exit",
    endpoint_url={seaweedfs.endpoint_url!r},
    region_name="us-east-1",
    aws_access_key_id={seaweedfs.access_key!r},
    aws_secret_access_key={seaweedfs.secret_key!r},
)
store.put("key", b"data")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
