"""PUT and DELETE: whole or not at all, under conditions, within a limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from storage.aiofs import AsyncFilesystemStore
from storage.asgi import StoreApp
from storage.object import AsyncBaseStore, AsyncDictStore, Capability, ObjectInfo, StoreNotFound
from tests.asgi.client import Client
from tests.asgi.conftest import CONTENT

KIB = 1024


async def test_new_and_replaced(client: Client, store: AsyncDictStore) -> None:
    new = await client("PUT", "/new", {"Content-Type": "text/html"}, b"<p>")
    assert (new.status, new.body) == (201, b"")
    info = await store.head("new")
    assert new.headers["etag"] == f'"{info.etag}"'
    assert info.content_type == "text/html"
    old = await client("PUT", "/a.txt", {}, b"other")
    assert old.status == 204
    assert await store.get("a.txt") == b"other"


async def test_in_pieces_of_any_size(client: Client, store: AsyncDictStore) -> None:
    for sizes in ([0], [1, 0, 2], [70 * KIB], [40 * KIB] * 5, [0, 64 * KIB + 1, 0]):
        pieces = [bytes([at + 1]) * size for at, size in enumerate(sizes)]
        body = b"".join(pieces)
        for headers in ({}, {"Content-Length": str(len(body))}):
            answer = await client("PUT", "/a.txt", headers, pieces)
            assert answer.status == 204
            assert "connection" not in answer.headers
            assert await store.get("a.txt") == body


WRITES = [
    ({"If-None-Match": "*"}, 412, 201),
    ({"If-Match": "*"}, 204, 412),
    ({"If-Match": "TAG"}, 204, 412),
    ({"If-Match": 'W/"x", TAG'}, 204, 412),
    ({"If-Match": "W/TAG"}, 412, 412),
    ({"If-Match": '"x"'}, 412, 412),
    ({"If-None-Match": "TAG"}, 412, 201),
    ({"If-None-Match": '"x"'}, 204, 201),
    ({"If-Unmodified-Since": "Sun, 01 Mar 2020 12:00:00 GMT"}, 412, 201),
    ({"If-Unmodified-Since": "Sun, 01 Mar 2120 12:00:00 GMT"}, 204, 201),
    ({"If-Modified-Since": "Sun, 01 Mar 2120 12:00:00 GMT"}, 204, 201),
    ({"If-Match": "TAG", "If-Unmodified-Since": "Sun, 01 Mar 2020 12:00:00 GMT"}, 204, 412),
]


@pytest.mark.parametrize(("headers", "there", "missing"), WRITES, ids=str)
async def test_conditions(
    client: Client, store: AsyncDictStore, headers: dict[str, str], there: int, missing: int
) -> None:
    tag = f'"{(await store.head("a.txt")).etag}"'
    sent = {name: value.replace("TAG", tag) for name, value in headers.items()}
    assert (await client("PUT", "/a.txt", sent, b"new")).status == there
    assert await store.get("a.txt") == (b"new" if there == 204 else CONTENT)
    assert (await client("PUT", "/missing", sent, b"new")).status == missing
    assert await store.exists("missing") == (missing == 201)
    await store.put("b.txt", CONTENT)
    tag = f'"{(await store.head("b.txt")).etag}"'
    sent = {name: value.replace("TAG", tag) for name, value in headers.items()}
    if "If-None-Match" not in headers or there == 412:
        assert (await client("DELETE", "/b.txt", sent)).status == there
        assert await store.exists("b.txt") == (there == 412)
    # Without the condition it would be 404, so the condition is not looked at.
    assert (await client("DELETE", "/gone", sent)).status == 404


@pytest.mark.parametrize("value", ["*, *", '*, "x"', "", "x", '"x" y', '"x'])
async def test_what_is_no_list_of_tags_replaces_nothing(
    client: Client, store: AsyncDictStore, value: str
) -> None:
    for method in ("PUT", "DELETE"):
        assert (await client(method, "/a.txt", {"If-None-Match": value}, b"new")).status == 400
    assert store.objects == {"a.txt": CONTENT}


class Raced(AsyncDictStore):
    """Another writer comes between the look and the write."""

    async def _head(self, key: str) -> ObjectInfo:
        info = await super()._head(key)
        self.objects[key] = b"somebody else's"
        return info


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_lost_race_is_a_failed_condition(method: str) -> None:
    store = Raced({"a": CONTENT})
    headers = {"If-Unmodified-Since": "Sun, 01 Mar 2120 12:00:00 GMT", "If-Match": "*"}
    answer = await Client(StoreApp(store, writable=True))(method, "/a", headers, b"mine")
    assert answer.status == 412
    assert await store.get("a") == b"somebody else's"


async def test_of_many_writers_one_wins(client: Client, store: AsyncDictStore) -> None:
    bodies = [b"%d" % n for n in range(10)]
    answers = await asyncio.gather(
        *(client("PUT", "/one", {"If-None-Match": "*"}, body) for body in bodies)
    )
    assert sorted(answer.status for answer in answers) == [201] + [412] * 9
    won = next(at for at, answer in enumerate(answers) if answer.status == 201)
    assert await store.get("one") == bodies[won]


class Simple(AsyncDictStore):
    """It has no conditions, and keeps no attributes."""

    capabilities = Capability.ORDERED | Capability.STREAMS


async def test_what_the_store_cannot_hold_is_not_tried() -> None:
    store = Simple({"a": CONTENT})
    client = Client(StoreApp(store, writable=True))
    for headers in ({"If-None-Match": "*"}, {"If-Match": "*"}, {"If-None-Match": '"x"'}):
        assert (await client("PUT", "/a", headers, b"new")).status == 501
        assert (await client("PUT", "/b", headers, b"new")).status in (412, 501)
    assert (await client("DELETE", "/a", {"If-Match": "*"})).status == 501
    assert store.objects == {"a": CONTENT}
    assert (await client("PUT", "/b", {"Content-Type": "text/html"}, b"new")).status == 201


REFUSED = [
    ({"Content-Length": "101"}, 413),
    ({"Content-Length": "99999999999999999999"}, 413),
    ({"Content-Length": "-1"}, 400),
    ({"Content-Length": "1" * 40}, 400),
    ({"Content-Range": "bytes 0-1/10"}, 400),
    ({"Content-Encoding": "gzip"}, 415),
    ({"Content-Type": "nonsense"}, 400),
    ({"Origin": "http://evil.example"}, 403),
]


def unread() -> Iterator[bytes]:
    """A body that nobody may ask for."""
    yield b""
    raise AssertionError("the body was read")


@pytest.mark.parametrize(("headers", "status"), REFUSED, ids=str)
async def test_refused_before_the_body_is_read(
    store: AsyncDictStore, headers: dict[str, str], status: int
) -> None:
    client = Client(StoreApp(store, writable=True, max_upload=100))
    answer = await client("PUT", "/a.txt", {"Host": "here", **headers}, _Late())
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert await store.get("a.txt") == CONTENT


class _Late:
    """Its first piece is never asked for; the client of the tests looks one piece ahead."""

    def __iter__(self) -> Iterator[bytes]:
        return unread()


async def test_too_long_without_saying_so(store: AsyncDictStore) -> None:
    client = Client(StoreApp(store, writable=True, max_upload=200 * KIB))
    read = []

    def pieces() -> Iterator[bytes]:
        for n in range(1000):
            read.append(n)
            yield bytes(10 * KIB)

    answer = await client("PUT", "/a.txt", {}, pieces())
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert len(read) < 30
    assert await store.get("a.txt") == CONTENT
    assert (await client("PUT", "/a.txt", {}, bytes(200 * KIB))).status == 204


@pytest.mark.parametrize("size", [10, 100 * KIB])
async def test_another_length_than_was_told(
    client: Client, store: AsyncDictStore, size: int
) -> None:
    for told in (size - 1, size + 1):
        answer = await client("PUT", "/a.txt", {"Content-Length": str(told)}, [bytes(size)])
        assert answer.status == 400
    assert await store.get("a.txt") == CONTENT


@pytest.mark.parametrize("sizes", [[], [10], [100 * KIB], [100 * KIB, 100 * KIB]])
async def test_a_cut_upload_publishes_nothing(tmp_path: Any, sizes: list[int]) -> None:
    async with AsyncFilesystemStore(tmp_path / "store") as store:
        await store.put("a.txt", CONTENT)
        client = Client(StoreApp(store, writable=True))
        answer = await client("PUT", "/a.txt", {}, [*map(bytes, sizes), None])
        assert answer.status == 0
        assert await store.get("a.txt") == CONTENT
        assert [key async for key in store.keys()] == ["a.txt"]
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["a.txt"]


async def test_who_sends_nothing_for_too_long(store: AsyncDictStore) -> None:
    app = StoreApp(store, writable=True, patience=0.01)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    from tests.asgi.client import scope_of

    await app(scope_of("PUT", "/a.txt"), receive, send)
    assert sent[0]["status"] == 408
    assert await store.get("a.txt") == CONTENT


async def test_the_first_write_makes_the_store(tmp_path: Any) -> None:
    async with AsyncFilesystemStore(tmp_path / "new") as store:
        client = Client(StoreApp(store, writable=True))
        with pytest.raises(StoreNotFound):
            await store.get("a")
        assert (await client("GET", "/a")).status == 503
        assert (await client("PUT", "/a", {}, b"1")).status == 201
        assert (await client("GET", "/a")).body == b"1"


async def test_deleting(client: Client, store: AsyncDictStore) -> None:
    assert (await client("DELETE", "/a.txt")).status == 204
    assert not await store.exists("a.txt")
    assert (await client("DELETE", "/a.txt")).status == 404


ORIGINS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://here:80"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site", "Origin": "http://sub.here"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://here:80"}, False),
    ({"Origin": "http://here:80"}, True),
    ({"Origin": "https://here:80"}, True),
    ({"Origin": "http://here"}, False),
    ({"Origin": "http://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "null", "Host": ""}, False),
    ({"Origin": "", "Host": ""}, False),
    ({"Origin": "http://[", "Host": "here"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"}, True),
]


@pytest.mark.parametrize(("headers", "fine"), ORIGINS, ids=str)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_another_sites_page_cannot_write(
    store: AsyncDictStore, method: str, headers: dict[str, str], fine: bool
) -> None:
    client = Client(StoreApp(store, writable=True, origins=["https://friend.example"]))
    answer = await client(method, "/a.txt", {"Host": "here:80", **headers}, b"new")
    assert answer.status == (204 if fine else 403)
    assert (store.objects.get("a.txt") == CONTENT) is not fine
    assert (await client("GET", "/a.txt", headers)).status in (200, 404)


class Foreign:
    """Somebody's own store, with the five verbs and nothing else."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes:
        return self.objects[key]

    async def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def delete(self, key: str) -> None:
        del self.objects[key]

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.objects):
            yield key


async def test_a_store_with_five_verbs() -> None:
    client = Client(StoreApp(Foreign(), writable=True, listing=True))
    assert (await client("PUT", "/b", {}, bytes(100 * KIB))).status == 201
    assert (await client("PUT", "/a", {}, b"abc")).status == 201
    assert (await client("GET", "/a", {"Range": "bytes=1-"})).body == b"bc"
    assert (await client("GET", "/a", {"If-None-Match": '"x"'})).status == 200
    assert b'"key": "a"' in (await client("GET", "/?limit=1")).body
    assert (await client("DELETE", "/b")).status == 204
    assert (await client("GET", "/b")).status == 404


def test_a_blocking_store_is_refused() -> None:
    from storage.object import DictStore

    with pytest.raises(TypeError, match="blocking"):
        StoreApp(DictStore())  # type: ignore[arg-type]
    assert issubclass(AsyncDictStore, AsyncBaseStore)
