"""A relay of bytes that does wrong on purpose, between a client and a server of any protocol."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeAlias

Change: TypeAlias = Callable[[bytes, "Wire"], Awaitable[bytes]]
"""Is given what passes and the connection; returns what is passed on."""


class Wire:
    """One connection through the relay."""

    def __init__(self, writer: asyncio.StreamWriter, upstream: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._upstream = upstream

    def send(self, data: bytes) -> None:
        """Give the client bytes that the server did not send."""
        self._writer.write(data)

    def reset(self) -> None:
        """End both sides at once, the client's with a reset."""
        found = self._writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self._upstream.close()


class Relay:
    """Listens at ``port`` and leads to the server at ``upstream``.

    `asked` and `answered` see all that passes from now on, and may change it, swallow it (by giving
    nothing), take their time, or reset the connection. With a context its clients speak TLS to it.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        self.upstream = host, port
        self._context = context
        self.asked: Change | None = None
        self.answered: Change | None = None
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self._context
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        source, upstream = await asyncio.open_connection(*self.upstream)
        wire = Wire(writer, upstream)
        ways = (
            self._pass(reader, upstream, wire, "asked"),
            self._pass(source, writer, wire, "answered"),
        )
        with suppress(asyncio.CancelledError):  # which would be shown as an error here
            await asyncio.gather(*ways, return_exceptions=True)
        writer.close()
        upstream.close()
        self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire, way: str
    ) -> None:
        while data := await reader.read(65536):
            change: Change | None = getattr(self, way)
            if change is not None:
                data = await change(data, wire)
            writer.write(data)
            await writer.drain()
        writer.close()
