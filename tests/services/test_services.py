"""The servers of the tests answer, keep what they are told and leave nothing behind."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service
from tests.services.seaweedfs import SeaweedFS

aiobotocore_session = pytest.importorskip("aiobotocore.session")


async def client(stack: AsyncExitStack, service: S3Service) -> Any:
    """An aiobotocore client of the service."""
    from aiobotocore.config import AioConfig

    return await stack.enter_async_context(
        aiobotocore_session.get_session().create_client(
            "s3",
            endpoint_url=service.endpoint_url,
            aws_access_key_id=service.access_key,
            aws_secret_access_key=service.secret_key,
            region_name=service.region,
            config=AioConfig(s3={"addressing_style": "path"}),
        )
    )


@pytest.mark.parametrize("number", range(4))
async def test_put_and_get(s3_service: S3Service, new_bucket: NewBucket, number: int) -> None:
    bucket = new_bucket(s3_service)
    async with AsyncExitStack() as stack:
        s3 = await client(stack, s3_service)
        await s3.put_object(Bucket=bucket, Key="key", Body=b"%d" % number)
        answer = await s3.get_object(Bucket=bucket, Key="key")
        assert await answer["Body"].read() == b"%d" % number


async def test_seaweedfs_has_no_forgiving_defaults(seaweedfs: S3Service) -> None:
    async with AsyncExitStack() as stack:
        s3 = await client(stack, seaweedfs)
        with pytest.raises(s3.exceptions.ClientError) as caught:
            await s3.put_object(Bucket="test-missing", Key="key", Body=b"")
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"


async def test_seaweedfs_refuses_a_wrong_secret(seaweedfs: S3Service) -> None:
    from dataclasses import replace

    async with AsyncExitStack() as stack:
        s3 = await client(stack, replace(seaweedfs, secret_key="wrong"))
        with pytest.raises(s3.exceptions.ClientError) as caught:
            await s3.list_buckets()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_the_shared_bucket_is_one(s3_service: S3Service, shared_bucket: NewBucket) -> None:
    assert shared_bucket(s3_service) == shared_bucket(s3_service)


def test_own_server_keeps_its_data_over_a_crash(own_seaweedfs: SeaweedFS) -> None:
    bucket = buckets.create_bucket(own_seaweedfs.service)
    s3 = buckets.client(own_seaweedfs.service)
    s3.put_object(Bucket=bucket, Key="key", Body=b"kept")
    own_seaweedfs.kill()
    own_seaweedfs.start()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"kept"


def test_the_secret_is_not_shown(s3_service: S3Service) -> None:
    assert s3_service.secret_key not in repr(s3_service) or s3_service.name == "moto"
