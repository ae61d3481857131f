"""Large bodies: memory stays bounded, whoever is slow, and early answers are seen."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")

from storage._async.backends.s3.lane import connection
from storage._async.backends.s3.lane.answers import HIGH, Answer
from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.pool import Pool
from storage._async.backends.s3.lane.transport import (
    AnswerError,
    Endpoint,
    SilenceError,
    TransportError,
)
from tests.backends.wires import HELLO, KINDS, OK, Kind, Line, connected, fetch, get, in_pieces

MIB = 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
lean_only = pytest.mark.parametrize("kind", KINDS[:1])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


def put(*body: bytes | memoryview, **more: Any) -> Any:
    """A request with a body."""
    return get(method="PUT", body=body, **more)


async def settled(read: Any) -> int:
    """The value of something that grows, once it does not any more."""
    before = -1
    while (now := read()) != before or now == 0:
        before = now
        await asyncio.sleep(0.02)
    return before


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_slow_reader_holds_the_server(kind: Kind, chunked: bool) -> None:
    sent = 0
    size, piece = 48 * MIB, b"x" * 65536

    async def handler(line: Line) -> None:
        nonlocal sent
        await line.request()
        kept = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        await line.say(OK + kept + b"\r\n\r\n")
        while sent < size:
            await line.say(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
            sent += len(piece)
        if chunked:
            await line.say(b"0\r\n\r\n")
        await line.gone()

    async with connected(kind, handler, read_timeout=0.2) as (transport, _):
        response = await transport.send(get())
        assert await response.read(1)
        # What the kernel and the server hold is not ours to bound.
        assert await settled(lambda: sent) < 32 * MIB
        if isinstance(transport, LeanTransport):
            assert response.held <= HIGH + 512 * 1024  # type: ignore[attr-defined]
        await asyncio.sleep(0.3)  # the reader's silence is not the server's
        assert sum(map(len, await in_pieces(response, MIB))) == size - 1
        await response.aclose()


@lean_only
async def test_pieces_are_as_large_as_they_come(kind: Kind) -> None:
    size = 32 * MIB

    async def handler(line: Line) -> None:
        await line.request()
        await line.say(OK + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(32):
            await line.say(b"y" * MIB)
        await line.gone()  # the connection is aborted at the end of this, with what is in buffers

    async with connected(kind, handler) as (transport, _):
        response = await transport.send(get())
        pieces = await in_pieces(response, MIB)
        assert sum(map(len, pieces)) == size
        assert len(pieces) < 1000
        await response.aclose()


@lean_only
async def test_tiny_packets_cost_no_more_memory_than_their_bytes(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.request()
        await line.say(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        await line.say(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")

    async with connected(kind, handler) as (transport, _):
        response = await transport.send(get())
        while not response.complete:  # type: ignore[attr-defined]
            await asyncio.sleep(0.001)
        assert len(response.pieces) < 10  # type: ignore[attr-defined]
        assert await response.read() == b"x" * 100_000


async def test_a_large_body_goes_up_whole(kind: Kind) -> None:
    body = [bytes([n]) * (3 * MIB + n) for n in range(8)]
    seen = b""

    async def handler(line: Line) -> None:
        nonlocal seen
        while (request := await line.request())[0]:
            seen = request[1]
            await line.say(HELLO)

    async with connected(kind, handler) as (transport, server):
        for _ in range(2):
            assert await fetch(transport, put(*body)) == (200, b"hello")
            assert seen == b"".join(body)
        assert server.opened == 1


@lean_only
async def test_a_server_that_stops_reading_is_left(kind: Kind) -> None:
    """aiohttp watches over what it reads alone; the caller's deadline has to end that."""

    async def handler(line: Line) -> None:
        await line.head()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    async with connected(kind, handler, read_timeout=0.2) as (transport, _):
        with pytest.raises(SilenceError) as caught:
            async with asyncio.timeout(5):
                await transport.send(put(b"x" * (32 * MIB)))
        assert caught.value.sent


@lean_only
async def test_little_is_kept_for_a_server_that_does_not_read(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    async with connected(kind, handler) as (transport, _):
        task = asyncio.create_task(transport.send(put(b"x" * (32 * MIB))))
        pool: Any = None
        while pool is None or not pool._all:
            await asyncio.sleep(0.01)
            pool = transport._pool  # type: ignore[attr-defined]
        (line,) = pool._all
        kept = await settled(line._transport.get_write_buffer_size)
        assert kept <= connection.WRITE_HIGH + 256 * 1024
        task.cancel()
        await asyncio.wait([task])
        assert pool._taken == 0


@lean_only
async def test_a_server_that_reads_slowly_is_waited_for(kind: Kind) -> None:
    """For aiohttp, a server that says nothing is silent, whatever it takes."""

    async def handler(line: Line) -> None:
        await line.head()
        for _ in range(64):
            await line.reader.readexactly(MIB)
            await asyncio.sleep(0.008)
        await line.say(HELLO)

    async with connected(kind, handler, read_timeout=0.3) as (transport, _):
        assert await fetch(transport, put(b"x" * (64 * MIB))) == (200, b"hello")


@lean_only
async def test_an_early_refusal_is_an_answer(kind: Kind) -> None:
    read = 0

    async def handler(line: Line) -> None:
        nonlocal read
        await line.head()
        await line.say(REFUSED)
        while data := await line.reader.read(65536):
            read += len(data)
            await asyncio.sleep(0)

    async with connected(kind, handler) as (transport, server):
        for n in range(2):
            assert await fetch(transport, put(b"x" * (32 * MIB))) == (403, b"no")
            await server.idle()
            assert server.opened == n + 1
        assert read < 32 * MIB


@lean_only
async def test_an_early_success_is_none(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await line.say(HELLO)
        await asyncio.sleep(1)

    async with connected(kind, handler) as (transport, _):
        with pytest.raises(AnswerError, match="before the request"):
            await transport.send(put(b"x" * (32 * MIB)))


@lean_only
async def test_the_body_waits_for_the_server(kind: Kind) -> None:
    early: list[bytes] = []

    async def handler(line: Line) -> None:
        while head := await line.head():
            assert "Expect: 100-continue\r\n" in head
            await asyncio.sleep(0.02)
            early.append(bytes(line.reader._buffer))  # type: ignore[attr-defined]
            await line.say(b"HTTP/1.1 102 Wait\r\n\r\n", CONTINUE)
            await line.reader.readexactly(100_000)
            await line.say(HELLO)

    async with connected(kind, handler) as (transport, server):
        for _ in range(2):
            assert await fetch(transport, put(b"x" * 100_000, expect=True)) == (200, b"hello")
        assert early == [b"", b""]
        assert server.opened == 1


async def test_a_server_that_knows_no_continue_gets_the_body(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.05)

    async def handler(line: Line) -> None:
        while (await line.request())[0]:
            await line.say(HELLO)

    async with connected(kind, handler) as (transport, server):
        for _ in range(2):
            assert await fetch(transport, put(b"x" * 100, expect=True)) == (200, b"hello")
        assert server.opened == 1


@lean_only
async def test_a_refusal_instead_of_continue_saves_the_body(kind: Kind) -> None:
    rest: list[bytes] = []

    async def handler(line: Line) -> None:
        await line.head()
        await line.say(REFUSED)
        rest.append(await line.reader.read())

    async with connected(kind, handler) as (transport, server):
        assert await fetch(transport, put(b"x" * 100, expect=True)) == (403, b"no")
        await server.idle()
        assert rest == [b""]
        assert await fetch(transport, put(b"x" * 100, expect=True)) == (403, b"no")
        assert server.opened == 2


@pytest.mark.parametrize("after", [0, 100_000, 4 * MIB])
async def test_a_reset_in_the_middle_of_a_body(kind: Kind, after: int) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.reader.readexactly(after)
        line.reset()

    async with connected(kind, handler) as (transport, _):
        with pytest.raises(TransportError) as caught:
            await transport.send(get(method="POST", body=[b"x" * (32 * MIB)]))
        assert caught.value.sent


class Swallowing(asyncio.Transport):
    """The fastest of all servers is behind it."""

    written = 0

    def write(self, data: Any) -> None:
        self.written += len(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def abort(self) -> None:
        pass


async def test_others_get_their_turn_while_a_body_is_sent() -> None:
    loop, transport = asyncio.get_running_loop(), Swallowing()
    line = connection.Connection(loop, Pool(Endpoint("localhost", 80), loop))
    line.connection_made(transport)
    answer = Answer(loop, "PUT", resent=False)
    body = [b"x" * (32 * MIB)]
    task = asyncio.create_task(line.exchange(answer, b"", body, expect=False))
    turns = 0
    while transport.written < 32 * MIB:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 20
    task.cancel()
    await asyncio.wait([task])


@lean_only
async def test_a_server_that_reads_very_slowly_is_waited_for(kind: Kind) -> None:
    """The little that it takes in the time that it may be silent is enough."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        port = listening.getsockname()[1]
        transport = kind(Endpoint("127.0.0.1", port, read_timeout=0.2))
        task = asyncio.create_task(transport.send(put(b"x" * (32 * MIB))))
        accepted, _ = await loop.sock_accept(listening)
        with accepted:
            for _ in range(20):
                assert await loop.sock_recv(accepted, 65536)
                await asyncio.sleep(0.04)
                assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        await transport.aclose()


@lean_only
@pytest.mark.parametrize("size", [connection.TURN, 4 * connection.TURN, connection.TURN + 1])
async def test_a_prompt_success_is_not_an_early_one(kind: Kind, size: int) -> None:
    """The answer may be there before the sender has its next turn."""

    async def handler(line: Line) -> None:
        while (await line.request())[0]:
            await line.say(HELLO)

    async with connected(kind, handler) as (transport, server):
        for _ in range(20):
            assert await fetch(transport, put(b"x" * size)) == (200, b"hello")
        assert server.opened == 1
