"""The S3 store over a network and before a server that go wrong on purpose."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, reading
from storage._core.errors import (
    AccessDenied,
    BulkError,
    IntegrityError,
    MalformedResponse,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from tests.backends.s3 import MIB, open_connections, own_corner, uploads
from tests.faults import proxy
from tests.faults.proxy import FaultProxy, Response
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

pytestmark = pytest.mark.usefixtures("_short_pauses")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.retries.standard import ExponentialBackoff

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)


@pytest.fixture
async def between(seaweedfs: S3Service) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(seaweedfs.endpoint_url) as between:
        yield between


@pytest.fixture
async def store(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> AsyncIterator[AsyncBucketStore]:
    async with own_corner(
        seaweedfs, shared_bucket, endpoint_url=between.url, part_size=5 * MIB
    ) as store:
        yield store


# -- answers that are errors ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (500, "InternalError"),
        (429, "SlowDown"),
        (409, "ConditionalRequestConflict"),
    ],
)
async def test_what_passes_is_tried_again(
    store: AsyncBucketStore, between: FaultProxy, status: int, code: str
) -> None:
    between.when("PUT", proxy.refused(status, code), times=2)
    await store.put("key", b"data", if_absent=True)
    assert len(between.sent("PUT")) == 3
    assert await store.get("key") == b"data"


@pytest.mark.parametrize(
    ("status", "code", "error", "tries"),
    [
        (503, "SlowDown", StoreUnavailable, 5),
        (409, "ConditionalRequestConflict", StoreUnavailable, 6),
        (403, "AccessDenied", AccessDenied, 1),
        (403, "SignatureDoesNotMatch", AccessDenied, 1),
        (400, "ExpiredToken", AccessDenied, 1),
        (400, "InvalidArgument", StoreError, 1),
        (400, "BadDigest", IntegrityError, 1),
        (507, "InsufficientStorage", OSError, 1),
    ],
)
async def test_what_stays_is_told(
    store: AsyncBucketStore,
    between: FaultProxy,
    status: int,
    code: str,
    error: type[Exception],
    tries: int,
) -> None:
    between.when("PUT", proxy.refused(status, code), times=-1)
    with pytest.raises(error, match=rf"put 'key' in .*on purpose \({code}, HTTP {status}\)"):
        await store.put("key", b"data", if_absent=True)
    assert len(between.sent("PUT")) == tries


async def test_denied_is_never_absent(store: AsyncBucketStore, between: FaultProxy) -> None:
    between.when("HEAD", proxy.answered(403), times=-1)
    for call in (store.exists, store.head, store.delete):
        with pytest.raises(AccessDenied):
            await call("key")


async def test_who_may_not_see_the_bucket_may_miss_an_object(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    between.when("HEAD", proxy.answered(403), target="x-no-such-target")
    between.when("HEAD", proxy.answered(403), times=-1, skip=1)
    assert not await store.exists("key")


async def test_hanging_and_refusing_servers(
    store: AsyncBucketStore, between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    between.when("GET", proxy.reset, times=2)
    await store.put("key", b"data")
    assert await store.get("key") == b"data"
    between.when("GET", proxy.hang, times=-1)
    async with own_corner(seaweedfs, shared_bucket, endpoint_url=between.url, timeout=0.3) as hasty:
        with pytest.raises(StoreTimeout, match=r"longer than 0\.3 s"):
            await hasty.get("key")
    nowhere = own_corner(seaweedfs, shared_bucket, endpoint_url="http://127.0.0.1:9")
    async with nowhere:
        with pytest.raises(StoreUnavailable):
            await nowhere.get("key")


# -- acknowledgements that are lost -------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 6 * MIB])
async def test_a_lost_acknowledgement_is_no_lost_race(
    store: AsyncBucketStore, between: FaultProxy, size: int
) -> None:
    method, target = ("PUT", "") if size < MIB else ("POST", "uploadId")
    for condition in ("if_absent", "if_match", None):
        options: dict[str, Any] = {}
        if condition == "if_absent":
            options["if_absent"] = True
        elif condition == "if_match":
            options["if_match"] = (await store.head("key")).etag
        between.when(method, proxy.lost_answer, target=target)
        before = len(between.sent(method, target))
        info = await store.put("key", iter([bytes(size)]), **options)
        assert len(between.sent(method, target)) == before + 2
        assert (await store.head("key")).etag == info.etag
    # A race that is lost stays lost.
    between.when(method, proxy.reset, target=target)
    with pytest.raises(ObjectExists):
        await store.put("key", iter([bytes(size)]), if_absent=True)
    assert uploads_of(store, between) == []


def uploads_of(store: AsyncBucketStore, between: FaultProxy) -> list[str]:
    sent = between.sent("POST", "?uploads")[0] if between.sent("POST", "?uploads") else None
    if sent is None:
        return []
    own = sent.target.split("/")[2]
    service = S3Service(f"http://{between.upstream[0]}:{between.upstream[1]}", *_keys(store))
    return [key for key in uploads(service, store.bucket_name) if key.startswith(own)]


def _keys(store: AsyncBucketStore) -> tuple[str, str, str, str]:
    assert store._recipe is not None
    told = store._recipe[2]
    secret = told["aws_secret_access_key"].reveal()
    return told["aws_access_key_id"], secret, told["region_name"], "again"


async def test_lost_acknowledgements_of_deletes_and_copies(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await store.put("key", b"data")
    between.when("PUT", proxy.lost_answer)
    await store.copy("key", "copy", if_absent=True)
    # Of a delete nothing is left by which to know whose it was.
    between.when("DELETE", proxy.lost_answer)
    with pytest.raises((StoreUnavailable, ObjectNotFound)):
        await store.delete("key", if_match=info.etag)
    between.when("DELETE", proxy.lost_answer)
    await store.delete("copy")
    between.when("POST", proxy.lost_answer, target="?delete")
    assert await store.delete_many(["key", "copy"]) == 2
    assert [key async for key in store.keys()] == []


# -- bodies that break --------------------------------------------------------------------------

BODY = bytes(range(256)) * 4096


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_body_that_breaks_is_resumed(
    store: AsyncBucketStore, between: FaultProxy, by_reset: bool
) -> None:
    info = await store.put("key", BODY)
    for read in (store.get("key"), store.get_range("key", 1000), collected(store, "key")):
        between.when("GET", proxy.cut(100_000, by_reset=by_reset), times=3)
        before = len(between.sent("GET"))
        data = await read
        assert data == BODY or data == BODY[1000:]
        asked = between.sent("GET")[before:]
        assert len(asked) == 4
        assert all(request.headers["if-match"] == f'"{info.etag}"' for request in asked[1:])


async def collected(store: AsyncBucketStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.stream(key)])


async def test_resuming_is_bounded(store: AsyncBucketStore, between: FaultProxy) -> None:
    await store.put("key", BODY)
    between.when("GET", proxy.cut(10), times=-1)
    with pytest.raises(StoreUnavailable):
        await store.get("key")
    assert len(between.sent("GET")) == reading.BREAKS + 1


async def test_two_versions_are_never_spliced(store: AsyncBucketStore, between: FaultProxy) -> None:
    await store.put("key", BODY)
    other = BODY[::-1]

    async def replaced(exchange: proxy.Exchange) -> None:
        answer = await exchange.forward()
        await store.put("key", other)
        await exchange.send(answer.encode()[:200_000])
        await exchange.reset()

    between.when("GET", replaced)
    assert await store.get("key") == other  # read again from its beginning
    await store.put("key", BODY)
    between.when("GET", replaced)
    with pytest.raises(PreconditionFailed, match="replaced while it was read"):
        await collected(store, "key")


async def test_a_changed_byte_is_seen(store: AsyncBucketStore, between: FaultProxy) -> None:
    def flip(answer: Response) -> None:
        answer.body = b"X" + answer.body[1:]

    await store.put("key", BODY)
    between.when("GET", proxy.changed(flip))
    assert await store.get("key") == BODY  # read again
    between.when("GET", proxy.changed(flip), times=2)
    with pytest.raises(IntegrityError):
        await store.get("key")
    between.when("GET", proxy.changed(flip))
    with pytest.raises(IntegrityError):
        await collected(store, "key")


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
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    await store.put("key", BODY)
    between.when("GET", proxy.changed(status_200), times=-1)
    assert await store.get_range("key", 300_000, 300_010) == BODY[300_000:300_010]
    assert await store.get_range("key", -10) == BODY[-10:]
    assert await store.get_range("key", 0, 10) == BODY[:10]


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
    store: AsyncBucketStore, between: FaultProxy, change: Callable[[Response], None]
) -> None:
    info = await store.put("key", BODY)
    between.when("GET", proxy.changed(change), times=-1)
    with pytest.raises((MalformedResponse, PreconditionFailed)):
        await store.get_range("key", 10, 20, if_match=info.etag)


async def test_a_head_that_tells_nothing(store: AsyncBucketStore, between: FaultProxy) -> None:
    between.when("HEAD", proxy.answered(200))
    with pytest.raises(MalformedResponse):
        await store.head("key")


# -- listings that are garbage ------------------------------------------------------------------


def without(pattern: str, instead: str = "") -> proxy.Fault:
    def change(answer: Response) -> None:
        text, count = re.subn(pattern, instead, answer.body.decode())
        assert count
        answer.body = text.encode()

    return proxy.changed(change)


@pytest.mark.parametrize(
    "fault",
    [
        proxy.answered(200),
        proxy.answered(200, b"<html><body>Welcome to the hotel!</body></html>"),
        proxy.answered(200, b"<!doctype html><p>not <b>even</i> XML"),
        proxy.answered(200, b"<?xml version='1.0'?><Other/>"),
        proxy.answered(200, b'{"keys": []}'),
        proxy.changed(lambda answer: setattr(answer, "body", answer.body[:-40])),
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
    store: AsyncBucketStore, between: FaultProxy, fault: proxy.Fault
) -> None:
    for key in "abc":
        await store.put(key, b"x")
    between.when("GET", fault, target="list-type=2", times=-1)
    with pytest.raises(MalformedResponse):
        _ = [key async for key in store.keys()]
    with pytest.raises(MalformedResponse):
        await store.list_with_delimiter()
    with pytest.raises(MalformedResponse):
        await store.clear()
    assert await store.get("a") == b"x"


async def test_a_listing_that_turns_in_circles(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    await store.put("a", b"x")
    endless = without(
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    )
    between.when("GET", endless, target="list-type=2", times=-1)
    with pytest.raises(MalformedResponse, match="goes on"):
        _ = [key async for key in store.keys()]


# -- bulk deletes -------------------------------------------------------------------------------


async def test_each_key_of_a_bulk_delete_has_its_error(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    await asyncio.gather(*(store.put(key, b"x") for key in ("a", "b", "c", "d")))

    def change(answer: Response) -> None:
        text = answer.body.decode()
        own = re.findall("<Key>([^<]*)a</Key>", text)[0]
        for key, code in (("b", "AccessDenied"), ("c", "InternalError")):
            error = f"<Error><Key>{own}{key}</Key><Code>{code}</Code><Message>m</Message></Error>"
            text = re.sub(f"<Deleted><Key>{own}{key}</Key>.*?</Deleted>", error, text)
        text = re.sub(f"<Deleted><Key>{own}d</Key>.*?</Deleted>", "", text)
        answer.body = text.encode()

    between.when("POST", proxy.changed(change), target="?delete")
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a", "b", "c", "d"])
    errors = {key: type(error) for key, error in caught.value.errors.items()}
    assert errors == {"b": AccessDenied, "c": StoreUnavailable, "d": StoreError}


# -- the pool -----------------------------------------------------------------------------------


async def test_cancelled_requests_leave_the_pool_whole(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    await store.put("key", BODY)
    between.when("GET", proxy.slow(50_000, 0.02), times=-1)

    async def begin(number: int) -> None:
        if number % 3 == 0:
            await store.get("key")
        elif number % 3 == 1:
            await collected(store, "key")
        else:
            async with store.open_reader("key") as reader:
                await reader.read(1000)
                await asyncio.sleep(60)

    tasks = [asyncio.create_task(begin(number)) for number in range(60)]
    await asyncio.sleep(0.4)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    client = await store._clients.get()
    assert open_connections(client)[0] == 0
    between.when("GET", proxy.passed, times=-1)
    async with asyncio.timeout(5):
        await asyncio.gather(*(store.put(f"k{n}", b"x") for n in range(70)))


async def test_an_injected_client_of_ten_connections_is_not_wedged(
    between: FaultProxy, seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from aiobotocore.session import get_session

    async with get_session().create_client(
        "s3",
        endpoint_url=between.url,
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        region_name=seaweedfs.region,
    ) as client:
        store = AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="wedge")
        await store.put("key", BODY)
        between.when("GET", proxy.slow(50_000, 0.02), times=50)
        streams: list[Any] = [store.stream("key") for _ in range(50)]
        tasks = [asyncio.create_task(anext(stream)) for stream in streams]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in streams:
            await stream.aclose()
        assert open_connections(client)[0] == 0
        async with asyncio.timeout(5):
            assert await asyncio.gather(*(store.get("key") for _ in range(20))) == [BODY] * 20
        await store.aclose()
        assert (await client.head_object(Bucket=store.bucket_name, Key="wedge/key"))["ETag"]


async def test_closing_ends_what_is_on_its_way(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    between.when("GET", proxy.hang, times=-1)
    tasks = [asyncio.create_task(store.get("key")) for _ in range(3)]
    await between.reached("GET")
    await store.aclose()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, StoreError) for outcome in outcomes)


async def test_a_missing_object_after_a_resumed_read(
    store: AsyncBucketStore, between: FaultProxy
) -> None:
    await store.put("key", BODY)

    async def removed(exchange: proxy.Exchange) -> None:
        answer = await exchange.forward()
        await store.delete("key")
        await exchange.send(answer.encode()[:200_000])
        await exchange.reset()

    between.when("GET", removed)
    with pytest.raises(ObjectNotFound):
        await store.get("key")
