"""Answers on their way: in pieces, no faster than the client, and no longer than it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from .._core.errors import IntegrityError
from .messages import Message, Receive, Request, Send
from .replies import ClientGone, Headers, Reply

PIECE = 64 * 1024
"""Bytes that are handed to the server at once."""


class Outgoing:
    """The answer to one request.

    Args:
        request: What is answered.
        send: The server's function.
        patience: Seconds that the client may take for a piece; None: any time.
    """

    def __init__(self, request: Request, send: Send, patience: float | None = None) -> None:
        self._request = request
        self._send = send
        self._patience = patience
        self.begun = False
        self.ended = False
        self.final = False
        """Whether the connection is not to be used again: a part of the request is not read."""

    async def start(self, status: int, headers: Headers) -> None:
        """Send the head."""
        fields = [*headers]
        if self.final and self._request.closable:
            fields.append(("connection", "close"))
        self.begun = True
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        await self._pass({"type": "http.response.start", "status": status, "headers": lines})

    async def piece(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._pass({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of it."""
        self.ended = True
        await self._pass({"type": "http.response.body", "body": data, "more_body": False})

    async def whole(self, reply: Reply) -> None:
        """Send an answer that is in memory."""
        headers = [*reply.headers]
        if reply.status not in (204, 304):
            headers.append(("content-length", str(len(reply.body))))
        await self.start(reply.status, headers)
        await self.end(b"" if self._request.method == "HEAD" else reply.body)

    async def pieces(self, source: AsyncIterator[bytes], length: int | None) -> None:
        """Send bytes as they come; the client is never told that less is all.

        Args:
            source: The bytes.
            length: How many there have to be; None: any number.
        """
        sent = 0
        async for chunk in source:
            view = memoryview(chunk)
            for at in range(0, len(view), PIECE):
                if sent:
                    # A client that is fast, or gone, never lets the server wait: others must not
                    # wait for the whole object.
                    await asyncio.sleep(0)
                part = view[at : at + PIECE]
                sent += len(part)
                if length is not None and sent > length:
                    raise _mismatch(length)
                await self.piece(bytes(part))
        if length is not None and sent != length:
            raise _mismatch(length)

    async def _pass(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except OSError as error:  # the server's word for it, and a timeout is one, too
            raise ClientGone from error


def _mismatch(length: int) -> IntegrityError:
    return IntegrityError(f"the object has not the {length} bytes that were announced")


async def unless_gone(
    receive: Receive, outgoing: Outgoing, work: Coroutine[Any, Any, None]
) -> None:
    """Do the work that sends an answer, and give it up as soon as the client has gone.

    Raises:
        ClientGone: It has; all that the work held is closed.
    """
    main, watch = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((main, watch), return_when=asyncio.FIRST_COMPLETED)
        if outgoing.ended:  # then it is the server that calls the exchange over
            await asyncio.wait((main,))
        gone = not main.done()
    finally:
        main.cancel()
        watch.cancel()
        await asyncio.wait((main, watch))
    if gone:
        raise ClientGone from None if main.cancelled() else main.exception()
    main.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
