"""GET and HEAD: heads, conditions and their precedence, as RFC 9110 has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from storage._asgi.dates import parsed
from storage.asgi import ObjectResponse, StoreApp, send_object
from storage.object import AsyncDictStore, ObjectInfo
from tests.asgi.client import Client
from tests.asgi.conftest import CONTENT


class Dated(AsyncDictStore):
    """Its objects were written at a time of the test's choice, and have such etags."""

    modified: datetime | None = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)
    etag: str | None = "v1"

    def _told(self, info: ObjectInfo) -> ObjectInfo:
        return ObjectInfo(info.key, info.size, self.etag, self.modified, info.content_type)

    async def _head(self, key: str) -> ObjectInfo:
        return self._told(await super()._head(key))

    async def _get(self, key: str, options: Any) -> tuple[bytes, ObjectInfo]:
        data, info = await super()._get(key, options)
        return data, self._told(info)


BEFORE = "Sun, 01 Mar 2026 11:59:59 GMT"
THEN = "Sun, 01 Mar 2026 12:00:00 GMT"
AFTER = "Sun, 01 Mar 2026 12:00:01 GMT"


@pytest.fixture
async def dated() -> Dated:
    store = Dated()
    await store.put("a.txt", CONTENT)
    return store


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_object_comes_with_all_that_is_known(dated: Dated, method: str) -> None:
    answer = await Client(StoreApp(dated))(method, "/a.txt")
    assert answer.status == 200
    assert answer.body == (CONTENT if method == "GET" else b"")
    assert answer.headers == {
        "x-content-type-options": "nosniff",
        "etag": '"v1"',
        "last-modified": THEN,
        "cache-control": "no-cache",
        "content-security-policy": "sandbox",
        "content-type": "text/plain",
        "content-length": "10",
        "accept-ranges": "bytes",
    }


CONDITIONS = [
    # 1. If-Match, by the strong comparison; 2. else If-Unmodified-Since
    ({"If-Match": '"v1"'}, 200),
    ({"If-Match": '"x", "v1"'}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"x"'}, 412),
    ({"If-Match": 'W/"v1"'}, 412),
    ({"If-Match": "v1"}, 412),
    ({"If-Match": '"v1"', "If-Unmodified-Since": BEFORE}, 200),
    ({"If-Match": '"x"', "If-Unmodified-Since": AFTER}, 412),
    ({"If-Unmodified-Since": BEFORE}, 412),
    ({"If-Unmodified-Since": THEN}, 200),
    ({"If-Unmodified-Since": "yesterday"}, 200),
    # 3. If-None-Match, by the weak one; 4. else If-Modified-Since
    ({"If-None-Match": '"v1"'}, 304),
    ({"If-None-Match": 'W/"v1"'}, 304),
    ({"If-None-Match": '"x" ,"y", W/"v1"'}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"x"'}, 200),
    ({"If-None-Match": '"x"', "If-Modified-Since": AFTER}, 200),
    ({"If-None-Match": '"v1"', "If-Modified-Since": BEFORE}, 304),
    ({"If-Modified-Since": THEN}, 304),
    ({"If-Modified-Since": AFTER}, 304),
    ({"If-Modified-Since": BEFORE}, 200),
    ({"If-Modified-Since": "Sunday, 01-Mar-26 12:00:00 GMT"}, 304),
    ({"If-Modified-Since": "Sun Mar  1 12:00:00 2026"}, 304),
    ({"If-Modified-Since": "2026-03-01T12:00:00Z"}, 200),
    # the first that fails decides
    ({"If-Match": '"x"', "If-None-Match": '"v1"'}, 412),
    ({"If-Match": '"v1"', "If-None-Match": '"v1"'}, 304),
    ({"If-Unmodified-Since": BEFORE, "If-None-Match": '"v1"'}, 412),
    # 5. conditions come before Range
    ({"If-None-Match": '"v1"', "Range": "bytes=0-1"}, 304),
    ({"If-Match": '"x"', "Range": "bytes=99-"}, 412),
    ({"If-Match": '"v1"', "Range": "bytes=0-1"}, 206),
]


@pytest.mark.parametrize(("headers", "status"), CONDITIONS, ids=str)
async def test_conditions(dated: Dated, headers: dict[str, str], status: int) -> None:
    client = Client(StoreApp(dated))
    answer = await client("GET", "/a.txt", headers)
    assert answer.status == status
    head = await client("HEAD", "/a.txt", headers)
    assert head.status == (200 if status == 206 else status)
    if status == 304:
        assert answer.headers["etag"] == '"v1"'
        assert answer.headers["last-modified"] == THEN
        assert "content-length" not in answer.headers
        assert "content-type" not in answer.headers


async def test_a_list_may_come_in_several_lines(dated: Dated) -> None:
    lines = [("If-None-Match", '"x"'), ("If-None-Match", '"v1"')]
    assert (await Client(StoreApp(dated))("GET", "/a.txt", lines)).status == 304


async def test_of_what_is_not_known_nothing_is_said(dated: Dated) -> None:
    dated.etag = dated.modified = None
    client = Client(StoreApp(dated, cache_control=None, trusted=True))
    answer = await client("GET", "/a.txt", {"If-Modified-Since": AFTER})
    assert answer.status == 200
    assert not answer.headers.keys() & {"etag", "last-modified", "cache-control"}
    assert (await client("GET", "/a.txt", {"If-None-Match": "*"})).status == 304
    assert (await client("GET", "/a.txt", {"If-Match": '"v1"'})).status == 412


@pytest.mark.parametrize(
    ("etag", "tag"),
    [
        ('W/"weak"', 'W/"weak"'),
        ('"quoted"', '"quoted"'),
        ('a"b', '"a%22b"'),
        ("a%22b", '"a%2522b"'),
        ("a b\r\nx: y", '"a%20b%0D%0Ax:%20y"'),
        ("日", '"%E6%97%A5"'),
    ],
)
async def test_any_etag_is_a_tag(dated: Dated, etag: str, tag: str) -> None:
    dated.etag = etag
    client = Client(StoreApp(dated))
    assert (await client("GET", "/a.txt")).headers["etag"] == tag
    assert (await client("GET", "/a.txt", {"If-None-Match": tag})).status == 304
    strong = 412 if tag.startswith("W/") else 200
    assert (await client("GET", "/a.txt", {"If-Match": tag})).status == strong


async def test_no_time_lies_ahead(dated: Dated) -> None:
    dated.modified = datetime.now(UTC) + timedelta(days=2)
    told = parsed((await Client(StoreApp(dated))("GET", "/a.txt")).headers["last-modified"])
    assert told is not None
    assert told <= datetime.now(UTC)


def test_dates_are_read_in_any_form_and_zone() -> None:
    moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert parsed("Sun, 06 Nov 1994 08:49:37 GMT") == moment
    assert parsed("Sunday, 06-Nov-94 08:49:37 GMT") == moment
    assert parsed("Sun Nov  6 08:49:37 1994") == moment
    for wrong in ("Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +0100", "", "0"):
        assert parsed(wrong) is None
    assert parsed("Sun, 06 Foo 1994 08:49:37 GMT") is None
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert parsed(format_datetime(east.astimezone(UTC), usegmt=True)) == east


@pytest.mark.parametrize(
    ("key", "told", "kind"),
    [
        ("x.json", None, "application/json"),
        ("dir.html/x", None, "application/octet-stream"),
        ("x.tar.gz", None, "application/gzip"),
        ("[", None, "application/octet-stream"),
        ("data:x.png", None, "image/png"),
        ("x.json", "text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("x.json", "text/html\r\nset-cookie: a=b", "application/json"),
        ("x", "nonsense", "application/octet-stream"),
    ],
)
async def test_the_media_type(key: str, told: str | None, kind: str) -> None:
    store = AsyncDictStore()
    await store.put(key, b"1", content_type=told)
    assert (await Client(StoreApp(store))("GET", f"/{key}")).headers["content-type"] == kind


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("plain.txt", 'filename="plain.txt"'),
        ("two words.txt", 'filename="two words.txt"'),
        ("naïve €", "filename=\"na_ve _\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC"),
        ('a"b\\c.txt', "filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("a%2\r\nx: y", "filename=\"a_2__x: y\"; filename*=UTF-8''a%252%0D%0Ax%3A%20y"),
    ],
)
async def test_the_name_to_be_saved_under(name: str, told: str) -> None:
    store = AsyncDictStore({f"in/{name}": b"1"})
    response = ObjectResponse(store, f"in/{name}", attachment=True)
    assert (await Client(response)("GET", "/")).headers[
        "content-disposition"
    ] == f"attachment; {told}"


async def test_the_service_saves_where_it_is_asked_to(client: Client) -> None:
    saved = await client("GET", "/a.txt?download=1")
    assert saved.headers["content-disposition"] == 'attachment; filename="a.txt"'
    assert "content-disposition" not in (await client("GET", "/a.txt?download=0")).headers


async def test_a_handler_of_ones_own(store: AsyncDictStore) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send_object(scope, receive, send, store, "a.txt", filename="b.txt")

    client = Client(app)
    answer = await client("GET", "/whatever", {"Range": "bytes=2-3"})
    assert (answer.status, answer.body) == (206, b"23")
    assert answer.headers["content-disposition"] == 'inline; filename="b.txt"'
    refused = await client("POST", "/whatever")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_what_is_to_be_saved_is_not_redirected() -> None:
    class Presigning(AsyncDictStore):
        async def presigned_get(self, key: str, expiry: int = 3600) -> str:
            return f"https://store.example/{key}"

        async def presigned_put(self, key: str, expiry: int = 3600) -> str:
            raise NotImplementedError

    client = Client(StoreApp(Presigning({"a": CONTENT}), presign_redirect=True))
    assert (await client("GET", "/a")).headers["location"] == "https://store.example/a"
    saved = await client("GET", "/a?download=1")
    assert (saved.status, saved.body) == (200, CONTENT)
    assert saved.headers["content-disposition"] == 'attachment; filename="a"'


def test_no_framework_finds_the_store_in_an_answer(store: AsyncDictStore) -> None:
    """What makes JSON of any object by its dict would publish what the store knows."""
    with pytest.raises(TypeError):
        vars(ObjectResponse(store, "a"))


async def test_a_length_that_is_not_known(tmp_path: Any) -> None:
    from storage.aioutils import AsyncGzipStore

    store = AsyncGzipStore(AsyncDictStore())
    await store.put("a", CONTENT)
    client = Client(StoreApp(store))
    answer = await client("GET", "/a", {"Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (200, CONTENT)
    assert not answer.headers.keys() & {"content-length", "accept-ranges"}
    # There a cut would look like the end.
    old = await Client(StoreApp(store), http_version="1.0")("GET", "/a")
    assert (old.status, CONTENT in old.body) == (505, False)
