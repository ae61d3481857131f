"""An HTTP proxy that does wrong on purpose, between a client and a real server.

`FaultProxy.when` says which requests go wrong, how (`tests.faults.fault`) and how often; all others
pass. Requests and
answers are held in memory as a whole, and the Host header stays, so that signatures hold.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlsplit

from tests.faults import wire
from tests.faults.wire import Request, Response

Fault: TypeAlias = "Callable[[Exchange], Awaitable[None]]"


@dataclass
class Rule:
    """Which requests go wrong, and how."""

    matches: Callable[[Request], bool]
    fault: Fault
    times: int
    skip: int


class Exchange:
    """One request and its answer, in the hands of a fault."""

    def __init__(self, proxy: FaultProxy, request: Request, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._proxy = proxy
        self._writer = writer

    async def forward(self) -> Response:
        """What the server answers."""
        reader, writer = await asyncio.open_connection(*self._proxy.upstream)
        try:
            writer.write(self.request.raw)
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")[:-2]
                status, headers = int(first.split(" ")[1]), wire.headers(lines)
                if status != 100:
                    break
            bodiless = self.request.method == "HEAD" or status in (204, 304)
            body = b"" if bodiless else await wire.body(reader, headers)
            headers.pop("transfer-encoding", None)
            if self.request.method != "HEAD":
                headers.pop("content-length", None)
            return Response(status, headers, body)
        finally:
            writer.close()

    async def send(self, data: bytes) -> None:
        """Give the client bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def reset(self) -> None:
        """End the connection with a reset, after what was sent has left."""
        await asyncio.sleep(0.02)
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """End the connection in order."""
        self._writer.close()


class FaultProxy:
    """A proxy before the server at ``upstream``; its own address is ``url``."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.upstream = parts.hostname or "", parts.port or 80
        self.requests: list[Request] = []
        self.in_flight = self.peak = 0
        self._rules: list[Rule] = []
        self._news = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    def when(
        self,
        method: str,
        fault: Fault,
        *,
        target: str = "",
        times: int = 1,
        skip: int = 0,
    ) -> None:
        """Let requests go wrong.

        Args:
            method: Of the requests.
            fault: What is done with them.
            target: What their path and query contain.
            times: How many of them; -1 for all.
            skip: How many pass before.
        """

        def matches(request: Request) -> bool:
            return request.method == method and target in request.target

        self._rules.append(Rule(matches, fault, times, skip))

    def sent(self, method: str, target: str = "") -> list[Request]:
        """The requests so far with this method, and this in their path or query."""
        return [r for r in self.requests if r.method == method and target in r.target]

    async def reached(self, method: str, target: str = "") -> None:
        """Wait until such a request has come."""
        while not self.sent(method, target):
            self._news.clear()
            await self._news.wait()

    def _fault(self, request: Request) -> Fault:
        for rule in self._rules:
            if rule.times and rule.matches(request):
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.times -= 1
                return rule.fault
        return _passed

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while (request := await wire.request(reader, writer)) and not writer.is_closing():
                self.requests.append(request)
                self._news.set()
                with self._counted():
                    await self._fault(request)(Exchange(self, request, writer))
        except (*wire.BROKEN, asyncio.CancelledError):  # cancelled by ourselves only
            pass
        finally:
            self._handlers.discard(task)
            writer.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1


async def _passed(exchange: Exchange) -> None:
    await exchange.send((await exchange.forward()).encode())
