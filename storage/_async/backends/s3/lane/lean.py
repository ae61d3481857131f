"""The lean transport: HTTP/1.1 straight on asyncio."""

from __future__ import annotations

import asyncio
import os

from .answers import Answer
from .encoding import IDEMPOTENT, encode
from .pool import Pool
from .transport import ConnectError, ConnectionLost, Endpoint, Request


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
        if pool is None or pool.loop.is_closed():
            return
        if pool.pid == os.getpid():
            await pool.aclose()
        else:
            pool.abandon()

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
