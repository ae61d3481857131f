"""Stores on a real server, reached through a proxy that counts and does wrong."""

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
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large is smaller here, and pauses are brief."""
    from storage._async.backends.s3 import passing, uploads
    from storage._async.transfer.copying import copier
    from tests.backends import s3

    monkeypatch.setattr(copier, "WHOLE", 256 * 1024)
    monkeypatch.setattr(passing, "LARGE_PUT", s3.MIB)
    monkeypatch.setattr(uploads, "LARGE_PUT", s3.MIB)
    s3.without_pauses(monkeypatch)


@pytest.fixture
async def near(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket, _small_limits: None
) -> AsyncIterator[AsyncBucketStore]:
    """A store that is reached through the proxy."""
    from tests.backends import s3

    async with s3.own_corner(
        seaweedfs, shared_bucket, endpoint_url=between.url, part_size=5 * s3.MIB
    ) as store:
        yield store


@pytest.fixture
async def beside(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket, _small_limits: None
) -> AsyncIterator[AsyncBucketStore]:
    """Another one of the same service."""
    from tests.backends import s3

    async with s3.own_corner(
        seaweedfs, shared_bucket, endpoint_url=between.url, part_size=5 * s3.MIB
    ) as store:
        yield store


@pytest.fixture
async def far(
    seaweedfs: S3Service, shared_bucket: NewBucket, _small_limits: None
) -> AsyncIterator[AsyncBucketStore]:
    """One of another service, as far as anybody can tell: it is reached by another address."""
    from tests.backends import s3

    async with s3.own_corner(seaweedfs, shared_bucket, part_size=5 * s3.MIB) as store:
        yield store
