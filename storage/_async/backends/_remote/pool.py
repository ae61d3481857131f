"""The sessions of one event loop: a bounded number, lent to one operation at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from ...._core.errors import StoreClosed
from .session import Line, Session

GRACE = 5.0
"""Seconds that what was cancelled may take to be undone, and that closing waits for it."""


class Undoable(Protocol):
    """What is being written."""

    @property
    def busy(self) -> bool:
        """Whether its owner is at it just now, and will notice that the pool was closed."""
        ...

    @property
    def over(self) -> asyncio.Future[None]:
        """Done when nothing of it is left to be undone."""
        ...

    async def undo(self) -> None:
        """Take it back."""
        ...


class Pool:
    """The sessions of one event loop.

    What is held open while its owner does other things (readers, writers) has rooms of its own:
    whole operations never wait for something that may itself be waiting for them.

    Args:
        line: Opens sessions.
        size: How many there may be.
    """

    def __init__(self, line: Line, size: int) -> None:
        self.closed = False
        self.writing: set[Undoable] = set()
        self._line = line
        self._idle: list[tuple[float, Session]] = []
        self._lent: set[Session] = set()
        self._rooms = {
            "call": asyncio.Semaphore(size - 2 * (size // 3)),
            "read": asyncio.Semaphore(size // 3),
            "write": asyncio.Semaphore(size // 3),
        }

    @asynccontextmanager
    async def lease(self, room: str) -> AsyncIterator[Session]:
        """A session; it is closed afterwards if it was left in the midst of a request."""
        async with self._rooms[room]:
            session = await self._take()
            self._lent.add(session)
            try:
                yield session
            finally:
                self._lent.discard(session)
                self._give_back(session)

    async def _take(self) -> Session:
        while self._idle:
            since, session = self._idle.pop()
            alive = False
            try:
                alive = session.quiet and await session.is_alive(time.monotonic() - since)
            finally:
                if not alive:
                    session.drop()
            if alive:
                return session
        return await self.open()

    async def open(self) -> Session:
        """A session beyond the bounds, to clean up with; the caller drops it."""
        self.check()
        session = await self._line.open()
        if self.closed:
            session.drop()
            self.check()
        return session

    def check(self) -> None:
        """Raise `StoreClosed` if it was closed."""
        if self.closed:
            raise StoreClosed("the store was closed")

    def _give_back(self, session: Session) -> None:
        if session.quiet and not self.closed:
            self._idle.append((time.monotonic(), session))
        else:
            session.drop()

    async def close(self) -> None:
        """Refuse what comes, take back what is being written, end all else."""
        self.closed = True
        for pending in [each for each in self.writing if not each.busy]:
            await pending.undo()
        if self.writing:
            await asyncio.wait([each.over for each in self.writing], timeout=GRACE)
        for session in [*self._lent, *(session for _, session in self._idle)]:
            session.drop()
        self._idle.clear()
        await self._line.close()


async def finished(work: Coroutine[Any, Any, object]) -> None:
    """Do a clean-up to its end, at most `GRACE` seconds, however often this is cancelled.

    What it raises is lost: something else has gone wrong before.

    Raises:
        asyncio.CancelledError: It was cancelled meanwhile.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    end, interrupted = loop.time() + GRACE, False
    while not task.done():
        if loop.time() >= end:
            task.cancel()
        try:
            await asyncio.wait([task], timeout=max(0.1, end - loop.time()))
        except asyncio.CancelledError:
            interrupted = True
    if not task.cancelled():
        task.exception()
    if interrupted:
        raise asyncio.CancelledError
