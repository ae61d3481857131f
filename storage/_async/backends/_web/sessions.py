"""Connections: how they are made, to which addresses, and how they fail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from ...._core.errors import (
    AccessDenied,
    MalformedResponse,
    MissingExtra,
    StoreClosed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from ...._core.urls import StoreURL
from .addresses import is_public
from .retries import Final

try:
    import aiohttp
    from aiohttp.http_exceptions import TransferEncodingError
    from yarl import URL
except ImportError as error:
    raise MissingExtra.named("aiohttp", "http") from error

IDLE = 15.0
"""Seconds after which a connection that nobody uses is closed."""
MOST_LINE = 64 * 1024
"""Bytes of one line of the head of an answer."""


def options_of(url: StoreURL, timeout: float) -> dict[str, Any]:
    """The options of connections and requests that a store's URL may have.

    Args:
        url: The URL.
        timeout: Seconds that an operation may take, unless the URL says otherwise.
    """
    return {
        "retries": url.option("retries", int, 4),
        "connections": url.option("connections", int, 64),
        "connect_timeout": url.option("connect_timeout", float, 10.0),
        "read_timeout": url.option("read_timeout", float, 60.0),
        "timeout": url.option("timeout", float, timeout),
    }


@dataclass(frozen=True, slots=True)
class Wire:
    """How connections are made.

    Args:
        connections: How many there may be at once; further requests wait.
        connect_timeout: Seconds that one may take to be made, its TLS included.
        read_timeout: Seconds that a server may be silent.
        allow_private: Whether they may lead to addresses that are not of the whole internet.
        tls: What certificates are believed; None: those that this machine believes.
    """

    connections: int
    connect_timeout: float
    read_timeout: float
    allow_private: bool
    tls: SSLContext | None


class PrivateAddress(OSError):
    """A host has an address of this machine or network."""


@asynccontextmanager
async def session(wire: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    """The connections of one event loop.

    Neither proxies nor credentials are taken from the environment.
    """
    connector = aiohttp.TCPConnector(
        limit=wire.connections,
        ssl=wire.tls or True,
        keepalive_timeout=IDLE,
        # The address that is looked at is the one that is connected to, whatever DNS says next.
        socket_factory=None if wire.allow_private else _public_socket,
    )
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=wire.connect_timeout, sock_read=wire.read_timeout
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=MOST_LINE,
        max_field_size=MOST_LINE,
    ) as opened:
        yield opened


async def ask(
    opened: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Any = None,
) -> aiohttp.ClientResponse:
    """Send one request, its URL exactly as it is."""
    place = URL(url, encoded=True)
    return await opened.request(
        method,
        place,
        headers=headers,
        data=body,
        allow_redirects=False,
        skip_auto_headers=("Content-Type",),
    )


def _public_socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, place = address
    if not is_public(place[0]):
        raise PrivateAddress("the address is not one of the whole internet")
    return socket.socket(family, kind, protocol)


@contextmanager
def translated() -> Iterator[None]:
    """Give what goes wrong on the wire as this package's errors."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, StoreError):
            raise
        if isinstance(error, aiohttp.ClientResponseError):
            # It holds the request, with all headers and the whole URL, and what came back.
            raise MalformedResponse("what the server answered is no HTTP") from None
        raise _translate(error) from error
    except RuntimeError as error:
        if "closed" not in str(error):
            raise
        raise StoreClosed("the store was closed") from error
    except asyncio.CancelledError as error:
        # A session that is closed cancels those who wait for a connection: nobody cancelled them.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise StoreClosed("the store was closed") from error


def _translate(error: Exception) -> StoreError:
    match error:
        case aiohttp.ClientConnectorError(os_error=PrivateAddress()):
            return AccessDenied("allow_private=False, and the host has no public address")
        case aiohttp.ClientSSLError():
            return Final(f"no safe connection: {error}")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return StoreUnavailable(f"no connection: {error}")
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return StoreTimeout("the server was silent for too long")
        case aiohttp.InvalidURL():
            return MalformedResponse("aiohttp takes this for no URL")
        case aiohttp.ClientPayloadError() if _malformed(error.__cause__):
            return MalformedResponse("the server's answer is no HTTP: its chunks are wrong")
        case _:
            return StoreUnavailable(
                f"the connection was lost: {str(error) or type(error).__name__}"
            )


def _malformed(error: BaseException | None) -> bool:
    """Whether a body was wrong, rather than cut."""
    return isinstance(error, TransferEncodingError) and "Not enough data" not in str(error)
