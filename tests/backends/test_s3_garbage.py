"""The S3 store when a server's listings and reports are not what they claim to be."""

from __future__ import annotations

import asyncio
import re

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, listing
from storage._core.errors import (
    AccessDenied,
    BulkError,
    MalformedResponse,
    StoreError,
    StoreUnavailable,
)
from tests.backends.s3 import LANES
from tests.faults import fault
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.wire import Response

pytestmark = pytest.mark.parametrize("lane", LANES)


def without(pattern: str, instead: str = "") -> Fault:
    def change(answer: Response) -> None:
        text, count = re.subn(pattern, instead, answer.body.decode())
        assert count
        answer.body = text.encode()

    return fault.changed(change)


@pytest.mark.parametrize(
    "fault",
    [
        fault.answered(200),
        fault.answered(200, b"<html><body>Welcome to the hotel!</body></html>"),
        fault.answered(200, b"<!doctype html><p>not <b>even</i> XML"),
        fault.answered(200, b"<?xml version='1.0'?><Other/>"),
        fault.answered(200, b'{"keys": []}'),
        fault.changed(lambda answer: setattr(answer, "body", answer.body[:-40])),
        without("<KeyCount>3</KeyCount>"),
        without("<KeyCount>3</KeyCount>", "<KeyCount>4</KeyCount>"),
        without("<Contents>.*?</Contents>"),
        without("<Name>[^<]*</Name>", "<Name>another</Name>"),
        without("<IsTruncated>false</IsTruncated>"),
        without("<IsTruncated>false", "<IsTruncated>true"),
        without("<Size>1</Size>"),
        without("<Key>[^<]*b</Key>", "<Key>elsewhere</Key>"),
    ],
)
async def test_a_listing_is_whole_or_an_error(
    faulty: AsyncBucketStore, between: FaultProxy, fault: Fault
) -> None:
    for key in "abc":
        await faulty.put(key, b"x")
    between.when("GET", fault, target="list-type=2", times=-1)
    with pytest.raises(MalformedResponse):
        _ = [key async for key in faulty.keys()]
    with pytest.raises(MalformedResponse):
        await faulty.list_with_delimiter()
    with pytest.raises(MalformedResponse):
        await faulty.clear()
    assert await faulty.get("a") == b"x"


@pytest.mark.parametrize(
    "fault",
    [
        fault.answered(200, b"<p>not <b>even</i> XML"),
        fault.changed(lambda answer: setattr(answer, "body", answer.body[:-40])),
    ],
)
async def test_garbage_that_passes(
    faulty: AsyncBucketStore, between: FaultProxy, fault: Fault
) -> None:
    await faulty.put("a", b"x")
    between.when("GET", fault, target="list-type=2")
    assert [key async for key in faulty.keys()] == ["a"]
    assert len(between.sent("GET", "list-type=2")) == 2


async def test_a_wrong_guess_of_the_next_page_costs_but_a_request(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    """The token in a comment, which looks like the real one, is asked for and dropped."""
    for key in "abc":
        await faulty.put(key, b"x")

    def change(answer: Response) -> None:
        comment = b"<!--<NextContinuationToken>other</NextContinuationToken>--><Name>"
        answer.body = answer.body.replace(b"<Name>", comment)

    between.when("GET", fault.changed(change), target="list-type=2", times=-1)
    assert [key async for key in faulty.keys()] == ["a", "b", "c"]


@pytest.mark.parametrize("ahead", [fault.hang, fault.refused(403, "AccessDenied")])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_the_page_on_its_way_goes_with_the_listing(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    ahead: Fault,
    cancelled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for it, hears of its error, or finds its task left over."""
    monkeypatch.setattr(listing, "PAGE", 2)
    for key in "abc":
        await faulty.put(key, b"x")
    between.when("GET", ahead, target="continuation-token=", times=-1)
    before = asyncio.all_tasks()
    keys = faulty.keys()
    assert [await anext(keys), await anext(keys)] == ["a", "b"]
    await between.reached("GET", "continuation-token=")
    if cancelled:
        third = asyncio.ensure_future(anext(keys))
        await asyncio.sleep(0)
        third.cancel()
        with pytest.raises((asyncio.CancelledError, AccessDenied)):
            await third
    await keys.aclose()  # type: ignore[attr-defined]
    ours = {task for task in asyncio.all_tasks() - before if "Listing" in repr(task.get_coro())}
    assert not ours


async def test_a_listing_that_turns_in_circles(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("a", b"x")
    endless = without(
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    )
    between.when("GET", endless, target="list-type=2", times=-1)
    with pytest.raises(MalformedResponse, match="goes on"):
        _ = [key async for key in faulty.keys()]


async def test_each_key_of_a_bulk_delete_has_its_error(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await asyncio.gather(*(faulty.put(key, b"x") for key in ("a", "b", "c", "d")))

    def change(answer: Response) -> None:
        text = answer.body.decode()
        own = re.findall("<Key>([^<]*)a</Key>", text)[0]
        for key, code in (("b", "AccessDenied"), ("c", "InternalError")):
            error = f"<Error><Key>{own}{key}</Key><Code>{code}</Code><Message>m</Message></Error>"
            text = re.sub(f"<Deleted><Key>{own}{key}</Key>.*?</Deleted>", error, text)
        text = re.sub(f"<Deleted><Key>{own}d</Key>.*?</Deleted>", "", text)
        answer.body = text.encode()

    between.when("POST", fault.changed(change), target="?delete")
    with pytest.raises(BulkError) as caught:
        await faulty.delete_many(["a", "b", "c", "d"])
    errors = {key: type(error) for key, error in caught.value.errors.items()}
    assert errors == {"b": AccessDenied, "c": StoreUnavailable, "d": StoreError}
