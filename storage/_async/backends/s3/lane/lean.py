"""The lean transport: HTTP/1.1 straight on asyncio."""

from __future__ import annotations

import asyncio
import os

from .answers import Answer
from .connection import length
from .pool import Pool
from .transport import ConnectError, ConnectionLost, Endpoint, Request

IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})


class LeanTransport:
    """See `Transport`. For one event loop; a forked child starts without connections.

    Args:
        endpoint: The server.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._pool: Pool | None = None
        self._closed = False

    async def send(self, request: Request) -> Answer:
        """See `Transport`."""
        head = encode(request)
        pool = self._get_pool()
        connection = pool.take() or await pool.acquire()
        kept = connection.used
        answer = Answer(pool.loop, request.method, resent=False)
        try:
            await connection.exchange(answer, head, request.body, expect=request.expect)
        except ConnectionLost:
            again = kept and not answer.touched and request.method in IDEMPOTENT
            if not again or self._closed:
                raise
        else:
            return answer
        # The server had closed the connection, most likely before it saw the request.
        connection = await pool.acquire(fresh=True)
        answer = Answer(pool.loop, request.method, resent=True)
        await connection.exchange(answer, head, request.body, expect=request.expect)
        return answer

    async def aclose(self) -> None:
        """See `Transport`."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None and pool.pid == os.getpid():
            await pool.aclose()

    def _get_pool(self) -> Pool:
        pool, loop = self._pool, asyncio.get_running_loop()
        if pool is not None and pool.pid == os.getpid():
            if pool.loop is loop:
                return pool
            raise RuntimeError("this transport belongs to another event loop")
        if self._closed:
            raise ConnectError("the transport is closed", sent=False)
        if pool is not None:
            pool.abandon()
        self._pool = pool = Pool(self._endpoint, loop)
        return pool


def encode(request: Request) -> bytes:
    """The head of a request as it goes over the wire.

    Raises:
        ValueError: It would be taken for something else than one request.
    """
    target = request.target
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method in ("PUT", "POST", "PATCH"):
        lines.append(f"Content-Length: {length(request.body)}")
        if request.body and request.expect:
            lines.append("Expect: 100-continue")
    lines += ("", "")
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise ValueError("a header or the target holds a line break")
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError(f"{target!r} is not percent-encoded")
    return text.encode()
