"""One connection of the lean transport: one request out and one answer in at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, cast

from .answers import Answer, dropped
from .encoding import JOINED, length, pieces
from .queues import unacknowledged
from .transport import AnswerError, ConnectionLost, SilenceError, TransportError

TURN = 1024 * 1024
"""Bytes written before others get their turn of the loop."""
WRITE_HIGH = 512 * 1024
WRITE_LOW = 128 * 1024
PATIENCE = 1.0
"""Seconds that ``100 Continue`` is waited for."""


class Keeper(Protocol):
    """Who lends connections."""

    inbox: memoryview
    """Where the bytes come in, of all connections: no two read at once."""

    lending: asyncio.Semaphore
    """Has room for those whose sockets worker threads read from."""

    def release(self, connection: Connection) -> None:
        """A connection, be it closed, is not busy any more."""

    def forget(self, connection: Connection) -> None:
        """A connection does not exist any more."""


class Connection(asyncio.BufferedProtocol):
    """See above.

    Args:
        loop: Its event loop.
        keeper: Hears of its end.
    """

    __slots__ = (
        "_answer",
        "_backlog",
        "_choked",
        "_keeper",
        "_lent",
        "_loop",
        "_places",
        "_quiet",
        "_transport",
        "_unsent",
        "closed",
        "used",
    )
    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper) -> None:
        self.closed = False
        self.used = False
        """Whether it has served before."""
        self._loop = loop
        self._keeper = keeper
        self._answer: Answer | None = None
        self._choked = self._lent = False
        self._places = False
        """Whether the next bytes come in where the reader wants them."""
        self._unsent = 0
        self._quiet = 0
        self._backlog = 0

    async def exchange(
        self, answer: Answer, head: bytes, body: Sequence[bytes | memoryview], *, expect: bool
    ) -> None:
        """Send a request; returns when the head of its final answer is there.

        Raises:
            TransportError: There is none. The connection has been given up.
        """
        self._answer = answer
        answer.line = self
        self._quiet = self._backlog = 0
        try:
            if self.closed:
                self._fail(ConnectionLost("the connection ended at once", sent=False))
            elif not body:
                self._transport.write(head)
            elif not expect and len(head) + length(body) <= JOINED:
                self._transport.write(b"".join((head, *body)))
            else:
                await self._send(answer, head, body, expect=expect)
            while not answer.status or isinstance(answer.error, AnswerError):
                await answer.news()
        except BaseException:
            if answer.line is self:
                self.drop()
            raise

    async def _send(
        self, answer: Answer, head: bytes, body: Sequence[bytes | memoryview], *, expect: bool
    ) -> None:
        """Send the body after the head, as fast as the server takes it, until it answers."""
        self._unsent = length(body)
        self._transport.write(head)
        if expect:
            await self._await_continue(answer)
        written = 0
        for piece in pieces(body):
            while self._choked and not answer.settled:
                await answer.news()
            if answer.settled:
                return
            self._transport.write(piece)
            self._unsent -= len(piece)
            written += len(piece)
            if written >= TURN:
                written = 0
                await asyncio.sleep(0)

    async def _await_continue(self, answer: Answer) -> None:
        # A server that knows nothing of it waits for the body for ever.
        timer = self._loop.call_later(PATIENCE, _go_on, answer)
        try:
            while not (answer.continued or answer.settled):
                await answer.news()
        finally:
            timer.cancel()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)

    def get_buffer(self, sizehint: int) -> memoryview:
        answer = self._answer
        place = None if answer is None or answer.room is None else answer.place()
        self._places = place is not None
        return self._keeper.inbox if place is None else place

    def buffer_updated(self, nbytes: int) -> None:
        if self._places and self._answer is not None:
            self._quiet = 0
            self._answer.placed(nbytes)
        else:
            self._take(self._keeper.inbox[:nbytes].tobytes())

    def _take(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()  # nobody has asked for anything
            return
        self._quiet = 0
        headless = not answer.status
        try:
            answer.feed(data)
            if headless and answer.status:
                self._check_sent(answer)
        except AnswerError as error:
            self._fail(error)
            return
        if answer.complete:
            self._finish(answer)
        answer.came()

    def eof_received(self) -> None:
        answer = self._answer
        if answer is not None and answer.feed_end():
            self._finish(answer)
            answer.came()
        else:
            self._fail(ConnectionLost("the server closed the connection", sent=True))

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self.eof_received()
        else:
            error = ConnectionLost(f"the connection was lost: {exc}", sent=True)
            error.__cause__ = exc
            self._fail(error)
        self.closed = True
        self._keeper.forget(self)

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self._quiet = 0
        if self._answer is not None:
            self._answer.tell()

    # What the answer and the keeper call.

    def pause(self) -> None:
        """Take nothing from the socket."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Go on taking what comes."""
        self._quiet = 0
        if not self._lent:
            self._transport.resume_reading()

    @property
    def lending(self) -> asyncio.Semaphore:
        """See `Keeper`."""
        return self._keeper.lending

    @contextmanager
    def lent(self) -> Iterator[int | None]:
        """Its socket, for somebody else to read from; None where only the loop can, as with TLS."""
        transport = self._transport
        if self.closed or transport.get_extra_info("sslcontext") is not None:
            yield None
            return
        # One of their own: that of the loop may be closed meanwhile, and its number given away.
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        self._lent = True
        transport.pause_reading()
        try:
            yield descriptor
        finally:
            os.close(descriptor)
            self._lent = False
            if not self.closed:
                self.resume()

    def drop(self) -> None:
        """Give up the answer."""
        self._fail(dropped())

    def abort(self, error: TransportError | None = None) -> None:
        """Close it, without waiting for anything; an answer that is awaited fails."""
        if error is not None:
            self._fail(error)
        if not self.closed:
            self.closed = True
            self._transport.abort()

    def tick(self, silence: int, idle: int) -> None:
        """Count how long the server has been silent; called at even intervals.

        Args:
            silence: So many ticks end an answer that is awaited.
            idle: So many ticks end a connection that nobody uses.
        """
        self._quiet += 1
        answer = self._answer
        if answer is None:
            if self._quiet > idle:
                self.abort()
        elif answer.paused or self._lent or self._taking():
            self._quiet = 0
        elif self._quiet > silence:
            self._fail(SilenceError("the server was silent for too long", sent=True))

    def _taking(self) -> bool:
        """Whether the server has taken a part of the request since the last tick."""
        waiting = self._transport.get_write_buffer_size()
        before, self._backlog = self._backlog, waiting + unacknowledged(self._transport)
        return before != self._backlog

    def _check_sent(self, answer: Answer) -> None:
        """See that an answer does not come before its request was sent in full."""
        if self._unsent or self._transport.get_write_buffer_size():
            answer.keep_alive = False
            if answer.status < 300:
                raise AnswerError("success, before the request was sent in full", sent=True)

    def _finish(self, answer: Answer) -> None:
        self._answer = answer.line = None
        if answer.surplus or not answer.keep_alive:
            self.abort()
        self.used = True
        self._quiet = 0
        self._keeper.release(self)

    def _fail(self, error: TransportError) -> None:
        answer, self._answer = self._answer, None
        self.abort()
        if answer is not None:
            answer.fail(error)
            self._keeper.release(self)


def _go_on(answer: Answer) -> None:
    answer.continued = True
    answer.tell()
