"""An answer that arrives over a connection of ours, and whoever waits for it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Protocol

from ....._core import calls
from ....._core.draining import Drain
from .framing import GATHERED, Framing
from .transport import ConnectionLost, TransportError

DIRECT = 64 * 1024
"""Bytes of a body that are worth being taken from the socket right where the reader wants them."""
LENT = 256 * 1024
"""Bytes of a body that are worth a hop to a worker thread that takes them from the socket."""
HIGH = 512 * 1024
"""Bytes of a body that may be there unread, before no more is taken from the socket."""
LOW = 128 * 1024


class Line(Protocol):
    """What an answer needs of its connection."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def drop(self) -> None: ...
    @property
    def lending(self) -> asyncio.Semaphore: ...
    def lent(self) -> AbstractContextManager[int | None]: ...


class Answer(Framing):
    """The response of the lean transport.

    Args:
        loop: On which it is awaited.
        method: Of the request.
        resent: Whether this is the second time that the request is sent.
    """

    __slots__ = (
        "_came",
        "_loop",
        "_paused",
        "_waiter",
        "_whole",
        "error",
        "line",
        "resent",
        "room",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, method: str, *, resent: bool) -> None:
        super().__init__(method)
        self.resent = resent
        self.line: Line | None = None
        """The connection, as long as it is busy with this."""
        self.error: TransportError | None = None
        self.room: memoryview | None = None
        """Where the reader wants the next bytes of the body."""
        self._came = 0
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._whole = False
        self._paused = False

    async def read(self, size: int = -1) -> bytes:
        """See `Response`."""
        if size < 0:
            return await self._read_all()
        while size and not self.pieces and not self.complete:
            await self.news()
        return self._take(size)

    async def read_into(self, room: memoryview) -> int:
        """See `Response`."""
        if not (self.pieces or self.complete):
            came = await self._come_into(room)
            if came:
                return came
        at = 0
        for piece in self._cut(len(room), len(room)):
            room[at : at + len(piece)] = piece
            at += len(piece)
        return at

    async def _come_into(self, room: memoryview) -> int:
        """Wait for the next bytes; how many came in there, and not by way of the pieces."""
        self.room, self._came = room, 0
        try:
            while not (self._came or self.pieces or self.complete):
                await self.news()
        finally:
            self.room = None
        return self._came

    async def lend(self, drain: Drain, most: int) -> int:
        """Let a worker thread take bytes of the body right from the socket, where that is plain.

        Args:
            drain: Takes what has come already, and then what comes.
            most: Bytes that the reader wants.

        Returns:
            How many it took; 0 where there were none, or where this cannot be done.
        """
        line = self.line
        if line is None or self._lendable(most) < LENT:
            return 0
        try:
            async with line.lending:
                if self.line is not None and self._lendable(most) >= LENT:  # all may have come
                    return await self._lend(line, drain, most)
        except BaseException:
            await self.aclose()  # nobody knows how much was taken
            raise
        return 0

    async def _lend(self, line: Line, drain: Drain, most: int) -> int:
        with line.lent() as descriptor:
            if descriptor is None:
                return 0
            most = self.held + self._lendable(most)
            pieces = self._cut(most, most)
            came, size = await calls.call(_drained, drain, pieces, descriptor, most)
        self.skip(size)
        return came + size

    def _lendable(self, most: int) -> int:
        """Bytes of those that are wanted which may be taken from the socket by somebody else.

        The last byte never may, since something may come behind it.
        """
        return min(most - self.held, self._missing - 1)

    async def aclose(self) -> None:
        """See `Response`."""
        if self.line is not None:
            self.line.drop()

    async def _read_all(self) -> bytes:
        self._whole = True
        self._flow()
        while not self.complete:
            await self.news()
        pieces, self.pieces, self.held = self.pieces, [], 0
        if len(pieces) == 1 and type(pieces[0]) is bytes:
            return pieces[0]
        return b"".join(pieces)

    def _take(self, size: int) -> bytes:
        # Small pieces are joined; a large one goes out as it is, since joining would copy it.
        taken = self._cut(size, GATHERED)
        if len(taken) == 1 and type(taken[0]) is bytes:
            return taken[0]
        return b"".join(taken)

    def _cut(self, size: int, enough: int) -> list[bytes | bytearray | memoryview]:
        """The next pieces, until there are enough bytes, and at most so many."""
        taken: list[bytes | bytearray | memoryview] = []
        left = size
        while left and size - left < enough and self.pieces:
            piece = self.pieces.pop(0)
            if len(piece) > left:
                view = memoryview(piece)
                self.pieces.insert(0, view[left:])
                piece = view[:left]
            taken.append(piece)
            left -= len(piece)
        self.held -= size - left
        self._flow()
        return taken

    # For the connection and for those who wait.

    async def news(self) -> None:
        """Wait until something has happened; raise if it was the worst.

        Whoever is cancelled here ends the connection.
        """
        if self.error is not None:
            raise self.error
        if self._waiter is not None:
            raise RuntimeError("two tasks wait for one answer")
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except BaseException:
            await self.aclose()
            raise
        finally:
            self._waiter = None

    def tell(self) -> None:
        """Something has happened that somebody may wait for."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def place(self) -> memoryview | None:
        """Where the next bytes may come in unseen; None where somebody has to look at them.

        The last byte never does, since something may come behind it.
        """
        if self.room is None or self.pieces or self._missing < DIRECT:
            return None
        return self.room[self._came : self._came + self._missing - 1] or None

    def placed(self, size: int) -> None:
        """So many bytes came in there."""
        self._came += size
        self.skip(size)
        self.tell()

    def came(self) -> None:
        """Bytes have come; keep those waiting who wait for the end of them."""
        self._flow()
        if self.complete or not self._whole:
            self.tell()

    def fail(self, error: TransportError) -> None:
        """There will be no more of it."""
        self.error = error
        self.line = None
        self._parser = None  # refers back
        self.tell()

    @property
    def settled(self) -> bool:
        """Whether there is nothing to be sent any more."""
        return self.status != 0 or self.error is not None

    @property
    def paused(self) -> bool:
        """Whether it is the reader who is slow, and not the server."""
        return self._paused

    def _flow(self) -> None:
        """Keep a bounded number of bytes, except for who asked for all of them."""
        if self.line is None:
            return
        if self._paused:
            if self._whole or self.held <= LOW:
                self._paused = False
                self.line.resume()
        elif self.held > HIGH and not self._whole:
            self._paused = True
            self.line.pause()


def dropped() -> ConnectionLost:
    """Why there is no more of an answer that was closed."""
    return ConnectionLost("the answer was closed before its end", sent=True)


def _drained(
    drain: Drain, pieces: list[bytes | bytearray | memoryview], descriptor: int, most: int
) -> tuple[int, int]:
    """How many bytes went through a drain: of pieces, and from a socket."""
    came = 0
    for piece in pieces:
        drain.put(memoryview(piece))
        came += len(piece)
    return came, drain.move(descriptor, most - came)
