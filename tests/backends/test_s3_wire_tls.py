"""TLS: whom the transports trust, and what becomes of connections that are not."""

from __future__ import annotations

import asyncio
import gc
import ssl
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")
pytest.importorskip("cryptography")

from storage._async.backends.s3.lane.transport import (
    AnswerError,
    ConnectError,
    ConnectionLost,
    Transport,
    TransportError,
)
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from tests.backends import wires
from tests.backends.certificates import Authority
from tests.backends.wires import HELLO, KINDS, OK, Kind, Line, answering, fetch, get, in_pieces

MIB = 1024 * 1024


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the clients trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


async def put_and_get(line: Line) -> None:
    """Take a body and give it back."""
    while (request := await line.request())[0]:
        body = request[1] or b"hello"
        await line.say(OK + b"Content-Length: %d\r\n\r\n" % len(body), body)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_trusted_server(kind: Kind, authority: Authority, host: str) -> None:
    body = bytes(range(256)) * 20_000
    with nothing_forgotten():
        async with wires.serving(put_and_get, authority.server(host)) as server:
            transport = kind(wires.endpoint(server, host=host, tls=authority.client()))
            for _ in range(3):
                assert await fetch(transport) == (200, b"hello")
                request = get(method="PUT", body=[body[:1000], memoryview(body)[1000:]])
                assert await fetch(transport, request) == (200, body)
            response = await transport.send(get(method="PUT", body=[body]))
            assert b"".join(await in_pieces(response, 100_000)) == body
            assert server.opened == 1
            await transport.aclose()


@pytest.mark.parametrize(
    ("host", "names", "trusting"),
    [
        ("127.0.0.1", ["localhost"], True),
        ("localhost", ["example.com"], True),
        ("localhost", ["localhost"], False),
    ],
    ids=["address", "name", "authority"],
)
async def test_a_server_that_is_somebody_else(
    kind: Kind, authority: Authority, host: str, names: list[str], trusting: bool
) -> None:
    seen: list[str] = []

    async def handler(line: Line) -> None:
        seen.append(await line.head())

    tls = authority.client() if trusting else ssl.create_default_context()
    with nothing_forgotten():
        async with wires.serving(handler, authority.server(*names)) as server:
            transport = kind(wires.endpoint(server, host=host, tls=tls))
            with pytest.raises(ConnectError, match="certificate"):
                await fetch(transport)
            await transport.aclose()
    assert seen in ([], [""])


async def test_the_name_is_told_to_the_server(kind: Kind, authority: Authority) -> None:
    names: list[str | None] = []
    tls = authority.server("localhost")
    tls.sni_callback = lambda sock, name, context: names.append(name)
    async with wires.serving(answering(HELLO), tls) as server:
        transport = kind(wires.endpoint(server, host="localhost", tls=authority.client()))
        assert await fetch(transport) == (200, b"hello")
        await transport.aclose()
    assert names == ["localhost"]


async def test_a_client_certificate(kind: Kind, authority: Authority) -> None:
    async with wires.serving(answering(HELLO), authority.server("127.0.0.1", ask=True)) as server:
        bare, known = authority.client(), authority.client()
        known.load_cert_chain(authority.issue(["client"]))
        transport = kind(wires.endpoint(server, tls=known))
        assert await fetch(transport) == (200, b"hello")
        await transport.aclose()
        transport = kind(wires.endpoint(server, tls=bare))
        with pytest.raises(TransportError):  # with TLS 1.3 the refusal comes after the handshake
            await fetch(transport)
        await transport.aclose()


@pytest.mark.parametrize("tls_on", ["client", "server"])
async def test_only_one_of_both_speaks_tls(kind: Kind, authority: Authority, tls_on: str) -> None:
    server_tls = authority.server("127.0.0.1") if tls_on == "server" else None
    client_tls = authority.client() if tls_on == "client" else None
    with nothing_forgotten():
        async with wires.serving(answering(HELLO), server_tls) as server:
            target = wires.endpoint(server, tls=client_tls, connect_timeout=0.2, read_timeout=0.2)
            transport = kind(target)
            with pytest.raises((ConnectError, AnswerError, ConnectionLost)):
                await fetch(transport)
            await transport.aclose()


async def test_a_handshake_that_never_ends(kind: Kind, authority: Authority) -> None:
    async def handler(line: Line) -> None:
        await line.gone()

    with nothing_forgotten():
        async with wires.serving(handler) as server:
            target = wires.endpoint(server, tls=authority.client(), connect_timeout=0.1)
            transport = kind(target)
            with pytest.raises(ConnectError):
                await fetch(transport)
            await server.idle()
            await transport.aclose()


async def test_a_connection_that_ends_within(kind: Kind, authority: Authority) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.say(OK + b"Content-Length: 10\r\n\r\nhello")
        if line.number % 2:
            line.reset()

    async with wires.serving(handler, authority.server("127.0.0.1")) as server:
        transport = kind(wires.endpoint(server, tls=authority.client()))
        for _ in range(4):
            with pytest.raises(ConnectionLost):
                await fetch(transport)
        await transport.aclose()


async def test_slow_readers_and_closing_within(kind: Kind, authority: Authority) -> None:
    sent = 0

    async def handler(line: Line) -> None:
        nonlocal sent
        await line.head()
        await line.say(OK + b"Content-Length: %d\r\n\r\n" % (48 * MIB))
        while sent < 48 * MIB and not line.writer.transport.is_closing():
            await line.say(b"x" * 65536)
            sent += 65536

    with nothing_forgotten():
        async with wires.serving(handler, authority.server("127.0.0.1")) as server:
            transport = kind(wires.endpoint(server, tls=authority.client()))
            response = await transport.send(get())
            assert await response.read(1)
            await asyncio.sleep(0.2)
            assert sent < 32 * MIB
            await response.aclose()
            await server.idle()
            await transport.aclose()
            del response, transport
            gc.collect()


async def test_cancelling_anywhere(kind: Kind, authority: Authority) -> None:
    with wires.serving_apart(put_and_get, authority.server("127.0.0.1")) as server:
        target = wires.endpoint(server, tls=authority.client(), limit=2)
        transport: Transport = kind(target)

        async def prepare() -> None:
            nonlocal transport
            await transport.aclose()
            transport = kind(target)

        async def work() -> Any:
            return await fetch(transport)

        async def check() -> None:
            for _ in range(2):
                assert await fetch(transport) == (200, b"hello")

        with nothing_forgotten():
            await interrupt_everywhere(work, prepare=prepare, check=check, seconds=0.3)
            await transport.aclose()
