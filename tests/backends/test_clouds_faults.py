"""Stores of cloud services when servers refuse, are silent, lie, or forget to answer."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from storage._async.backends.azure import listing as azure_listing
from storage._async.backends.gcs import service as google
from storage._core.errors import (
    AccessDenied,
    IntegrityError,
    MalformedResponse,
    ObjectExists,
    PreconditionFailed,
    SourceChanged,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from storage._core.info import WRITE_OVER, WriteOptions
from storage.aioutils import async_sync_stores
from tests.backends.clouds import KIB, PART, PUTS, connected
from tests.faults import fault
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.wire import Response
from tests.services.process import CloudService


@pytest.fixture(params=list(PUTS))
def service(request: pytest.FixtureRequest) -> CloudService:
    found: CloudService = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def between(service: CloudService) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(service.endpoint) as proxy:
        yield proxy


@pytest.fixture
async def faulty(service: CloudService, between: FaultProxy) -> AsyncIterator[Any]:
    async with connected(service, origin=between.url) as store:
        yield store


@pytest.fixture
def puts(service: CloudService) -> str:
    return PUTS[service.name]


@pytest.mark.parametrize("status", [503, 500, 429])
async def test_what_passes_is_tried_again(
    faulty: Any, between: FaultProxy, puts: str, status: int
) -> None:
    between.when(puts, fault.answered(status, b"", **{"retry-after": "0"}), times=2)
    await faulty.put("key", b"data")
    assert len(between.sent(puts)) == 3
    assert await faulty.get("key") == b"data"


async def test_what_stays_is_told(faulty: Any, between: FaultProxy, puts: str) -> None:
    between.when(puts, fault.answered(503), times=-1)
    with pytest.raises(StoreUnavailable, match="503"):
        await faulty.put("key", b"data")
    assert len(between.sent(puts)) == 3


async def test_what_may_have_been_done_is_not_done_twice(faulty: Any, between: FaultProxy) -> None:
    await faulty.put("key", b"data")
    between.when("DELETE", fault.lost_answer)
    with pytest.raises(StoreUnavailable):
        await faulty.delete("key")
    assert len(between.sent("DELETE")) == 1
    await faulty.put("key", b"data")
    between.when("DELETE", fault.lost_answer)
    await faulty.delete("key", missing_ok=True)
    assert await faulty.exists("key") is False


@pytest.mark.parametrize("fails", [fault.reset, fault.lost_answer])
async def test_a_lost_answer_is_no_lost_race(
    faulty: Any, between: FaultProxy, puts: str, fails: Fault
) -> None:
    between.when(puts, fails)
    info = await faulty.put("key", b"ours", if_absent=True, metadata={"a": "b"})
    if fails is fault.reset:
        # Not known to have been done, and by its condition not done twice.
        assert len(between.sent(puts)) == 2
    assert (info.size, await faulty.get("key")) == (4, b"ours")
    found = await faulty.head("key")
    assert (found.metadata, found.etag) == ({"a": "b"}, info.etag)
    with pytest.raises(ObjectExists):
        await faulty.put("key", b"theirs", if_absent=True)
    between.when(puts, fails)
    await faulty.put("key", b"again", if_match=info.etag)
    with pytest.raises(PreconditionFailed):
        await faulty.put("key", b"theirs", if_match=info.etag)


async def test_a_stream_loses_answers(faulty: Any, between: FaultProxy) -> None:
    pieces = [bytes([number]) * PART for number in range(4)]
    between.when("PUT", fault.reset, times=1, skip=1)
    between.when("PUT", fault.answered(503), times=1, skip=2)
    await faulty.put("key", iter(pieces))
    assert await faulty.get("key") == b"".join(pieces)


async def test_the_last_answer_to_a_stream_is_lost(azurite: CloudService) -> None:
    async with FaultProxy(azurite.endpoint) as between:
        between.when("PUT", fault.lost_answer, target="comp=blocklist")
        async with connected(azurite, origin=between.url) as store:
            info = await store.put("key", iter([bytes(PART), b"end"]))
            assert (await store.head("key")).etag == info.etag
        assert len(between.sent("PUT", "comp=blocklist")) == 2


async def test_silence_ends_with_the_deadline(
    service: CloudService, between: FaultProxy, puts: str
) -> None:
    async with connected(service, origin=between.url, timeout=0.3) as store:
        for method in ("GET", puts):
            between.when(method, fault.hang, times=-1)
        with pytest.raises(StoreTimeout):
            await store.get("key")
        with pytest.raises(StoreTimeout):
            await store.put("key", b"")


async def test_a_cancelled_call_costs_its_connection_only(
    service: CloudService, between: FaultProxy, puts: str
) -> None:
    async with connected(service, origin=between.url, connections=1) as store:
        await store.put("key", b"data")
        seen = len(between.requests)
        between.when(puts, fault.hang)
        call = asyncio.create_task(store.put("key", b"other"))
        while len(between.requests) == seen:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await store.get("key") == b"data"


async def test_no_server() -> None:
    from storage.gcs import AsyncGoogleCloudStore

    where = "http://127.0.0.1:1"
    async with AsyncGoogleCloudStore("box", anonymous=True, endpoint_url=where, retries=0) as store:
        with pytest.raises(StoreUnavailable, match="no connection"):
            await store.get("key")


# -- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_broken_download_goes_on(faulty: Any, between: FaultProxy, by_reset: bool) -> None:
    data = bytes(range(250)) * 2_000
    await faulty.put("key", data)
    between.when("GET", fault.cut(100_000, by_reset=by_reset))
    assert await faulty.get("key") == data
    between.when("GET", fault.cut(100_000, by_reset=by_reset))
    assert await faulty.get_range("key", 100, 400_000) == data[100:400_000]
    (last,) = between.sent("GET")[-1:]
    assert last.headers["range"].endswith("-399999")


async def test_a_download_is_of_one_version(faulty: Any, between: FaultProxy) -> None:
    await faulty.put("key", b"a" * 300_000)

    async def replaced(exchange: Any) -> None:
        await fault.cut(100_000)(exchange)
        await faulty.put("key", b"b" * 300_000)

    between.when("GET", replaced)
    with pytest.raises((PreconditionFailed, StoreUnavailable)):
        await faulty.get("key")
    assert await faulty.get("key") == b"b" * 300_000


async def test_a_flipped_byte_is_found_out(faulty: Any, between: FaultProxy) -> None:
    def flip(response: Response) -> None:
        response.body = response.body[:-1] + b"!"

    await faulty.put("key", b"data" * 100)
    between.when("GET", fault.changed(flip))
    with pytest.raises(IntegrityError):
        await faulty.get("key")


def _all_of_it(response: Response) -> None:
    response.status, response.body = 200, b"x" * 400
    response.headers.pop("content-range", None)


def _elsewhere(response: Response) -> None:
    response.headers["content-range"] = "bytes 0-99/400"


def _nameless(response: Response) -> None:
    for name in ("etag", "x-goog-generation"):
        response.headers.pop(name, None)


@pytest.mark.parametrize("lie", [_all_of_it, _elsewhere, _nameless])
async def test_a_range_is_the_range_asked_for(
    faulty: Any, between: FaultProxy, lie: Callable[[Response], None]
) -> None:
    await faulty.put("key", b"data" * 100)
    between.when("GET", fault.changed(lie))
    with pytest.raises(MalformedResponse):
        await faulty.get_range("key", 100, 200)


# -- listings -------------------------------------------------------------------------------------


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_listing, "PAGE", "3")
    monkeypatch.setattr(google, "PAGE", "3")


@pytest.mark.usefixtures("short_pages")
async def test_pages(faulty: Any, between: FaultProxy) -> None:
    keys = [f"{folder}/{number}" for folder in "abc" for number in range(4)]
    await faulty.put_many((key, b"") for key in keys)
    assert [key async for key in faulty.keys()] == keys
    assert [key async for key in faulty.keys("b", start_after="b/1")] == ["b/2", "b/3"]
    assert (await faulty.list_with_delimiter()).prefixes == ("a/", "b/", "c/")
    before = len(between.sent("GET"))
    pages = [infos async for infos in faulty._info_pages("")]
    assert [info.key for infos in pages for info in infos] == keys
    assert len(between.sent("GET")) - before == len(pages) == 4


def _said(body: Callable[[Response], bytes], response: Response) -> None:
    response.body = body(response)


def _same_page_again(response: Response) -> None:
    response.body = _same_page_again.body = getattr(  # type: ignore[attr-defined]
        _same_page_again, "body", response.body
    )


def _others(response: Response) -> None:
    names = rb'(<Name>|"name":")([^<"]*)own-key'
    response.body = re.sub(names, rb"\1\2not-key", response.body)


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize(
    "lie",
    [
        partial(_said, lambda response: b"<html><body>welcome</body></html>"),
        partial(_said, lambda response: b""),
        partial(_said, lambda response: b"{}"),
        partial(_said, lambda response: response.body[: len(response.body) // 2]),
        _same_page_again,
        _others,
    ],
)
async def test_a_listing_is_believed_only_if_it_is_one(
    faulty: Any, between: FaultProxy, lie: Callable[[Response], None]
) -> None:
    await faulty.put_many((f"own-key{number}", b"") for number in range(7))
    vars(_same_page_again).pop("body", None)
    between.when("GET", fault.changed(lie), times=-1)
    with pytest.raises(MalformedResponse):
        [key async for key in faulty.keys("own-key")]


# -- who may what ---------------------------------------------------------------------------------


async def test_denied_is_never_absent(faulty: Any, between: FaultProxy) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        between.when(method, fault.answered(403), times=-1)
    for call in (faulty.exists, faulty.head, faulty.delete, faulty.get):
        with pytest.raises(AccessDenied):
            await call("key")


async def test_a_wrong_key(azurite: CloudService) -> None:
    async with connected(azurite, account_key="d3Jvbmc=") as store:
        with pytest.raises(AccessDenied, match="Auth"):
            await store.put("key", b"")
        with pytest.raises(AccessDenied):
            await anext(store.keys())


@pytest.mark.parametrize(
    ("status", "code"), [(409, "BlobImmutableDueToPolicy"), (412, "LeaseIdMissing")]
)
async def test_a_locked_blob_is_no_lost_race(azurite: CloudService, status: int, code: str) -> None:
    async with FaultProxy(azurite.endpoint) as between:
        between.when("PUT", fault.answered(status, b"", **{"x-ms-error-code": code}), times=-1)
        async with connected(azurite, origin=between.url) as store:
            with pytest.raises(AccessDenied, match=code):
                await store.put("key", b"", if_absent=True)


async def test_secrets_are_nowhere(
    service: CloudService, between: FaultProxy, puts: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    async with connected(service, origin=between.url, retries=0) as store:
        told += [repr(store), repr(store._medium), repr(vars(store))]
        for fails in (fault.reset, fault.answered(403, service.key.encode()), fault.answered(500)):
            between.when(puts, fails)
            with pytest.raises(StoreError) as caught:
                await store.put("key", b"data")
            told += traceback.format_exception(caught.value)
        with pytest.raises(TypeError, match="secret"):
            store.__reduce__()
    assert service.key not in "".join(told) + caplog.text


async def test_a_signature_in_the_url_is_nowhere(
    azurite: CloudService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options: dict[str, Any] = {"account_key": None, "sas_token": "sv=1&sig=canary"}
    for where in (None, "http://127.0.0.1:1"):
        async with connected(azurite, origin=where, retries=0, **options) as store:
            with pytest.raises(StoreError) as caught:
                await store.copy("key", "other")
        assert "canary" not in "".join(traceback.format_exception(caught.value)) + caplog.text


async def test_few_bytes_are_held(faulty: Any, between: FaultProxy) -> None:
    async with faulty.open_writer("key") as writer:
        for _ in range(6):
            await writer.write(bytes(100 * KIB))
    sent = [request for request in between.sent("PUT") if len(request.body) > KIB]
    assert [len(request.body) for request in sent] == [PART, PART, 600 * KIB - 2 * PART]


# -- copies ---------------------------------------------------------------------------------------


async def test_a_sync_is_the_services_work(
    service: CloudService, between: FaultProxy, puts: str
) -> None:
    origin = between.url
    async with (
        connected(service, origin=origin) as here,
        connected(service, origin=origin) as there,
    ):
        await here.put("key", b"data", metadata={"a": "b"})
        await there.put("gone", b"")
        sent = len(between.sent(puts))
        report = await async_sync_stores(here, there, delete=True, max_delete=None)
        assert (report.copied, report.deleted) == (1, 1)
        assert await there.get("key") == b"data"
        assert (await there.head("key")).metadata == {"a": "b"}
        # One request copies it, and none reads it.
        assert len(between.sent(puts)) == sent + 1
        listed = await here.head("key")
        await here.delete("key")
        with pytest.raises(SourceChanged):
            await there._copy_from(here, listed, "key", WRITE_OVER)


async def test_a_copy_is_of_the_version_that_was_listed(azurite: CloudService) -> None:
    async with connected(azurite) as here, connected(azurite) as there:
        listed = await here.put("key", b"one")
        await here.put("key", b"two")
        with pytest.raises(SourceChanged):
            await there._copy_from(here, listed, "key", WriteOptions(if_absent=True))
        listed = await here.head("key")
        await there._copy_from(here, listed, "key", WriteOptions(if_absent=True))
        with pytest.raises(ObjectExists):
            await there._copy_from(here, listed, "key", WriteOptions(if_absent=True))
        with pytest.raises(PreconditionFailed):
            await there._copy_from(here, listed, "key", WriteOptions(if_match="other"))
