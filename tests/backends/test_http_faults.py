"""A wire and servers that go wrong: what is tried again, what goes on, and what must not."""

from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import md5, sha256
from itertools import count

import pytest

pytest.importorskip("aiohttp")

from storage._async.backends._web import retries
from storage._async.backends.http import reading
from storage.http import AsyncHttpStore
from storage.object import (
    IntegrityError,
    MalformedResponse,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.faults.wire import Response
from tests.services.web import Stored, WebServer

_names = count(1)
DATA = random.Random(7).randbytes(300_000)


@pytest.fixture
async def proxy(web: WebServer) -> AsyncIterator[FaultProxy]:
    """A wire that lies."""
    async with FaultProxy(web.url) as proxy:
        yield proxy


@pytest.fixture
def path(web: WebServer) -> str:
    """Where the object is."""
    path = f"/faults-{next(_names)}/a"
    web.put(path, DATA)
    return path


@pytest.fixture
async def store(
    proxy: FaultProxy, path: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncHttpStore]:
    """A store behind that wire, which pauses but briefly."""
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    async with AsyncHttpStore(proxy.url + path[:-2], read_timeout=0.3) as store:
        yield store


async def _streamed(store: AsyncHttpStore) -> bytes:
    return b"".join([chunk async for chunk in store.stream("a")])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_passes_is_tried_again(
    store: AsyncHttpStore, proxy: FaultProxy, method: str
) -> None:
    for wrong in (fault.answered(503), fault.answered(500), fault.reset, fault.answered(429)):
        proxy.when(method, wrong)
    act = store.get if method == "GET" else store.exists
    assert await act("a") == (DATA if method == "GET" else True)
    assert len(proxy.sent(method)) == 5


async def test_but_not_for_ever(store: AsyncHttpStore, proxy: FaultProxy) -> None:
    proxy.when("GET", fault.answered(503), times=-1)
    with pytest.raises(StoreUnavailable, match="503"):
        await store.get("a")
    assert len(proxy.sent("GET")) == 5


async def test_nor_by_all_at_once(store: AsyncHttpStore, proxy: FaultProxy) -> None:
    store._send._budget.left = 10 * retries.Budget.COST
    proxy.when("GET", fault.answered(503), times=-1)
    found = await asyncio.gather(*(store.get("a") for _ in range(30)), return_exceptions=True)
    assert {type(error) for error in found} == {StoreUnavailable}
    assert len(proxy.sent("GET")) == 30 + 10


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 501])
async def test_what_does_not_pass_is_not(
    store: AsyncHttpStore, proxy: FaultProxy, status: int
) -> None:
    proxy.when("GET", fault.answered(status), times=-1)
    with pytest.raises(StoreError):
        await store.get("a")
    assert len(proxy.sent("GET")) == 1


async def test_retry_after(
    store: AsyncHttpStore, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    proxy.when("GET", fault.answered(429, b"", **{"Retry-After": "7"}))
    proxy.when("GET", fault.answered(503, b"", **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert await store.get("a") == DATA
    assert slept[0] == 7
    assert slept[1] < 1
    proxy.when("GET", fault.answered(503, b"", **{"Retry-After": "3600"}))
    with pytest.raises(StoreUnavailable) as caught:
        await store.get("a")
    assert caught.value.retry_after == 3600
    assert len(slept) == 2


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_broken_download_goes_on(
    store: AsyncHttpStore, proxy: FaultProxy, path: str, web: WebServer, by_reset: bool
) -> None:
    proxy.when("GET", fault.cut(100_000, by_reset=by_reset), times=2)
    assert await _streamed(store) == DATA
    first, *rest = proxy.sent("GET")
    assert "range" not in first.headers
    assert len(rest) == 2
    for request in rest:
        assert request.headers["if-range"] == web.objects[path].headers["ETag"]
        assert request.headers["range"].endswith(f"-{len(DATA) - 1}")
        assert request.headers["range"] != "bytes=0-299999"


@pytest.mark.parametrize("part", [(100, 250_000), (-200_000, None)])
async def test_so_does_a_broken_range(
    store: AsyncHttpStore, proxy: FaultProxy, part: tuple[int, int | None]
) -> None:
    proxy.when("GET", fault.cut(50_000), times=3)
    assert await store.get_range("a", *part) == DATA[part[0] : part[1]]
    assert len(proxy.sent("GET")) == 4


async def test_a_server_that_gives_all_again(store: AsyncHttpStore, proxy: FaultProxy) -> None:
    def whole(response: Response) -> None:
        response.status, response.body = 200, DATA
        del response.headers["content-range"]

    proxy.when("GET", fault.cut(100_000))
    proxy.when("GET", fault.changed(whole))
    assert await _streamed(store) == DATA


async def test_it_breaks_for_ever(store: AsyncHttpStore, proxy: FaultProxy) -> None:
    proxy.when("GET", fault.cut(1000), times=-1)
    with pytest.raises(StoreUnavailable):
        await _streamed(store)
    assert len(proxy.sent("GET")) == 5


@pytest.mark.parametrize("honest", [True, False])
async def test_versions_are_never_mixed(
    store: AsyncHttpStore, proxy: FaultProxy, web: WebServer, path: str, honest: bool
) -> None:
    new = bytes(reversed(DATA))
    proxy.when("GET", fault.cut(100_000))
    if not honest:  # a server that gives a range of whatever is there
        proxy.when(
            "GET",
            fault.answered(
                206,
                new[200_000:],
                **{"ETag": '"new"', "Content-Range": "bytes 200000-299999/300000"},
            ),
        )
    got = []
    with pytest.raises(PreconditionFailed):
        async for chunk in store.stream("a"):
            got.append(chunk)
            web.objects[path] = Stored(new)
    assert DATA.startswith(b"".join(got))


async def test_a_whole_get_begins_anew(
    store: AsyncHttpStore, proxy: FaultProxy, web: WebServer, path: str
) -> None:
    old = web.objects[path].headers["ETag"]

    def replaced(response: Response) -> None:
        web.objects[path] = Stored(b"new")
        response.headers["content-length"] = str(len(response.body))
        response.body = response.body[:1000]

    async def cut(exchange: object) -> None:
        await fault.changed(replaced)(exchange)  # type: ignore[arg-type]
        exchange.close()  # type: ignore[attr-defined]

    proxy.when("GET", cut)
    assert await store.get("a") == b"new"
    web.put(path, DATA, ETag=old)
    proxy.when("GET", cut)
    with pytest.raises(PreconditionFailed):
        await store.get("a", if_match=old)


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
async def test_without_a_version_a_stream_ends(
    store: AsyncHttpStore, proxy: FaultProxy, etag: str | None
) -> None:
    def unmarked(response: Response) -> None:
        del response.headers["last-modified"]
        del response.headers["etag"]
        if etag is not None:
            response.headers["etag"] = etag
        response.headers["content-length"] = str(len(response.body))
        response.body = response.body[:1000]

    async def cut(exchange: object) -> None:
        await fault.changed(unmarked)(exchange)  # type: ignore[arg-type]
        exchange.close()  # type: ignore[attr-defined]

    proxy.when("GET", cut)
    with pytest.raises(reading.Broken):
        await _streamed(store)
    proxy.when("GET", cut)
    assert await store.get("a") == DATA  # nobody has seen any of it: all is asked for again
    assert all("range" not in request.headers for request in proxy.sent("GET"))


async def test_another_length_is_another_object(
    store: AsyncHttpStore, proxy: FaultProxy, web: WebServer, path: str
) -> None:
    etag = web.objects[path].headers["ETag"]
    lie = {"ETag": etag, "Content-Range": "bytes 100000-299999/400000"}
    proxy.when("GET", fault.cut(100_000))
    proxy.when("GET", fault.answered(206, DATA[100_000:], **lie))
    with pytest.raises(StoreError) as caught:
        await _streamed(store)
    assert isinstance(caught.value, PreconditionFailed | MalformedResponse)


async def test_silence_and_slowness(store: AsyncHttpStore, proxy: FaultProxy) -> None:
    proxy.when("GET", fault.hang)
    assert await store.get("a") == DATA
    proxy.when("GET", fault.slow(100_000, 0.02))
    assert await store.get("a") == DATA
    assert len(proxy.sent("GET")) == 3


async def test_deadlines(proxy: FaultProxy, path: str) -> None:
    proxy.when("GET", fault.hang, times=-1)
    async with AsyncHttpStore(proxy.url, timeout=0.05) as store:
        with pytest.raises(StoreTimeout, match=r"0\.05 s"):
            await store.get(path[1:])


async def test_a_cancelled_request_leaves_no_wrong_answer(
    store: AsyncHttpStore, proxy: FaultProxy, web: WebServer, path: str
) -> None:
    chosen = random.Random(11)
    for number in range(20):
        name = f"{path}-{number}"
        web.put(name, str(number).encode() * 20_000)
        task = asyncio.create_task(store.get("a"))
        await asyncio.sleep(chosen.uniform(0, 0.004))
        task.cancel()
        await asyncio.wait([task])
        assert await store.get(f"a-{number}") == str(number).encode() * 20_000


async def test_nobody_is_there() -> None:
    async with AsyncHttpStore("http://127.0.0.1:1", retries=0) as store:
        for verb in (store.get, store.head, store.exists):
            with pytest.raises(StoreUnavailable, match="no connection"):
                await verb("a")
    async with AsyncHttpStore(retries=0) as store:
        with pytest.raises(StoreUnavailable):
            await store.get("http://no-such-host.invalid/")


SHA = b64encode(sha256(DATA).digest()).decode()
MD5 = b64encode(md5(DATA).digest()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Repr-Digest", f"md5=:AAAA:, sha-256=:{SHA}:"),
        ("Digest", f"SHA-256={SHA}"),
        ("Content-MD5", MD5),
        ("X-Goog-Hash", f"crc32c=AAAAAA==, md5={MD5}"),
    ],
)
async def test_damaged_bytes(
    store: AsyncHttpStore, proxy: FaultProxy, web: WebServer, path: str, name: str, value: str
) -> None:
    def flip(response: Response) -> None:
        middle = len(response.body) // 2
        response.body = b"%b%c%b" % (
            response.body[:middle], response.body[middle] ^ 1, response.body[middle + 1 :],
        )  # fmt: skip

    web.objects[path].headers[name] = value
    assert (await store.head("a")).checksum in (
        f"sha256:{sha256(DATA).hexdigest()}",
        f"md5:{md5(DATA).hexdigest()}",
    )
    assert await _streamed(store) == DATA
    proxy.when("GET", fault.changed(flip))
    assert await store.get("a") == DATA  # the second time
    proxy.when("GET", fault.changed(flip), times=2)
    with pytest.raises(IntegrityError):
        await store.get("a")
    proxy.when("GET", fault.changed(flip))
    with pytest.raises(IntegrityError):
        await _streamed(store)
    proxy.when("GET", fault.cut(100_000))
    assert await _streamed(store) == DATA
    assert await store.get_range("a", 5, 9) == DATA[5:9]
