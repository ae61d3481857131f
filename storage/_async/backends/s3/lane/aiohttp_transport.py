"""The transport over aiohttp."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ....._core.errors import MissingExtra
from ....._core.looplocal import inherited
from .encoding import IDEMPOTENT, JOINED, encode, length, pieces
from .lengths import announced
from .transport import (
    IDLE,
    MOST_HEAD,
    REMEMBERED,
    AnswerError,
    ConnectError,
    ConnectionLost,
    Endpoint,
    Request,
    SilenceError,
    TransportError,
)

try:
    import aiohttp
    from aiohttp.http_exceptions import TransferEncodingError
    from multidict import CIMultiDict
    from yarl import URL
except ImportError as error:
    raise MissingExtra.named("aiohttp", "s3") from error

OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp would add by itself."""


class AiohttpTransport:
    """See `Transport`. For one event loop; a forked child starts without connections.

    It never asks for ``100 Continue``, since aiohttp waits for that without a limit.

    Args:
        endpoint: The server.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        scheme = "http" if endpoint.tls is None else "https"
        self._origin = f"{scheme}://{host}:{endpoint.port}"
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._closed = False

    async def send(self, request: Request) -> AiohttpResponse:
        """See `Transport`."""
        encode(request)  # refuses what aiohttp would change or send
        session = self._get_session()
        try:
            return await self._send(session, request, resent=False)
        except ConnectionLost:
            # Whether the connection was a kept one is not to be known here.
            if self._closed or request.method not in IDEMPOTENT:
                raise
        return await self._send(session, request, resent=True)

    async def _send(
        self, session: aiohttp.ClientSession, request: Request, *, resent: bool
    ) -> AiohttpResponse:
        headers = CIMultiDict((*request.common, *request.headers))
        if request.body:
            headers["Content-Length"] = str(length(request.body))
        url = URL(self._origin + request.target, encoded=True)
        with _translated():
            response = await session.request(
                request.method, url, headers=headers, data=_data(request), allow_redirects=False
            )
        answer = AiohttpResponse(response, resent=resent)
        try:
            announced(answer.headers, old=response.version == aiohttp.HttpVersion10)
        except AnswerError:
            response.close()
            raise
        return answer

    async def aclose(self) -> None:
        """See `Transport`."""
        self._closed = True
        session, self._session = self._session, None
        if session is None:
            return
        if self._pid == os.getpid():
            await session.close()
        else:
            inherited.append(session)

    def _get_session(self) -> aiohttp.ClientSession:
        session = self._session
        if session is not None and self._pid == os.getpid():
            if self._loop is asyncio.get_running_loop():
                return session
            raise RuntimeError("this transport belongs to another event loop")
        if self._closed:
            raise ConnectError("the transport is closed", sent=False)
        if session is not None:
            inherited.append(session)
        self._session = session = _open(self._endpoint)
        self._loop, self._pid = asyncio.get_running_loop(), os.getpid()
        return session


class AiohttpResponse:
    """See `Response`."""

    __slots__ = ("_response", "headers", "resent", "status")

    def __init__(self, response: aiohttp.ClientResponse, *, resent: bool) -> None:
        self._response = response
        self.status = response.status
        self.resent = resent
        headers: dict[str, str] = {}
        for name, value in response.headers.items():
            key, text = name.lower(), value.strip(" \t")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        self.headers: Mapping[str, str] = headers

    async def read(self, size: int = -1) -> bytes:
        """See `Response`."""
        try:
            with _translated():
                return await self._response.content.read(size)
        except asyncio.CancelledError:
            self._response.close()
            raise

    async def read_into(self, room: memoryview) -> int:
        """See `Response`."""
        data = await self.read(len(room))
        room[: len(data)] = data
        return len(data)

    async def aclose(self) -> None:
        """See `Response`."""
        self._response.close()


def _open(endpoint: Endpoint) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=endpoint.limit,
        ssl=endpoint.tls or True,
        keepalive_timeout=IDLE,
        ttl_dns_cache=int(REMEMBERED),
    )
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=OWN_HEADERS,
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=endpoint.connect_timeout, sock_read=endpoint.read_timeout
        ),
        max_line_size=MOST_HEAD,
        max_field_size=MOST_HEAD,
    )
    # It would send again by itself, without telling, and a body that is spent.
    session._retry_connection = False
    return session


def _data(request: Request) -> Any:
    if not request.body:
        return None
    if length(request.body) <= JOINED:
        return b"".join(request.body)
    return _stream(request)


async def _stream(request: Request) -> AsyncIterator[memoryview]:
    for piece in pieces(request.body):
        yield piece


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise _translate(error) from error
    except UnicodeError as error:  # not the name of a host
        raise ConnectError(str(error), sent=False) from error
    except RuntimeError as error:
        if "closed" in str(error):
            raise ConnectError("the transport is closed", sent=False) from error
        raise
    except asyncio.CancelledError as error:
        # A session that is closed cancels those who wait for a connection: nobody cancelled them.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectError("the transport is closed", sent=False) from error


def _translate(error: Exception) -> TransportError:
    message = str(error) or type(error).__name__
    match error:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return ConnectError(message, sent=False)
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return SilenceError(message, sent=True)
        case aiohttp.ClientResponseError():
            return AnswerError(message, sent=True)
        case aiohttp.ClientPayloadError() if _malformed(error):
            return AnswerError(message, sent=True)
        case _:
            return ConnectionLost(message, sent=True)


def _malformed(error: aiohttp.ClientPayloadError) -> bool:
    """Whether a body was wrong, rather than cut."""
    return isinstance(error.__cause__, TransferEncodingError)
