"""The lean transport on uvloop, whose sockets and TLS are other ones."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("cryptography")
pytest.importorskip("httptools")
pytest.importorskip("uvloop")

import uvloop

from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import ConnectError, ConnectionLost, SilenceError
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from tests.backends import wires
from tests.backends.certificates import Authority
from tests.backends.wires import OK, Line, fetch, get, in_pieces

MIB = 1024 * 1024


async def handler(line: Line) -> None:
    """Give back what comes, or as many bytes as are asked for, or nothing."""
    while (request := await line.request())[0]:
        target = request[0].split(" ")[1]
        if target == "/silence":
            await line.gone()
        elif target == "/cut":
            await line.say(OK + b"Content-Length: 10\r\n\r\nhello")
            return
        else:
            body = b"x" * int(target[1:]) or request[1]
            await line.say(OK + b"Content-Length: %d\r\n\r\n" % len(body), body)


async def exchanges(transport: LeanTransport) -> None:
    """Small and large, up and down."""
    body = bytes(range(256)) * 4096
    for _ in range(2):
        assert await fetch(transport, get("/5")) == (200, b"x" * 5)
        request = get("/0", method="PUT", body=[body, memoryview(body)[1:]])
        assert await fetch(transport, request) == (200, body + body[1:])
    answers = await asyncio.gather(*(fetch(transport, get(f"/{n}")) for n in range(1, 50)))
    assert answers == [(200, b"x" * n) for n in range(1, 50)]


async def slow_reader(transport: LeanTransport) -> None:
    """A pause in the middle, and one body left unread."""
    response = await transport.send(get(f"/{16 * MIB}"))
    assert await response.read(1)
    await asyncio.sleep(0.05)
    assert response.held < 2 * MIB
    assert sum(map(len, await in_pieces(response, MIB))) == 16 * MIB - 1
    given_up = await transport.send(get(f"/{16 * MIB}"))
    await given_up.aclose()
    assert await fetch(transport, get("/5")) == (200, b"x" * 5)


async def places(transport: LeanTransport) -> None:
    """A large body into memory of the reader's, most of it right from the socket."""
    response = await transport.send(get(f"/{4 * MIB}"))
    room, found = memoryview(bytearray(MIB)), 0
    while count := await response.read_into(room):
        assert room[:count].tobytes() == b"x" * count
        found += count
    assert found == 4 * MIB
    assert await fetch(transport, get("/5")) == (200, b"x" * 5)


async def failures(transport: LeanTransport) -> None:
    """Every end that an answer may come to."""
    with pytest.raises(ConnectionLost):
        await fetch(transport, get("/cut"))
    with pytest.raises(SilenceError):
        await fetch(transport, get("/silence"))
    assert await fetch(transport, get("/5")) == (200, b"x" * 5)


async def cancellations(transport: LeanTransport) -> None:
    """At every await, on a connection that is kept."""

    async def check() -> None:
        assert await fetch(transport, get("/5")) == (200, b"x" * 5)

    await interrupt_everywhere(lambda: fetch(transport, get("/100000")), check=check, seconds=0.2)


@pytest.mark.parametrize("work", [exchanges, slow_reader, places, failures, cancellations])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_on_uvloop(
    work: Callable[[LeanTransport], Awaitable[None]], secure: bool, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)

    async def run() -> None:
        target = wires.endpoint(
            server, tls=authority.client() if secure else None, read_timeout=0.3, limit=4
        )
        transport = LeanTransport(target)
        await work(transport)
        await transport.aclose()
        with pytest.raises(ConnectError):
            await transport.send(get())

    tls = authority.server("127.0.0.1") if secure else None
    with nothing_forgotten(), wires.serving_apart(handler, tls) as server:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
        gc.collect()
