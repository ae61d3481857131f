"""A real server in the loop of the test, and a client of bare sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from tests.asgi.client import Answer


class Server(uvicorn.Server):
    """It leaves the signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[int]:
    """Run it; gives the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        config = uvicorn.Config(
            app, log_config=None, ws="none", timeout_graceful_shutdown=5, **options
        )
        server = Server(config)
        task = asyncio.ensure_future(server.serve([listening]))
        await until(lambda: server.started or task.done())
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that has to become true."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


class Connection:
    """One connection, over which bytes are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, head: str, body: bytes = b"") -> None:
        """Send a request; its head without ``Host``."""
        request, _, rest = head.partition("\n")
        lines = [f"{request} HTTP/1.1", "Host: here", *rest.split("\n")]
        self.writer.write("\r\n".join([*filter(None, lines), "", ""]).encode() + body)

    async def head(self) -> Answer:
        """The head of an answer."""
        status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        pairs = (line.partition(":")[::2] for line in lines)
        return Answer(int(status.split()[1]), [(n.lower(), v.strip()) for n, v in pairs])

    async def answer(self, *, empty: bool = False) -> Answer:
        """A whole answer that tells its length."""
        found = await self.head()
        if not empty and found.status not in (204, 304):
            length = int(found.headers["content-length"])
            found.pieces = [await self.reader.readexactly(length)]
        return found

    def cut(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()


@asynccontextmanager
async def connected(port: int, *, window: int = 64 * 1024) -> AsyncIterator[Connection]:
    """A connection to the server.

    Args:
        port: Where it listens.
        window: Bytes that may be under way to a client that does not read, in each buffer.
    """
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=window)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()
