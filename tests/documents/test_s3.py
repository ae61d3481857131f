"""Documents in a bucket: each value an object, and a collection in one."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("aiobotocore")

from storage.documents import (
    UID,
    AsyncFileBackend,
    AsyncStorage,
    StorageLockedException,
)
from storage.object import PreconditionFailed
from tests.backends.s3 import own_corner
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

ONE = UID("1" * 32)


async def test_documents_in_a_bucket(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(seaweedfs, shared_bucket) as bucket:
        async with AsyncStorage(bucket) as documents:
            await asyncio.gather(*(documents.put(ONE, f"k/{n}", b"%d" % n) for n in range(4)))
            assert await documents.get_document(ONE) == {f"k/{n}": b"%d" % n for n in range(4)}
            await documents.delete_document(ONE)
        first = AsyncStorage(AsyncFileBackend(bucket, "notes.json"))
        bold = AsyncStorage(AsyncFileBackend(bucket, "notes.json", lock="none"))
        async with first:
            await first.put(ONE, "key", b"1")
            with pytest.raises(StorageLockedException):
                await AsyncStorage(AsyncFileBackend(bucket, "notes.json")).open()
            await bold.put(ONE, "key", b"2")
            await first.sync()
            with pytest.raises(PreconditionFailed):
                await bold.sync()
            await bold.close({"sync": False})
        assert [key async for key in bucket.keys()] == ["notes.json"]
