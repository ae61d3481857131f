"""What a way of sending HTTP requests to one server looks like, and how it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ssl import SSLContext
from typing import NamedTuple, Protocol

IDLE = 15.0
"""Seconds after which a connection that nobody uses is closed."""
REMEMBERED = 10.0
"""Seconds for which the addresses of a name are used again."""
MOST_HEAD = 64 * 1024
"""Bytes of the head of an answer, and of what may stand around its chunks in a row."""


class Endpoint(NamedTuple):
    """A server, and how its connections are made.

    Args:
        host: Its name or address, as DNS knows it.
        port: Its TCP port.
        tls: None for plain HTTP.
        connect_timeout: Seconds that a connection, its TLS included, may take to be made.
        read_timeout: Seconds that the server may be silent while an answer is awaited or read.
        limit: Connections at once; further requests wait for one.
    """

    host: str
    port: int
    tls: SSLContext | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    limit: int = 64


class Headers(tuple[tuple[str, str], ...]):  # noqa: SLOT001 - it keeps its text
    """Headers that many requests have in common."""

    @cached_property
    def text(self) -> str:
        """Their lines.

        Raises:
            ValueError: They would be taken for others.
        """
        return lines_of(self)


def lines_of(headers: Sequence[tuple[str, str]]) -> str:
    """Headers as lines; raises `ValueError` where they would be taken for others."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    breaks = len(headers)
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise ValueError("a header holds a line break or a NUL")
    return text


@dataclass(slots=True, repr=False, eq=False)
class Request:
    """A request, complete but for what concerns the connection.

    Args:
        method: Such as ``GET``.
        target: Path and query, percent-encoded, exactly as they were signed.
        headers: Those of its own; ``Content-Length`` and ``Connection`` are the transport's.
        body: The pieces of the body, in memory.
        expect: Ask for ``100 Continue`` before the body is sent, and wait for it a moment.
        common: Those that it has in common with others; ``Host`` is here or there.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: Sequence[bytes | memoryview] = field(default=())
    expect: bool = False
    common: Headers = Headers()  # noqa: RUF009 - it is a tuple


class Response(Protocol):
    """The head of an answer, and its body as it comes."""

    status: int
    headers: Mapping[str, str]
    """By their names in small letters; several of one name are joined by ``", "``."""
    resent: bool
    """Whether this answers a second sending, after the first was lost with a kept connection. The
    server may have seen that one too: a failed condition may be the work of one's own hands."""

    async def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes of the body, as many as are there; all of it by default.

        Returns:
            Nothing at the end of the body.

        Raises:
            TransportError: The body ended before its announced end, or is not what HTTP allows.
        """
        ...

    async def read_into(self, room: memoryview) -> int:
        """The same into memory of the caller's, which is not empty.

        Returns:
            How many bytes were put there; 0 at the end of the body.
        """
        ...

    async def aclose(self) -> None:
        """Give the connection back if the body was read to its end, or else close it.

        May be called again; waits for nothing.
        """
        ...


class Transport(Protocol):
    """Sends requests to one server, over connections that it keeps."""

    async def send(self, request: Request) -> Response:
        """Send a request; returns when the head of the final answer is there.

        A cancelled call closes its connection. A request is sent once, except over a kept
        connection that turns out to be closed before any byte of an answer came: then, if the
        method is idempotent, once more over a new one.

        Raises:
            TransportError: There was no answer.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; later calls fail."""
        ...


class TransportError(Exception):
    """A request that got no whole answer.

    Args:
        message: What happened.
        sent: Whether the server may have seen the request.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectError(TransportError):
    """No connection could be made."""


class ConnectionLost(TransportError):
    """The connection ended before the answer did."""


class SilenceError(TransportError):
    """The server was silent for longer than a timeout allows."""


class AnswerError(TransportError):
    """The answer is not HTTP."""
