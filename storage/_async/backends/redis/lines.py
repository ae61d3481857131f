"""Connections on one event loop, shared by all who call at the same time.

The calls of one turn of the loop go out together, and a call does not wait for the answers to
others. A server answers in the order in which it was asked, so each finds its own. When a call is
cancelled whose answer is still to come, its connection takes no more calls and is closed as soon
as no other call waits on it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from ...._core import calls
from ...._core.errors import StoreClosed, StoreError
from ...._core.window import cancel_all
from .address import Address, Lost, quick
from .protocol import Command, Parser, Reply, encode


class Call:
    """Some commands whose answers somebody waits for."""

    __slots__ = ("commands", "count", "future", "line", "replies")

    def __init__(self, commands: Sequence[Command], loop: asyncio.AbstractEventLoop) -> None:
        self.commands = commands
        self.count = len(commands)
        self.replies: list[Reply] = []
        self.future: asyncio.Future[list[Reply]] = loop.create_future()
        self.line: Line | None = None

    def fail(self, error: Exception) -> None:
        """End it with an error, if anybody still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Line(asyncio.Protocol):
    """One connection; calls that come before it is open go out when it is.

    Args:
        address: Of the server.
        lines: Those that it is one of; it takes itself out when it is of no more use.
    """

    def __init__(self, address: Address, lines: set[Line]) -> None:
        self._address = address
        self.retired = False
        """Whether it takes no more calls."""
        self._lines = lines
        self._parser = Parser()
        self._waiting: deque[Call] = deque()
        self._early: list[Call] | None = []
        """The calls that came before it was open."""
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.create_task(self._open())
        lines.add(self)

    @property
    def load(self) -> int:
        """How many calls wait here."""
        return len(self._waiting) + len(self._early or ())

    @property
    def idle(self) -> bool:
        """Whether it is open and nobody waits."""
        return not self._waiting and self._early is None

    # -- opening ----------------------------------------------------------------------------

    async def _open(self) -> None:
        try:
            await self._connect()
            greeting = self._address.greeting()
            if greeting:
                call = Call(greeting, self._loop)
                self._send([call])
                Address.check_greeting(await call.future)
        except StoreError as error:
            self._end(error)
            return
        except Exception as error:
            self._end(Lost(error.__cause__ or error, sent=False))
            return
        except BaseException as error:
            self._end(Lost(error, sent=False))
            raise
        early, self._early = self._early or [], None
        self._send([call for call in early if not call.future.done()])

    async def _connect(self) -> None:
        address = self._address
        if address.path is not None:
            await self._loop.create_unix_connection(lambda: self, address.path)
            return
        context = await calls.call(address.context) if address.tls else None
        name = address.host if address.tls else None
        await self._loop.create_connection(
            lambda: self, address.host, address.port, ssl=context, server_hostname=name
        )

    # -- calls ------------------------------------------------------------------------------

    def put(self, batch: list[Call]) -> None:
        """Send calls, now or as soon as it is open."""
        for call in batch:
            call.line = self
        if self._early is None:
            self._send(batch)
        else:
            self._early += batch

    def _send(self, batch: list[Call]) -> None:
        if self._transport is None:
            for call in batch:
                call.fail(Lost(ConnectionError("the connection was closed"), sent=False))
            return
        self._waiting += batch
        for piece in encode([command for call in batch for command in call.commands]):
            self._transport.write(piece)

    def abandon(self) -> None:
        """A call that waited here was cancelled: the line ends as soon as nobody else waits."""
        self.retired = True
        living = [call for call in (*self._waiting, *(self._early or ())) if not call.future.done()]
        if not living:
            self._end(Lost(ConnectionError("all calls were cancelled"), sent=True))

    def close(self) -> None:
        """End it; the calls that wait are refused."""
        self._end(StoreClosed("the store was closed"))

    def _end(self, error: Exception) -> None:
        self._lines.discard(self)
        if self._opening is not asyncio.current_task():
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        early, self._early = self._early or [], None
        waiting, self._waiting = self._waiting, deque()
        for call in (*early, *waiting):
            call.fail(error)

    async def ended(self) -> None:
        """Wait until nothing of it is under way."""
        await cancel_all([self._opening])

    # -- what the transport calls -----------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.Protocol`."""
        self._transport = transport
        found = transport.get_extra_info("socket")
        if found is not None:
            quick(found)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            replies = self._parser.feed(data)
        except StoreError as error:
            self._end(error)
            return
        waiting = self._waiting
        for reply in replies:
            if not waiting:
                self._end(Lost(ConnectionError("an answer that nobody asked for"), sent=True))
                return
            call = waiting[0]
            call.replies.append(reply)
            if len(call.replies) == call.count:
                waiting.popleft()
                if not call.future.done():
                    call.future.set_result(call.replies)
        if self.retired and not waiting:
            self._end(Lost(ConnectionError("no more calls"), sent=True))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self._end(Lost(exc or ConnectionError("the server closed the connection"), sent=True))


class Lines:
    """The connections of one event loop.

    Args:
        address: Of the server.
        most: How many connections there may be.
    """

    def __init__(self, address: Address, most: int) -> None:
        self._address = address
        self._most = most
        self._lines: set[Line] = set()
        self._queue: list[Call] = []
        self._loop = asyncio.get_running_loop()

    async def send(self, commands: Sequence[Command]) -> list[Reply]:
        """Ask the server.

        Returns:
            A reply to each command; errors are among them and not raised.

        Raises:
            Lost: The server was not reached, or the connection broke.
        """
        call = Call(commands, self._loop)
        if not self._queue:
            self._loop.call_soon(self._flush)
        self._queue.append(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            call.future.cancel()
            if call.line is not None and len(call.replies) < call.count:
                call.line.abandon()
            raise

    def _flush(self) -> None:
        """Send what has come together in this turn of the loop."""
        queue, self._queue = self._queue, []
        batch = [call for call in queue if not call.future.done()]
        if batch:
            self._choose().put(batch)

    def _choose(self) -> Line:
        """A connection that is idle, or a new one if there may be more, or the least busy one."""
        able = [line for line in self._lines if not line.retired]
        best = min(able, key=lambda line: line.load, default=None)
        if best is None or (not best.idle and len(self._lines) < self._most):
            return Line(self._address, self._lines)
        return best

    @classmethod
    @asynccontextmanager
    async def opened(cls, address: Address, most: int) -> AsyncIterator[Self]:
        """The connections of the running loop, closed at the end."""
        lines = cls(address, most)
        try:
            yield lines
        finally:
            found = list(lines._lines)
            for line in found:
                line.close()
            for line in found:
                await line.ended()
