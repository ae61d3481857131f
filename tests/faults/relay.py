"""A relay of TCP connections that counts, holds and cuts what it passes."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

_PIECE = 64 * 1024


class Relay:
    """Passes connections on to a server; its own address is ``127.0.0.1`` and ``port``."""

    def __init__(self, port: int) -> None:
        self.sent = self.received = 0
        """Bytes to the server, and from it."""
        self.connections = 0
        self._upstream = port
        self._cut_after: int | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self) -> None:
        """Pass nothing on, in either direction."""
        self._open.clear()

    def go_on(self) -> None:
        """Pass on again."""
        self._open.set()

    def cut(self) -> None:
        """End all connections of this moment."""
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, size: int) -> None:
        """End all connections when so many more bytes have passed, in both directions together."""
        self._cut_after = self.sent + self.received + size

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            ends = {writer, far_writer}
            self._writers |= ends
            back = asyncio.create_task(self._pass(far_reader, writer, back=True))
            try:
                await self._pass(reader, far_writer, back=False)
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
                self._writers -= ends
                for end in ends:
                    end.transport.abort()
        except (OSError, asyncio.CancelledError):  # cancelled by ourselves only
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool
    ) -> None:
        try:
            while data := await reader.read(_PIECE):
                await self._open.wait()
                self.sent += 0 if back else len(data)
                self.received += len(data) if back else 0
                if self._cut_after is not None and self.sent + self.received > self._cut_after:
                    self._cut_after = None
                    self.cut()
                    return
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.transport.abort()
