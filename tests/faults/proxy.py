"""An HTTP proxy that does wrong on purpose, between a client and a real server.

`FaultProxy.when` says which requests go wrong, how and how often; all others pass. Requests and
answers are held in memory as a whole, and the Host header stays, so that signatures hold.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlsplit

Fault: TypeAlias = "Callable[[Exchange], Awaitable[None]]"
BROKEN = (ConnectionError, asyncio.IncompleteReadError)


@dataclass
class Request:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)


@dataclass
class Response:
    """One answer of the server; change it as you like before it is sent."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def encode(self) -> bytes:
        """As it goes over the wire; the length is told anew unless the headers tell one."""
        headers = {"content-length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Some Reason", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


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
                status, headers = int(first.split(" ")[1]), _headers(lines)
                if status != 100:
                    break
            bodiless = self.request.method == "HEAD" or status in (204, 304)
            body = b"" if bodiless else await _body(reader, headers)
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
        return passed

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while (request := await _request(reader, writer)) and not writer.is_closing():
                self.requests.append(request)
                self._news.set()
                with self._counted():
                    await self._fault(request)(Exchange(self, request, writer))
        except (*BROKEN, asyncio.CancelledError):  # cancelled by ourselves only
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


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    head = b""
    with suppress(*BROKEN):
        head = await reader.readuntil(b"\r\n\r\n")
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = _headers(lines)
    if headers.get("expect") == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    known = {"content-length", "transfer-encoding"} & headers.keys()
    body = await _body(reader, headers) if known else b""
    # Sent on in one piece, on a connection of its own that the server closes.
    dropped = ("connection", "content-length", "expect", "transfer-encoding")
    kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
    kept += (
        ["Connection: close", f"Content-Length: {len(body)}"] if known else ["Connection: close"]
    )
    raw = "\r\n".join([first, *kept, "", ""]).encode("latin-1") + body
    return Request(method, target, headers, body, raw)


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding") != "chunked":
        return await reader.read()
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return b"".join(parts)


# -- faults ---------------------------------------------------------------------------------


async def passed(exchange: Exchange) -> None:
    """Nothing goes wrong."""
    await exchange.send((await exchange.forward()).encode())


async def reset(exchange: Exchange) -> None:
    """The connection is reset, and the server never hears of the request."""
    await exchange.reset()


async def hang(exchange: Exchange) -> None:
    """The server never hears of the request, and the client never of anything."""
    await asyncio.Event().wait()


async def lost_answer(exchange: Exchange) -> None:
    """The server does what it is asked for, but the client never hears."""
    await exchange.forward()
    await exchange.reset()


def answered(status: int, body: bytes = b"", **headers: str) -> Fault:
    """This answer, and the server never hears of the request."""

    async def fault(exchange: Exchange) -> None:
        await exchange.send(Response(status, headers, body).encode())

    return fault


def refused(status: int, code: str) -> Fault:
    """An error as S3 tells it, and the server never hears of the request."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>on purpose</Message></Error>"
    return answered(status, text.encode(), **{"content-type": "application/xml"})


def late(seconds: float) -> Fault:
    """The request goes on after a while."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await passed(exchange)

    return fault


def changed(change: Callable[[Response], object]) -> Fault:
    """The server's answer, with something changed in it."""

    async def fault(exchange: Exchange) -> None:
        response = await exchange.forward()
        change(response)
        await exchange.send(response.encode())

    return fault


def cut(size: int, *, by_reset: bool = False) -> Fault:
    """The server's answer ends after ``size`` bytes of its body."""

    async def fault(exchange: Exchange) -> None:
        response = await exchange.forward()
        whole = response.encode()
        await exchange.send(whole[: len(whole) - max(0, len(response.body) - size)])
        if by_reset:
            await exchange.reset()
        else:
            exchange.close()

    return fault


def slow(piece: int, seconds: float) -> Fault:
    """The server's answer comes in pieces of so many bytes with pauses of so many seconds."""

    async def fault(exchange: Exchange) -> None:
        whole = (await exchange.forward()).encode()
        for start in range(0, len(whole), piece):
            await exchange.send(whole[start : start + piece])
            await asyncio.sleep(seconds)

    return fault
