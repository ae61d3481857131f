"""Range and If-Range: parts of an object, and nothing that is not of one version."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._asgi import ranges
from storage.asgi import StoreApp
from storage.object import (
    AsyncBaseStore,
    AsyncDictStore,
    Capability,
    ObjectInfo,
    PreconditionFailed,
)
from tests.asgi.client import Answer, Client
from tests.asgi.conftest import CONTENT

ONE = [
    ("bytes=0-0", b"0"),
    ("bytes=2-4", b"234"),
    ("bytes=7-", b"789"),
    ("bytes=7-99", b"789"),
    ("bytes=-3", b"789"),
    ("bytes=-99", CONTENT),
    ("BYTES=1-1", b"1"),
    ("bytes= 1-1 ,", b"1"),
    ("bytes=0-99999999999999999999999", CONTENT),
    ("bytes=99-,2-3", b"23"),
]
IGNORED = [
    "bytes", "bytes=x", "bytes=3-2", "bytes=1", "bytes=--1", "lines=0-1", "bytes=0-1,x",
    "bytes=0-5,3-7", "bytes=" + ",".join(f"{n}-{n}" for n in [*range(10)] * 2),
]  # fmt: skip


@pytest.mark.parametrize(("header", "body"), ONE)
async def test_one_range(client: Client, header: str, body: bytes) -> None:
    answer = await client("GET", "/a.txt", {"Range": header})
    assert (answer.status, answer.body) == (206, body)
    start = CONTENT.index(body)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(body) - 1}/10"
    assert answer.headers["content-type"] == "text/plain"


@pytest.mark.parametrize("header", IGNORED)
async def test_what_is_not_served_in_parts_is_served_whole(client: Client, header: str) -> None:
    answer = await client("GET", "/a.txt", {"Range": header})
    assert (answer.status, answer.body) == (200, CONTENT)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0", "bytes=10-,-0"])
async def test_no_byte_is_asked_for(client: Client, header: str) -> None:
    answer = await client("GET", "/a.txt", {"Range": header})
    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */10"


async def test_an_empty_object(client: Client, store: AsyncDictStore) -> None:
    await store.put("empty", b"")
    assert (await client("GET", "/empty", {"Range": "bytes=0-"})).status == 416
    assert (await client("GET", "/empty", {"Range": "bytes=-5"})).status == 200


async def test_only_a_get_has_ranges(client: Client) -> None:
    answer = await client("HEAD", "/a.txt", {"Range": "bytes=0-1"})
    assert (answer.status, answer.headers["content-length"]) == (200, "10")


async def test_if_range(client: Client, store: AsyncDictStore) -> None:
    info = await store.head("a.txt")

    async def status(value: str) -> int:
        headers = {"Range": "bytes=0-1", "If-Range": value}
        return (await client("GET", "/a.txt", headers)).status

    assert await status(f'"{info.etag}"') == 206
    assert await status('"other"') == 200
    assert await status(f'W/"{info.etag}"') == 200
    # A date is no strong validator: two versions of one second have the same.
    modified = (await client("HEAD", "/a.txt")).headers["last-modified"]
    assert await status(modified) == 200
    unsatisfiable = {"Range": "bytes=99-", "If-Range": '"other"'}
    assert (await client("GET", "/a.txt", unsatisfiable)).status == 200


def parts_of(answer: Answer) -> list[tuple[str, str, bytes]]:
    """The parts of a multipart answer, as a library reads them."""
    head = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.body)
    found: list[Any] = message.get_payload()  # type: ignore[assignment]
    return [
        (part["content-range"], part["content-type"], part.get_payload(decode=True))
        for part in found
    ]


async def test_several_ranges(client: Client) -> None:
    answer = await client("GET", "/a.txt", {"Range": "bytes=7-8, 0-1,-1, 50-"})
    assert answer.status == 206
    assert re.fullmatch(
        r"multipart/byteranges; boundary=[0-9a-f]{32}", answer.headers["content-type"]
    )
    assert "content-range" not in answer.headers
    assert parts_of(answer) == [
        ("bytes 7-8/10", "text/plain", b"78"),
        ("bytes 0-1/10", "text/plain", b"01"),
        ("bytes 9-9/10", "text/plain", b"9"),
    ]


class Changing(AsyncDictStore):
    """Another task writes between two requests to it."""

    times = 1

    async def _head(self, key: str) -> ObjectInfo:
        info = await super()._head(key)
        if self.times:
            self.times -= 1
            await self.put(key, b"abc")
        return info


async def test_a_change_after_the_look_is_seen() -> None:
    store = Changing({"a": CONTENT})
    client = Client(StoreApp(store))
    # Bytes 5 to 6 were there when it looked; the bytes that were opened have other ones.
    answer = await client("GET", "/a", {"Range": "bytes=5-6", "If-Modified-Since": "x"})
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */3")
    store = Changing({"a": CONTENT})
    tag = f'"{(await AsyncDictStore(store.objects).head("a")).etag}"'
    answer = await Client(StoreApp(store))("GET", "/a", {"If-Match": tag})
    assert answer.status == 412


class ChangingUnasked(Changing):
    """And it cannot be told which version is wanted."""

    capabilities = Changing.capabilities & ~Capability.READ_CONDITIONS


@pytest.mark.parametrize("kind", [Changing, ChangingUnasked])
async def test_parts_of_two_versions_never_make_one_answer(kind: type[Changing]) -> None:
    app, ended = StoreApp(kind({"a": CONTENT})), []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def seen(message: Any) -> None:
            ended.append(message["type"] == "http.response.body" and not message["more_body"])
            await send(message)

        await app(scope, receive, seen)

    with pytest.raises(PreconditionFailed):
        await Client(watched)("GET", "/a", {"Range": "bytes=0-0,2-2"})
    assert ended == [False, False]  # the head, and that of the first part


class Nameless(AsyncBaseStore):
    """Nobody can tell two versions of its objects apart."""

    def __init__(self) -> None:
        super().__init__()

    async def _get(self, key: str, options: Any) -> tuple[bytes, ObjectInfo]:
        return options.cut(CONTENT), ObjectInfo(key, 10)

    async def _put(self, key: str, data: Any, options: Any) -> ObjectInfo:
        raise NotImplementedError

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        raise NotImplementedError

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        yield ObjectInfo("a")


async def test_without_etags_there_are_no_several_parts() -> None:
    client = Client(StoreApp(Nameless()))
    assert (await client("GET", "/a", {"Range": "bytes=0-0,2-2"})).status == 200
    assert (await client("GET", "/a", {"Range": "bytes=0-0"})).status == 206


@pytest.mark.parametrize("text", [" " * 60_000 + "x", "\t" * 60_000, "," * 60_000, "0-0," * 15_000])
def test_a_long_header_is_read_in_no_time(text: str) -> None:
    begun = time.process_time()
    assert ranges.parsed(f"bytes={text}") == []
    assert time.process_time() - begun < 1  # what grows by the square takes a minute


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12) | st.none()), min_size=1, max_size=4),
    st.integers(0, 10),
)
def test_ranges_are_what_the_grammar_says(specs: list[tuple[int, int | None]], size: int) -> None:
    header = "bytes=" + ", ".join(f"{a}-{'' if b is None else b}" for a, b in specs)
    parts = ranges.parsed(header)
    if any(b is not None and b < a for a, b in specs):
        assert parts == []
        return
    wanted = [range(a, size if b is None else min(b + 1, size)) for a, b in specs if a < size]
    if not wanted:
        with pytest.raises(ranges.Unsatisfiable):
            ranges.chosen(parts, size)
        return
    bounds = ranges.chosen(parts, size)
    together = [n for part in wanted for n in part]
    if len(together) > len(set(together)):
        assert bounds == []
    else:
        assert [range(*part) for part in bounds] == wanted
