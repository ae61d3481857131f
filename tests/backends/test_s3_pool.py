"""The S3 store's connections, when requests are cancelled and stores closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._core.errors import (
    StoreError,
)
from tests.backends.s3 import LANES, busy_connections, collected
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

pytestmark = pytest.mark.parametrize("lane", LANES)

BODY = bytes(range(256)) * 4096


async def test_cancelled_requests_leave_the_pool_whole(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", BODY)
    between.when("GET", fault.slow(50_000, 0.02), times=-1)

    async def begin(number: int) -> None:
        if number % 3 == 0:
            await faulty.get("key")
        elif number % 3 == 1:
            await collected(faulty, "key")
        else:
            async with faulty.open_reader("key") as reader:
                await reader.read(1000)
                await asyncio.sleep(60)

    tasks = [asyncio.create_task(begin(number)) for number in range(60)]
    await asyncio.sleep(0.4)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    assert await busy_connections(faulty) == 0
    between.when("GET", fault.passed, times=-1)
    async with asyncio.timeout(5):
        await asyncio.gather(*(faulty.put(f"k{n}", b"x") for n in range(70)))


async def test_an_injected_client_of_ten_connections_is_not_wedged(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket, lane: str
) -> None:
    from aiobotocore.session import get_session

    async with get_session().create_client(
        "s3",
        endpoint_url=between.url,
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        region_name=seaweedfs.region,
    ) as client:
        faulty = AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="wedge", lane=lane)
        await faulty.put("key", BODY)
        between.when("GET", fault.slow(50_000, 0.02), times=50)
        streams: list[Any] = [faulty.stream("key") for _ in range(50)]
        tasks = [asyncio.create_task(anext(stream)) for stream in streams]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in streams:
            await stream.aclose()
        assert await busy_connections(faulty) == 0
        async with asyncio.timeout(5):
            assert await asyncio.gather(*(faulty.get("key") for _ in range(20))) == [BODY] * 20
        await faulty.aclose()
        assert (await client.head_object(Bucket=faulty.bucket_name, Key="wedge/key"))["ETag"]  # pyright: ignore[reportGeneralTypeIssues]


async def test_closing_ends_what_is_on_its_way(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    between.when("GET", fault.hang, times=-1)
    tasks = [asyncio.create_task(faulty.get("key")) for _ in range(3)]
    await between.reached("GET")
    await faulty.aclose()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, StoreError) for outcome in outcomes)
