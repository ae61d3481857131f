"""Servers that answer as they are told to, byte for byte, and the transports put to them."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from storage._async.backends.s3.lane.aiohttp_transport import AiohttpTransport
from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import Endpoint, Request, Response, Transport

Handler: TypeAlias = Callable[["Line"], Awaitable[None]]
Kind: TypeAlias = Callable[[Endpoint], Transport]

KINDS: tuple[Kind, ...] = (LeanTransport, AiohttpTransport)
OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


@dataclass
class Line:
    """One connection, as the server sees it."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> str:
        """The next request, up to its body; nothing once the client has closed."""
        try:
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""

    async def request(self) -> tuple[str, bytes]:
        """The next request with its body."""
        head = await self.head()
        _, found, rest = head.lower().partition("content-length: ")
        size = int(rest.partition("\r")[0]) if found else 0
        return head, await self.reader.readexactly(size)

    async def say(self, *pieces: bytes) -> None:
        """Send pieces, each in a packet of its own as far as that can be had."""
        for piece in pieces:
            self.writer.write(piece)
            with suppress(ConnectionError):
                await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the client has closed."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """End the connection as a crash does."""
        self.writer.transport.abort()


@dataclass
class Server:
    """What a server has seen."""

    port: int = 0
    opened: int = 0
    requests: list[str] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    most: int = 0
    """Connections open at once."""
    errors: list[BaseException] = field(default_factory=list)

    async def idle(self) -> None:
        """Wait until the clients have closed all connections."""
        while self.open:
            await asyncio.sleep(0.001)


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run a server whose every connection is in the hands of ``handler``."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.opened += 1
        server.open.add(writer)
        server.most = max(server.most, len(server.open))
        try:
            await handler(Line(server.opened, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as error:
            server.errors.append(error)
        finally:
            writer.transport.abort()
            server.open.discard(writer)

    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, limit=2**20)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the sockets close in the next turn
    assert not server.errors, server.errors


@contextmanager
def serving_apart(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The same on an event loop of its own, whose tasks are not those of the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = serving(handler, tls)
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def answering(*answers: bytes | Iterable[bytes], then_close: bool = False) -> Handler:
    """A server that gives the n-th answer of each connection, the last one again and again."""

    async def handler(line: Line) -> None:
        for n in range(10**6):
            head, _ = await line.request()
            if not head:
                return
            answer = answers[min(n, len(answers) - 1)]
            await line.say(*([answer] if isinstance(answer, bytes) else answer))
            if then_close:
                line.writer.close()
                return

    return handler


def endpoint(server: Server, **options: Any) -> Endpoint:
    """Where a server is."""
    options.setdefault("connect_timeout", 5.0)
    options.setdefault("read_timeout", 5.0)
    return Endpoint(**{"host": "127.0.0.1", "port": server.port, **options})


@asynccontextmanager
async def connected(
    kind: Kind, handler: Handler, **options: Any
) -> AsyncIterator[tuple[Transport, Server]]:
    """A transport and its server."""
    async with serving(handler) as server:
        transport = kind(endpoint(server, **options))
        try:
            yield transport, server
        finally:
            await transport.aclose()


def get(target: str = "/a", method: str = "GET", **more: Any) -> Request:
    """A request."""
    return Request(method, target, [("Host", "localhost"), ("X-Test", "1")], **more)


async def fetch(transport: Transport, request: Request | None = None) -> tuple[int, bytes]:
    """Status and body of an answer, read to its end."""
    response = await transport.send(request or get())
    try:
        return response.status, await response.read()
    finally:
        await response.aclose()


async def in_pieces(response: Response, size: int) -> list[bytes]:
    """A body, as it comes."""
    pieces = []
    while piece := await response.read(size):
        pieces.append(piece)
    return pieces
