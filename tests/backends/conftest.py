"""Fixtures of the backends' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.proxy import FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

if TYPE_CHECKING:  # the tests without extras load this file, too
    from storage._async.backends.s3 import AsyncBucketStore


@pytest.fixture
async def between(seaweedfs: S3Service) -> AsyncIterator[FaultProxy]:
    """A proxy before SeaweedFS."""
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        yield between


@pytest.fixture
def lane() -> str:
    """How the store sends its requests; some modules go through all the ways."""
    return "auto"


@pytest.fixture
async def faulty(
    between: FaultProxy,
    seaweedfs: S3Service,
    shared_bucket: NewBucket,
    monkeypatch: pytest.MonkeyPatch,
    lane: str,
) -> AsyncIterator[AsyncBucketStore]:
    """A store that reaches SeaweedFS through the proxy, and pauses but briefly between tries."""
    from tests.backends import s3

    s3.without_pauses(monkeypatch)
    async with s3.own_corner(
        seaweedfs, shared_bucket, endpoint_url=between.url, part_size=5 * s3.MIB, lane=lane
    ) as store:
        yield store
