"""Requests and answers over both transports: what goes out, what comes in, what is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")

from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import (
    AnswerError,
    ConnectError,
    ConnectionLost,
    Request,
    SilenceError,
)
from tests.backends import wires
from tests.backends.wires import HELLO, KINDS, OK, Kind, Line, answering, connected, fetch, get

lean_only = pytest.mark.parametrize("kind", KINDS[:1])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


async def test_a_request_goes_out_as_it_was_signed(kind: Kind) -> None:
    heads: list[str] = []

    async def handler(line: Line) -> None:
        while head := await line.head():
            heads.append(head)
            await line.say(HELLO)

    target = "/b/a%2Fb//../x%20~(y)?uploads&x-id=Get%2FObject&e="
    headers = [("Host", "example.com:99"), ("X-Amz-Date", "now"), ("Authorization", "AWS4 a=b, c")]
    async with connected(kind, handler) as (transport, _):
        assert await fetch(transport, Request("GET", target, headers)) == (200, b"hello")
    lines = heads[0].split("\r\n")
    assert lines[0] == f"GET {target} HTTP/1.1"
    assert sorted(lines[1:-2]) == sorted(f"{name}: {value}" for name, value in headers)


@pytest.mark.parametrize(
    "body",
    [
        [b"x"],
        [b"abc", b"", memoryview(b"defg")],
        [memoryview(bytearray(range(256)) * 400)[100:]],
        [b"0123456789" * 50_000, memoryview(b"abc" * 100_000)],
        [memoryview(bytes(range(64))).cast("I")],
    ],
    ids=["small", "pieces", "view", "large", "words"],
)
async def test_bodies_are_sent(kind: Kind, body: list[bytes | memoryview]) -> None:
    seen: list[tuple[str, bytes]] = []

    async def handler(line: Line) -> None:
        while (request := await line.request())[0]:
            seen.append(request)
            await line.say(HELLO)

    async with connected(kind, handler) as (transport, server):
        for _ in range(2):
            assert await fetch(transport, get(method="PUT", body=body)) == (200, b"hello")
        assert server.opened == 1
    whole = b"".join(bytes(piece) for piece in body)
    assert [sent == whole for _, sent in seen] == [True, True]
    assert f"content-length: {len(whole)}\r\n" in seen[0][0].lower()
    assert "chunked" not in seen[0][0].lower()


async def test_an_empty_put_tells_its_length(kind: Kind) -> None:
    heads: list[str] = []

    async def handler(line: Line) -> None:
        heads.append(await line.head())
        await line.say(HELLO)

    async with connected(kind, handler) as (transport, _):
        assert (await fetch(transport, get(method="PUT")))[0] == 200
    assert "content-length: 0\r\n" in heads[0].lower()


@pytest.mark.parametrize(
    ("target", "header"),
    [
        ("/a\r\nX: y", "v"),
        ("/a", "v\r\nX: y"),
        ("/a", "v\nX: y"),
        ("/a", "v\0"),
        ("/a b", "v"),
        ("/\u00e9", "v"),
    ],
)
async def test_nothing_can_be_smuggled_into_a_request(kind: Kind, target: str, header: str) -> None:
    async with connected(kind, answering(HELLO)) as (transport, server):
        with pytest.raises(ValueError, match=r"line break|percent"):
            await transport.send(Request("GET", target, [("Host", "h"), ("X-A", header)]))
        assert server.opened == 0


async def test_headers_come_in_small_letters_and_joined(kind: Kind) -> None:
    raw = OK + b'ETag: "a"\r\nX-Amz-Meta-A: 1 \r\nx-amz-meta-a:\t2\r\nX-Empty:\r\n'
    raw += "X-Text: \u00e9\r\n".encode() + b"X-Latin: \xe9\r\nContent-Length: 0\r\n\r\n"
    async with connected(kind, answering(raw)) as (transport, _):
        response = await transport.send(get())
        await response.aclose()
    assert dict(response.headers) == {
        "etag": '"a"',
        "x-amz-meta-a": "1, 2",
        "x-empty": "",
        "x-text": "\u00e9",
        "x-latin": "\udce9",
        "content-length": "0",
    }
    assert not response.resent


BODILESS = [
    ("HEAD", OK + b"Content-Length: 5000\r\n\r\n", 200),
    ("HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n", 200),
    ("HEAD", OK + b"\r\n", 200),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", 304),
    ("GET", OK + b"Content-Length: 0\r\n\r\n", 200),
]


@pytest.mark.parametrize(("method", "raw", "status"), BODILESS)
async def test_answers_without_a_body(kind: Kind, method: str, raw: bytes, status: int) -> None:
    async with connected(kind, answering(raw)) as (transport, server):
        for _ in range(3):
            assert await fetch(transport, get(method=method)) == (status, b"")
        # aiohttp does not trust the answer to a HEAD that names no length.
        assert server.opened == 1 or (raw == OK + b"\r\n" and kind is not LeanTransport)


CHUNKED = OK + b"Transfer-Encoding: Chunked\r\n\r\n"
BODIES = [
    (HELLO, True),
    (b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", True),
    (CHUNKED + b"3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-Trailer: y\r\n\r\n", True),
    (CHUNKED + b"005\r\nhello\r\n000\r\n\r\n", True),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + HELLO, True),
    (OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", False),
    (OK + b"Connection: Keep-Alive, CLOSE\r\nContent-Length: 5\r\n\r\nhello", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", True),
]


@pytest.mark.parametrize(("raw", "kept"), BODIES)
async def test_connections_are_kept_where_both_sides_want_it(
    kind: Kind, raw: bytes, kept: bool
) -> None:
    async with connected(kind, answering(raw)) as (transport, server):
        for _ in range(3):
            assert await fetch(transport) == (200, b"hello")
        assert server.opened == (1 if kept else 3)


async def test_a_body_without_a_length_ends_with_its_connection(kind: Kind) -> None:
    handler = answering([OK + b"\r\nhel", b"lo"], then_close=True)
    async with connected(kind, handler) as (transport, server):
        assert await fetch(transport) == (200, b"hello")
        assert await fetch(transport) == (200, b"hello")
        assert server.opened == 2


async def test_a_body_comes_in_pieces_of_the_wanted_size(kind: Kind) -> None:
    body = bytes(range(256)) * 4096
    raw = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with connected(kind, answering(raw)) as (transport, server):
        for size in (1000, 65536, 2**22):
            response = await transport.send(get())
            pieces = await wires.in_pieces(response, size)
            assert max(map(len, pieces)) <= size
            assert b"".join(pieces) == body
            assert await response.read() == b""
            await response.aclose()
        response = await transport.send(get())
        first = await response.read(1000)
        assert 0 < len(first) <= 1000
        assert first + await response.read() == body
        assert server.opened == 1


async def test_a_body_given_up_closes_its_connection(kind: Kind) -> None:
    raw = OK + b"Content-Length: 10\r\n\r\nhello"
    async with connected(kind, answering(raw, HELLO), limit=1) as (transport, server):
        for _ in range(3):
            response = await transport.send(get())
            assert await response.read(3)
            await response.aclose()
            await response.aclose()
        assert server.opened == 3


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "raw",
    [
        OK[:9],
        OK + b"Content-Length: 5\r\n\r\nhell",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhe",
    ],
)
async def test_a_cut_answer_is_an_error(kind: Kind, raw: bytes, reset: bool) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(raw)
        if reset:
            line.reset()

    async with connected(kind, handler) as (transport, server):
        with pytest.raises((ConnectionLost, AnswerError)) as caught:
            await fetch(transport, get(method="POST"))
        assert caught.value.sent
        assert server.opened == 1


async def test_what_came_before_the_cut_can_be_read(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(OK + b"Content-Length: 10\r\n\r\nhello")

    async with connected(kind, handler) as (transport, _):
        response = await transport.send(get())
        assert await response.read(100) == b"hello"
        with pytest.raises(ConnectionLost):
            await response.read(100)
        with pytest.raises(ConnectionLost):
            await response.read()
        await response.aclose()


async def closing_kept_connections(line: Line) -> None:
    """Close without a word when the second request comes."""
    head, _ = await line.request()
    await line.say(HELLO.removesuffix(b"hello") if head.startswith("HEAD") else HELLO)
    await line.request()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_a_kept_connection_that_was_closed_costs_nothing(kind: Kind, method: str) -> None:
    body = [b"x" * 100_000] if method == "PUT" else []
    async with connected(kind, closing_kept_connections) as (transport, server):
        await fetch(transport)
        response = await transport.send(get(method=method, body=body))
        assert (response.status, response.resent) == (200, True)
        await response.aclose()
        assert server.opened == 2


@lean_only
async def test_it_is_sent_again_over_a_new_connection(kind: Kind) -> None:
    """The other kept ones are no better, most likely."""
    async with connected(kind, closing_kept_connections) as (transport, server):
        await asyncio.gather(fetch(transport), fetch(transport))
        assert server.opened == 2
        response = await transport.send(get())
        assert (await response.read(), response.resent) == (b"hello", True)
        assert server.opened == 3


@lean_only
async def test_a_request_that_was_answered_in_part_is_not_sent_again(kind: Kind) -> None:
    async with connected(kind, answering(HELLO, [HELLO[:10]], b"")) as (transport, server):
        await fetch(transport)

        async def cut() -> None:
            await asyncio.sleep(0.02)
            for writer in server.open:
                writer.close()

        task = asyncio.create_task(cut())
        with pytest.raises(ConnectionLost):
            await fetch(transport)
        assert server.opened == 1
        await task


async def test_a_post_is_never_sent_twice(kind: Kind) -> None:
    async with connected(kind, closing_kept_connections) as (transport, server):
        await fetch(transport)
        with pytest.raises(ConnectionLost):
            await transport.send(get(method="POST", body=[b"x"]))
        assert server.opened == 1


@lean_only
async def test_a_new_connection_that_is_closed_is_an_error_at_once(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.request()

    async with connected(kind, handler) as (transport, server):
        with pytest.raises(ConnectionLost):
            await transport.send(get())
        assert server.opened == 1


@lean_only
async def test_a_connection_that_the_server_closes_meanwhile_is_not_used(kind: Kind) -> None:
    async with connected(kind, answering(HELLO, then_close=True)) as (transport, server):
        for _ in range(3):
            response = await transport.send(get())
            assert await response.read() == b"hello"
            assert not response.resent
            await server.idle()
            await asyncio.sleep(0.01)


@lean_only
@pytest.mark.parametrize("rubbish", [b"x", HELLO, b"\r\n"])
async def test_bytes_that_nobody_asked_for_end_a_connection(kind: Kind, rubbish: bytes) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(HELLO)
        await asyncio.sleep(0.01)
        await line.say(rubbish)
        await line.gone()

    async with connected(kind, handler) as (transport, server):
        assert await fetch(transport) == (200, b"hello")
        async with asyncio.timeout(5):  # or it would end some time, because nobody uses it
            await server.idle()
        assert await fetch(transport) == (200, b"hello")
        assert server.opened == 2


async def test_bytes_after_an_answer_are_not_those_of_the_next(kind: Kind) -> None:
    evil = OK + b"Content-Length: 4\r\n\r\nevil"
    async with connected(kind, answering(HELLO + evil)) as (transport, server):
        assert await fetch(transport) == (200, b"hello")
        assert await fetch(transport) == (200, b"hello")
        assert server.opened == 2


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", OK + b"Content-Length: 5\r\n\r\nhel"])
async def test_a_silent_server_is_left(kind: Kind, said: bytes) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(said)
        await line.gone()

    async with connected(kind, handler, read_timeout=0.1) as (transport, server):
        with pytest.raises(SilenceError) as caught:
            await fetch(transport)
        assert caught.value.sent
        await server.idle()


async def test_a_slow_server_is_waited_for(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(OK + b"Content-Length: 5\r\n\r\n")
        for byte in b"hello":
            await asyncio.sleep(0.06)
            await line.say(bytes([byte]))

    async with connected(kind, handler, read_timeout=0.2) as (transport, _):
        assert await fetch(transport) == (200, b"hello")


@lean_only
async def test_a_server_may_be_waited_for_without_end(kind: Kind) -> None:
    async with connected(kind, answering(HELLO), read_timeout=float("inf")) as (transport, _):
        assert await fetch(transport) == (200, b"hello")


async def test_nobody_listens(kind: Kind) -> None:
    async with wires.serving(answering(HELLO)) as server:
        pass
    transport = kind(wires.endpoint(server))
    with pytest.raises(ConnectError) as caught:
        await transport.send(get())
    assert not caught.value.sent
    await transport.aclose()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".invalid"])
async def test_a_name_that_nobody_knows(kind: Kind, host: str) -> None:
    async with connected(kind, answering(HELLO), host=host) as (transport, _):
        with pytest.raises(ConnectError):
            await transport.send(get())


async def test_a_name_is_looked_up(kind: Kind) -> None:
    """It may have an address at which nobody listens, too."""
    async with connected(kind, answering(HELLO), host="localhost") as (transport, _):
        assert await fetch(transport) == (200, b"hello")


@lean_only
async def test_all_addresses_of_a_name_are_tried_and_remembered(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    real = asyncio.get_running_loop().getaddrinfo

    async def two_addresses(host: str, port: int, **more: Any) -> list[Any]:
        looked_up.append(host)
        right = await real("127.0.0.1", port, **more)
        nobody = [(*entry[:4], ("127.0.0.1", 1)) for entry in right]
        return [*nobody, *right]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two_addresses)
    handler = answering(HELLO, then_close=True)
    async with connected(kind, handler, host="example.invalid") as (transport, server):
        answers = await asyncio.gather(*(fetch(transport) for _ in range(10)))
        assert answers == [(200, b"hello")] * 10
        assert server.opened == 10
    assert looked_up == ["example.invalid"]


@lean_only
async def test_addresses_that_fail_are_looked_up_again(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [1]
    real = asyncio.get_running_loop().getaddrinfo

    async def elsewhere(host: str, port: int, **more: Any) -> list[Any]:
        return await real("127.0.0.1", ports[-1], **more)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", elsewhere)
    async with connected(kind, answering(HELLO), host="example.invalid") as (transport, server):
        with pytest.raises(ConnectError):
            await fetch(transport)
        ports.append(server.port)
        assert await fetch(transport) == (200, b"hello")
