"""When the fast lane sends a request again, and when it does not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._async.backends.s3.errors import failure, translate
from storage._async.backends.s3.lane import retries
from storage._async.backends.s3.lane.errors import Refused, TooLong
from storage._async.backends.s3.lane.retries import Budget, Gate
from storage._async.backends.s3.lane.sending import Lane
from storage._async.backends.s3.lane.transport import ConnectionLost, SilenceError
from storage._core.errors import (
    AccessDenied,
    MalformedResponse,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from tests.backends.s3 import MIB, aiobotocore_client
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service


@pytest.fixture
def lane() -> str:
    return "fast"


def refusal(code: str = "SlowDown", status: int = 503, wait: str = "") -> Refused:
    return Refused(code, "on purpose", status, {"retry-after": wait})


def lane_of(store: AsyncBucketStore) -> Lane:
    opened = store._send.lanes._loops.peek()
    assert opened is not None
    assert opened.lane is not None
    return opened.lane


# -- the rules -------------------------------------------------------------------------------------


def test_what_passes() -> None:
    for error in (
        refusal(),
        refusal("500", 500),
        refusal("InternalError", 200),
        refusal("RequestTimeout", 400),
        refusal("429", 429),
        ConnectionLost("x", sent=True),
    ):
        assert retries.passing(error)
    for status in (400, 403, 404, 409, 412, 501, 507):
        assert not retries.passing(refusal("Other", status))
    assert not retries.passing(ValueError("x"))
    assert retries.passing(MalformedResponse("x"), reading=True)
    assert not retries.passing(MalformedResponse("x"))
    assert not retries.passing(TooLong("x"), reading=True)


def test_pauses_have_jitter_and_a_limit_and_heed_the_server() -> None:
    for number in range(1, 12):
        longest = min(retries.LONGEST_PAUSE, retries.FIRST_PAUSE * 2 ** (number - 1))
        pauses = {retries.pause_before(number, refusal()) for _ in range(50)}
        assert len(pauses) > 10
        assert 0 <= min(pauses) <= max(pauses) <= longest
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    for told, least, most in (("3", 3, 3), (later, 18, 20), ("9999", 60, 60), ("soon", 0, 0.1)):
        assert least <= retries.pause_before(1, refusal(wait=told)) <= most


def test_the_budget() -> None:
    budget = Budget()
    assert [budget.take(refusal()) for _ in range(101)] == [5.0] * 100 + [None]
    budget.give(12)
    assert budget.take(SilenceError("x", sent=True)) == 10.0
    assert budget.take(refusal()) is None
    budget.give(9999)
    assert budget.left == 500


async def test_the_gate_narrows_and_widens() -> None:
    gate = Gate(8)
    epochs = [await gate.enter() for _ in range(8)]
    waiting = [asyncio.ensure_future(gate.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    gate.leave(epochs.pop(), slower=True)
    assert gate.limit == 4
    for epoch in epochs:  # of the same time: they tell nothing new
        gate.leave(epoch, slower=True)
    assert gate.limit == 4
    waiting.pop(1).cancel()
    late = await asyncio.gather(*waiting)
    assert gate.inside == 2
    for epoch in late:
        gate.leave(epoch, slower=False)
    assert 4.4 < gate.limit < 4.5
    for _ in range(100):
        gate.leave(await gate.enter(), slower=False)
    assert (gate.limit, gate.inside) == (8, 0)
    for _ in range(9):
        gate.leave(await gate.enter(), slower=True)
    assert gate.limit == 1


async def test_the_gate_loses_no_place_to_the_cancelled() -> None:
    gate = Gate(1)
    epoch = await gate.enter()
    first, second = (asyncio.ensure_future(gate.enter()) for _ in range(2))
    await asyncio.sleep(0)
    gate.leave(epoch, slower=None)  # the first is given the place, and is cancelled at once
    first.cancel()
    await asyncio.wait_for(second, 5)
    gate.leave(epoch, slower=None)
    assert gate.inside == 0


# -- over the wire ---------------------------------------------------------------------------------


async def test_a_server_that_is_down_sees_no_storm(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    between.when("GET", fault.refused(503, "SlowDown"), times=-1)
    outcomes = await asyncio.gather(
        *(faulty.get(f"{number}") for number in range(60)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert len(between.sent("GET")) <= 60 + 500 // 5 < 60 * 5
    assert lane_of(faulty)._gate.limit < 16


async def test_retries_are_counted(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    await faulty.put("key", b"data")
    between.when("HEAD", fault.refused(503, "SlowDown"), times=2)
    with pytest.raises(StoreError) as caught:
        await faulty.head("none")
    assert failure(caught.value).retries == 2
    between.when("GET", fault.refused(500, "InternalError"), times=3)
    answer = await faulty._send("get_object", Key=faulty._prefix + "key")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3
    answer["Body"].close()


@pytest.mark.parametrize("operation", ["copy", "complete"])
async def test_an_error_inside_a_success(
    faulty: AsyncBucketStore, between: FaultProxy, operation: str
) -> None:
    await faulty.put("key", b"data")

    async def act() -> None:
        if operation == "copy":
            await faulty.copy("key", "copy")
        else:
            await faulty.put("parts", iter([bytes(6 * MIB)]))

    method, target = ("PUT", "copy") if operation == "copy" else ("POST", "uploadId")
    text = b"  \n<?xml version='1.0'?>\n<Error><Code>%s</Code><Message>m</Message></Error>"
    between.when(method, fault.answered(200, text % b"InternalError"), target=target)
    await act()
    assert len(between.sent(method, target)) == 2
    between.when(method, fault.answered(200, text % b"AccessDenied"), target=target)
    with pytest.raises(AccessDenied):
        await act()
    assert len(between.sent(method, target)) == 3
    between.when(method, fault.answered(200, text % b"PreconditionFailed"), target=target)
    source = {"Bucket": faulty.bucket_name, "Key": "key"}
    with pytest.raises(PreconditionFailed):
        if operation == "copy":
            await faulty._send("copy_object", Key="copy", CopySource=source)
        else:
            await faulty._send(
                "complete_multipart_upload", Key="k", UploadId="u", MultipartUpload={"Parts": []}
            )


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
async def test_a_wrong_clock_is_set_once(
    faulty: AsyncBucketStore, between: FaultProxy, seconds: float
) -> None:
    await faulty.put("key", b"data")
    for act, method in ((faulty.get, "GET"), (faulty.head, "HEAD")):
        lane_of(faulty)._signer.skew = seconds
        before = len(between.sent(method))
        await act("key")
        assert len(between.sent(method)) == before + 2
        assert abs(lane_of(faulty)._signer.skew) < 5
        await act("key")
        assert len(between.sent(method)) == before + 3
    between.when("GET", fault.refused(403, "RequestTimeTooSkewed"), times=-1)
    before = len(between.sent("GET"))
    with pytest.raises(AccessDenied):
        await faulty.get("key")
    assert len(between.sent("GET")) == before + 1  # it did not tell the time


async def test_credentials_that_expire_before_their_time(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from aiobotocore.credentials import AioRefreshableCredentials
    from aiobotocore.session import get_session

    asked = []

    async def fresh() -> dict[str, Any]:
        asked.append(True)
        return {
            "access_key": seaweedfs.access_key,
            "secret_key": seaweedfs.secret_key,
            "token": None,
            "expiry_time": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        }

    session = get_session()
    session._credentials = AioRefreshableCredentials.create_from_metadata(
        await fresh(), fresh, "test"
    )
    async with (
        session.create_client(
            "s3", endpoint_url=between.url, region_name=seaweedfs.region
        ) as client,
        AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="expired") as store,
    ):
        await store.put("key", b"data")
        assert len(asked) == 1
        lender = client._request_signer._credentials
        lender._frozen_credentials = lender._frozen_credentials._replace(token="old")
        between.when("GET", fault.refused(400, "ExpiredToken"), times=5)
        assert await asyncio.gather(*(store.get("key") for _ in range(5))) == [b"data"] * 5
        assert len(asked) == 2  # one of them for all
        between.when("GET", fault.refused(400, "ExpiredToken"), times=2)
        for _ in range(2):  # the new ones, which are refused at once, are not at fault
            with pytest.raises(AccessDenied):
                await store.get("key")
        assert len(asked) == 2
        assert list(store.lanes) == ["fast"]


async def test_a_bucket_elsewhere_is_the_clients(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    away = fault.answered(
        301,
        b"<Error><Code>PermanentRedirect</Code></Error>",
        **{"x-amz-bucket-region": "eu-west-3"},
    )
    await faulty.put("key", b"data")
    between.when("GET", away)
    assert await faulty.get("key") == b"data"
    await faulty.head("key")
    assert faulty.lanes == {
        "client": {"get_object": 1, "head_object": 1},
        "fast": {"get_object": 1, "put_object": 1},
    }


async def test_the_deadline_includes_the_wait_for_a_connection(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from aiobotocore.config import AioConfig

    async with (
        aiobotocore_client(
            seaweedfs, endpoint_url=between.url, config=AioConfig(max_pool_connections=1)
        ) as client,
        AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="wait") as store,
    ):
        await store.put("key", b"data")
        between.when("GET", fault.hang)
        hanging = asyncio.ensure_future(store.get("key"))
        await between.reached("GET")
        store._timeout = 0.05
        with pytest.raises(StoreTimeout):
            await store.get("key")
        assert len(between.sent("GET")) == 1
        hanging.cancel()
        await asyncio.wait([hanging])
        store._timeout = 60
        assert await store.get("key") == b"data"


async def test_answers_that_never_end(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    await faulty.put("key", b"data")
    bomb = b"<!DOCTYPE a [<!ENTITY b 'x'>]><ListBucketResult>&b;</ListBucketResult>"
    between.when("GET", fault.answered(200, bomb), target="list-type", times=-1)
    with pytest.raises(StoreError, match="document type"):
        _ = [key async for key in faulty.keys()]
    long = b"<Error>" + b" " * (2 * MIB)
    between.when("HEAD", fault.answered(403), times=1)
    between.when("GET", fault.answered(404, long), times=1)
    with pytest.raises(StoreError, match="longer than"):
        await faulty.get("key")
    assert await faulty.get("key") == b"data"


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("", None), ("soon", None)])
def test_a_wish_to_be_asked_later_reaches_the_caller(told: str, seconds: float | None) -> None:
    error = translate(refusal(wait=told))
    assert isinstance(error, StoreUnavailable)
    assert error.retry_after == seconds
