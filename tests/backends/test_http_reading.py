"""What is asked of a server, and what is made of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from storage.http import AsyncHttpStore, HttpStore
from storage.object import (
    AccessDenied,
    MalformedResponse,
    NotModified,
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
    StoreError,
    StoreUnavailable,
)
from tests.services.web import Odd, WebServer

_names = count(1)
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.fixture
def at(web: WebServer) -> str:
    """A path that nothing else uses."""
    return f"/reading-{next(_names)}"


@pytest.fixture
async def store(web: WebServer, at: str) -> AsyncIterator[AsyncHttpStore]:
    """A store at that path."""
    async with AsyncHttpStore(f"{web.url}{at}", retries=0) as store:
        yield store


def test_keys_are_urls(web: WebServer, at: str) -> None:
    url = f"{web.url}{at}/a%20b?x=y"
    web.put(f"{at}/a b", b"content")
    with HttpStore(follow_redirects=True) as store:
        assert store.get(url) == b"content"
        assert store.exists(url)
        assert not store.exists(f"{web.url}{at}/other")
        with pytest.raises(KeyError):
            store.get(f"{web.url}{at}/other")
        with store.open_reader(url) as file:
            file.seek(-3, 2)
            assert file.read() == b"ent"


async def test_what_is_told(web: WebServer, at: str, store: AsyncHttpStore) -> None:
    web.put(f"{at}/a", b"content", Content_Type="text/x", Last_Modified=DATE, ETag='"one"')
    for info in (await store.head("a"), (await store.get_with_info("a", start=2, end=4))[1]):
        assert (info.key, info.size, info.etag, info.content_type) == ("a", 7, "one", "text/x")
        assert info.modified == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    for _, sent in web.asked(f"{at}/a"):
        assert sent["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, MalformedResponse),
        (300, MalformedResponse),
        (400, StoreError),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, ObjectNotFound),
        (410, ObjectNotFound),
        (418, StoreError),
        (429, StoreUnavailable),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
        (599, StoreError),
    ],
)
async def test_statuses(
    web: WebServer, at: str, store: AsyncHttpStore, status: int, kind: type[StoreError]
) -> None:
    web.odd[f"{at}/a"] = Odd(status)
    for verb in (store.get, store.head, store.exists):
        if kind is ObjectNotFound and verb == store.exists:
            assert await store.exists("a") is False
            continue
        with pytest.raises(StoreError) as caught:
            await verb("a")
        assert type(caught.value) is kind


@pytest.mark.parametrize("status", [403, 405, 501])
async def test_a_server_without_head(
    web: WebServer, at: str, store: AsyncHttpStore, status: int
) -> None:
    web.put(f"{at}/a", b"content")
    web.put(f"{at}/empty", b"")
    for name in ("a", "empty", "missing"):
        web.odd[f"{at}/{name}"] = Odd(status, methods=("HEAD",))
    assert await store.exists("a")
    assert (await store.head("a")).size == 7
    assert (await store.head("empty")).size == 0
    assert not await store.exists("missing")
    assert web.asked(f"{at}/a")[1][1]["range"] == "bytes=0-0"


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', None])
async def test_conditions(web: WebServer, at: str, store: AsyncHttpStore, etag: str | None) -> None:
    stored = web.put(f"{at}/a", b"content", Last_Modified=DATE)
    if etag is None:
        web.odd[f"{at}/a"] = Odd(200, {"Last-Modified": DATE}, b"content")
    else:
        stored.headers["ETag"] = etag
    mark = (await store.head("a")).etag
    assert mark is not None
    assert await store.get("a", if_match=mark) == b"content"
    assert await store.get("a", if_none_match="other") == b"content"
    with pytest.raises(NotModified):
        await store.get("a", if_none_match=mark)
    for other in ("other", '"', "a\r\nb", "*", "modified 1"):
        with pytest.raises(PreconditionFailed):
            await store.get("a", if_match=other)
        with pytest.raises(PreconditionFailed):
            await store.get_range("a", 3, 3, if_match=other)
    if etag == '"one"':
        assert await store.get("a", if_match='"one"') == b"content"
        assert web.asked(f"{at}/a")[1][1]["if-match"] == '"one"'
    if etag is None:
        assert web.asked(f"{at}/a")[1][1]["if-unmodified-since"] == DATE


async def test_a_change_within_this_second_marks_no_version(
    web: WebServer, at: str, store: AsyncHttpStore
) -> None:
    web.odd[f"{at}/a"] = Odd(200, {"Last-Modified": "Fri, 31 Dec 2100 00:00:00 GMT"})
    assert (await store.head("a")).etag is None


WHOLE = {"ETag": '"one"'}


@pytest.mark.parametrize(
    ("status", "headers", "body", "wanted"),
    [
        (200, {}, b"0123456789", b"345"),
        (206, {"Content-Range": "bytes 3-5/10"}, b"345", b"345"),
        (206, {"Content-Range": "bytes 2-7/10"}, b"234567", b"345"),
        (206, {"Content-Range": "bytes 3-5/*"}, b"345", b"345"),
        (206, {"Content-Range": "bytes 3-4/5"}, b"34", b"34"),
        (200, {}, b"01", b""),
        (206, {}, b"345", None),
        (206, {"Content-Range": "bytes 4-6/10"}, b"456", None),
        (206, {"Content-Range": "bytes 0-2/10"}, b"012", None),
        (206, {"Content-Range": "bytes 3-4/10"}, b"34", None),
        (206, {"Content-Range": "bytes 3-4/*"}, b"34", None),
        (206, {"Content-Range": "bytes 3-5/4"}, b"345", None),
        (206, {"Content-Range": "bytes 3-5/10"}, b"3456", None),
        (206, {"Content-Range": "bytes 5-3/10"}, b"345", None),
        (206, {"Content-Range": "lines 3-5/10"}, b"345", None),
        (206, {"Content-Range": "bytes 3-5/99999999999999999999"}, b"345", None),
        (206, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x--", None),
        (416, {"Content-Range": "bytes */10"}, b"", None),
    ],
)
async def test_ranges(
    web: WebServer,
    at: str,
    store: AsyncHttpStore,
    status: int,
    headers: dict[str, str],
    body: bytes,
    wanted: bytes | None,
) -> None:
    web.put(f"{at}/a", b"0123456789")
    web.odd[f"{at}/a"] = Odd(status, {**WHOLE, **headers}, body, methods=("GET",))
    if wanted is None:
        with pytest.raises(MalformedResponse):
            await store.get_range("a", 3, 6)
        with pytest.raises(MalformedResponse):
            async with store.open_reader("a") as reader:
                await reader.seek(3)
                await reader.read(3)
    else:
        assert await store.get_range("a", 3, 6) == wanted


async def test_a_range_that_nobody_asked_for(
    web: WebServer, at: str, store: AsyncHttpStore
) -> None:
    web.odd[f"{at}/a"] = Odd(206, {"Content-Range": "bytes 0-2/10"}, b"012")
    with pytest.raises(MalformedResponse):
        await store.get("a")


CHUNKED = {"Transfer-Encoding": "chunked"}


async def test_an_object_of_unknown_length(web: WebServer, at: str, store: AsyncHttpStore) -> None:
    web.odd[f"{at}/a"] = Odd(200, CHUNKED, b"4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")
    assert await store.get("a") == b"0123456789"
    assert (await store.get_with_info("a"))[1].size == 10
    assert await store.get_range("a", 3, 6) == b"345"
    assert await store.get_range("a", 8, 20) == b"89"
    assert await store.get_range("a", 20, 30) == b""
    assert (await store.head("a")).size is None
    with pytest.raises(NotSupported, match="length"):
        await store.get_range("a", -3)


@pytest.mark.parametrize("body", [b"5\r\n01234\r\nzz\r\n", b"5\r\n01"])
async def test_wrong_chunks(web: WebServer, at: str, store: AsyncHttpStore, body: bytes) -> None:
    web.odd[f"{at}/a"] = Odd(200, {**CHUNKED, "Connection": "close"}, body)
    with pytest.raises((MalformedResponse, StoreUnavailable)):
        await store.get("a")


async def test_content_that_is_encoded(web: WebServer, at: str, store: AsyncHttpStore) -> None:
    web.put(f"{at}/a", b"packed", Content_Encoding="gzip")
    with pytest.raises(NotSupported, match="keep_encoded"):
        await store.get("a")
    async with AsyncHttpStore(f"{web.url}{at}", keep_encoded=True) as keeping:
        assert await keeping.get("a") == b"packed"


async def test_connections_are_limited(web: WebServer, at: str) -> None:
    web.put(f"{at}/a", b"content" * 200_000)
    async with AsyncHttpStore(f"{web.url}{at}", connections=2, timeout=0.3) as store:
        async with store.open_reader("a") as one, store.open_reader("a") as other:
            assert await one.read(1) == await other.read(1) == b"c"
            with pytest.raises(TimeoutError):  # the wait for a connection counts
                await store.get("a")
        assert len(await store.get("a")) == 1_400_000


async def test_closing_ends_what_is_under_way(web: WebServer, at: str) -> None:
    web.put(f"{at}/a", b"content" * 200_000)
    store = AsyncHttpStore(f"{web.url}{at}", connections=1)
    async with store.open_reader("a") as reader:
        await reader.read(1)
        waiting = asyncio.create_task(store.get("a"))
        await asyncio.sleep(0.01)
        await store.aclose()
        with pytest.raises((StoreClosed, StoreUnavailable)):
            await waiting


def test_one_store_in_several_loops(web: WebServer, at: str) -> None:
    web.put(f"{at}/a", b"content")
    store = AsyncHttpStore(f"{web.url}{at}")

    async def use(last: bool) -> Any:
        data = await asyncio.gather(*(store.get("a") for _ in range(5)))
        if last:
            await store.aclose()
        return data

    assert asyncio.run(use(False)) == asyncio.run(use(True)) == [b"content"] * 5
