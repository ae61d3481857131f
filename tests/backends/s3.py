"""What the tests of the S3 store share."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

import pytest

from storage._async.backends.s3 import AsyncBucketStore
from storage._core.info import Capability
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

# What moto takes no notice of, without a word.
MOTO_LACKS = Capability.COPY_IF_ABSENT
MIB = 1024 * 1024


def connected(service: S3Service, bucket: str, **options: Any) -> AsyncBucketStore:
    """A store with a client of its own."""
    defaults = {
        "endpoint_url": service.endpoint_url,
        "region_name": service.region,
        "aws_access_key_id": service.access_key,
        "aws_secret_access_key": service.secret_key,
        "lacking": MOTO_LACKS if service.name == "moto" else Capability.NONE,
    }
    return AsyncBucketStore.connect(bucket, **{**defaults, **options})


@cache
def session() -> Any:
    """A user's own session; to make another one costs 0.1 s."""
    from aiobotocore.session import get_session

    return get_session()


def aiobotocore_client(service: S3Service, **options: Any) -> Any:
    """A user's own client, to be entered."""
    defaults = {
        "endpoint_url": service.endpoint_url,
        "aws_access_key_id": service.access_key,
        "aws_secret_access_key": service.secret_key,
        "region_name": service.region,
    }
    return session().create_client("s3", **{**defaults, **options})


def own_corner(service: S3Service, shared_bucket: NewBucket, **options: Any) -> AsyncBucketStore:
    """A store under a prefix that no other test has."""
    return connected(service, shared_bucket(service), prefix=f"{secrets.token_hex(8)}", **options)


def uploads(service: S3Service, bucket: str) -> list[str]:
    """The keys of the multipart uploads that were begun and neither ended nor aborted."""
    found = buckets.client(service).list_multipart_uploads(Bucket=bucket)
    return [upload["Key"] for upload in found.get("Uploads", ())]


def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every lane pause but briefly between tries."""
    from botocore.retries.standard import ExponentialBackoff

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)
    monkeypatch.setattr("storage._async.backends.s3.lane.retries.FIRST_PAUSE", 0.01)


LANES = ("fast", "aiohttp", "client")


async def busy_connections(store: AsyncBucketStore) -> int:
    """How many connections a store has in use on this loop, whatever lane it takes."""
    lanes = store._send.lanes
    opened = None if lanes._name == "client" else lanes._loops.peek()
    if opened is None or opened.lane is None:
        client = await store._clients.get()
        sessions = client._endpoint.http_session._sessions.values()
        return sum(len(session.connector._acquired) for session in sessions)
    transport: Any = opened.lane._transport
    if lanes._name == "aiohttp":
        return len(transport._session.connector._acquired)
    return transport._pool._taken  # type: ignore[no-any-return]


async def collected(store: AsyncBucketStore, key: str) -> bytes:
    """The object as it streams."""
    return b"".join([chunk async for chunk in store.stream(key)])
