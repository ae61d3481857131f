"""The S3 store when what it reads breaks off, is replaced or is not what was asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, reading
from storage._core.errors import (
    IntegrityError,
    MalformedResponse,
    ObjectNotFound,
    PreconditionFailed,
    StoreUnavailable,
)
from tests.backends.s3 import LANES, collected
from tests.faults import fault
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.wire import Response

pytestmark = pytest.mark.parametrize("lane", LANES)

BODY = bytes(range(256)) * 4096


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_body_that_breaks_is_resumed(
    faulty: AsyncBucketStore, between: FaultProxy, by_reset: bool
) -> None:
    info = await faulty.put("key", BODY)
    for read in (faulty.get("key"), faulty.get_range("key", 1000), collected(faulty, "key")):
        between.when("GET", fault.cut(100_000, by_reset=by_reset), times=3)
        before = len(between.sent("GET"))
        data = await read
        assert data == BODY or data == BODY[1000:]
        asked = between.sent("GET")[before:]
        assert len(asked) == 4
        assert all(request.headers["if-match"] == f'"{info.etag}"' for request in asked[1:])


async def test_resuming_is_bounded(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    await faulty.put("key", BODY)
    between.when("GET", fault.cut(10), times=-1)
    with pytest.raises(StoreUnavailable):
        await faulty.get("key")
    assert len(between.sent("GET")) == reading.BREAKS + 1


async def test_two_versions_are_never_spliced(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", BODY)
    other = BODY[::-1]

    async def replaced(exchange: Exchange) -> None:
        answer = await exchange.forward()
        await faulty.put("key", other)
        await exchange.send(answer.encode()[:200_000])
        await exchange.reset()

    between.when("GET", replaced)
    assert await faulty.get("key") == other  # read again from its beginning
    await faulty.put("key", BODY)
    between.when("GET", replaced)
    with pytest.raises(PreconditionFailed, match="replaced while it was read"):
        await collected(faulty, "key")


async def test_a_changed_byte_is_seen(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    def flip(answer: Response) -> None:
        answer.body = b"X" + answer.body[1:]

    await faulty.put("key", BODY)
    between.when("GET", fault.changed(flip))
    assert await faulty.get("key") == BODY  # read again
    between.when("GET", fault.changed(flip), times=2)
    with pytest.raises(IntegrityError):
        await faulty.get("key")
    between.when("GET", fault.changed(flip))
    with pytest.raises(IntegrityError):
        await collected(faulty, "key")


def status_200(answer: Response) -> None:
    """A server that knows no ranges."""
    answer.status = 200
    answer.headers.pop("content-range")
    answer.body = BODY


def header(**headers: str | None) -> Callable[[Response], None]:
    def change(answer: Response) -> None:
        for name, value in headers.items():
            answer.headers.pop(name.replace("_", "-"), None)
            if value is not None:
                answer.headers[name.replace("_", "-")] = value

    return change


async def test_a_range_answered_with_all_is_cut(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", BODY)
    between.when("GET", fault.changed(status_200), times=-1)
    assert await faulty.get_range("key", 300_000, 300_010) == BODY[300_000:300_010]
    assert await faulty.get_range("key", -10) == BODY[-10:]
    assert await faulty.get_range("key", 0, 10) == BODY[:10]


@pytest.mark.parametrize(
    "change",
    [
        header(content_range="bytes 11-20/1048576"),
        header(content_range="bytes 10-20/1048576"),
        header(content_range="bytes 10-19/15"),
        header(content_range="nonsense"),
        header(content_range=None),
        header(etag=None),
        header(etag='"another"'),
    ],
)
async def test_wrong_answers_to_a_range(
    faulty: AsyncBucketStore, between: FaultProxy, change: Callable[[Response], None]
) -> None:
    info = await faulty.put("key", BODY)
    between.when("GET", fault.changed(change), times=-1)
    with pytest.raises((MalformedResponse, PreconditionFailed)):
        await faulty.get_range("key", 10, 20, if_match=info.etag)


async def test_a_head_that_tells_nothing(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    between.when("HEAD", fault.answered(200))
    with pytest.raises(MalformedResponse):
        await faulty.head("key")


async def test_a_missing_object_after_a_resumed_read(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", BODY)

    async def removed(exchange: Exchange) -> None:
        answer = await exchange.forward()
        await faulty.delete("key")
        await exchange.send(answer.encode()[:200_000])
        await exchange.reset()

    between.when("GET", removed)
    with pytest.raises(ObjectNotFound):
        await faulty.get("key")
