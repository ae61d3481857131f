"""Who runs the units of `AsyncSqliteStore`, and where.

The callers of a loop share lanes, one that reads, one that writes and one for what takes long:
threads of aiosqlite's, a connection each. Blocking callers run their units themselves.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import aiosqlite

from ...._core import calls
from ...._core.errors import StoreClosed, StoreUnavailable
from .file import Link
from .forks import inside
from .format import File
from .jobs import Job, read_waiting
from .watch import Watch
from .writing import Writer


class _Units:
    """What aiosqlite takes for its connection: where a statement is due, it runs whole units.

    With aiosqlite's own verbs each statement is a visit of its own to the thread, and a caller who
    is cancelled between two of them leaves a transaction open.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def execute(self, work: Callable[[], None], _parameters: object) -> Self:
        work()
        return self

    def fetchall(self) -> list[Any]:
        return []

    def close(self) -> None:
        with inside:
            self._link.close()


class Lane:
    """A thread for the callers of one loop; those that wait at the same time share its visits.

    Args:
        work: Called in the thread with the jobs that wait; returns those that are done.
        link: The connection that it uses, nobody else's.
    """

    def __init__(self, work: Callable[[deque[Job]], list[Job]], link: Link) -> None:
        self._work = work
        self._link = link
        self._waiting: deque[Job] = deque()
        self._done: list[Job] = []
        self._pump: asyncio.Task[None] | None = None
        self._connection: aiosqlite.Connection | None = None
        self._closed = False
        self._new_future = asyncio.get_running_loop().create_future

    @property
    def closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self._closed

    async def submit(self, job: Job) -> Any:
        """Run a job.

        If the caller is cancelled, a job that waits for its turn never begins (unless it is
        stubborn), and one that has begun is waited for.
        """
        if self._closed:
            raise StoreClosed("the store was closed")
        job.future = self._new_future()
        self._waiting.append(job)
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())
        try:
            await job.future
        except asyncio.CancelledError:
            if job.how.stubborn or not self._take_back(job):
                job.abandoned = True
                await _settle(job)
            raise
        return job.result if job.error is None else job.outcome()

    def _take_back(self, job: Job) -> bool:
        try:
            self._waiting.remove(job)
        except ValueError:
            return False
        return True

    async def _run(self) -> None:
        """Visit the thread as long as anybody waits."""
        try:
            if self._connection is None:
                self._connection = await calls.acquire(_close, _connect, self._link)
            while self._waiting:
                await self._visit(self._connection)
                done, self._done = self._done, []
                for job in done:
                    job.deliver()
        except Exception as error:
            self._refuse(repr(error))
        except asyncio.CancelledError:
            self._refuse("the loop ends its tasks")
            raise
        finally:
            self._pump = None

    def _refuse(self, reason: str) -> None:
        while self._waiting:
            job = self._waiting.popleft()
            closed = StoreClosed("the store was closed")
            job.fail(closed if self._closed else StoreUnavailable(f"there is no thread: {reason}"))
            job.deliver()

    async def _visit(self, connection: aiosqlite.Connection) -> None:
        work: Any = self._work_off
        while True:
            try:
                await connection.execute_fetchall(work, ())
                return
            except asyncio.CancelledError:
                # The loop ends its tasks, but the thread works on; an empty visit ends after it.
                work = _nothing

    def _work_off(self) -> None:
        self._done = self._work(self._waiting)

    async def aclose(self) -> None:
        """End what was begun, and close the connection."""
        self._closed = True
        try:
            if self._pump is not None:
                await asyncio.wait([self._pump])
        finally:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close()

    def dismiss(self, loop: asyncio.AbstractEventLoop) -> list[threading.Thread]:
        """Close the connection from outside of its loop, without waiting for it.

        Returns:
            The thread that does it, where the loop itself does not.
        """
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(self.aclose(), loop)
            return []
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is None:
            return []
        thread = threading.Thread(target=_close, args=(connection,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends, and the connection with it
            return []
        return [thread]


def _close(connection: aiosqlite.Connection) -> None:
    asyncio.run(connection.close())


def _connect(link: Link) -> aiosqlite.Connection:
    """Start a thread of aiosqlite's; on a loop of its own, because nobody cancels that.

    The thread is a daemon, and cannot hang the interpreter's exit, because the seam's workers
    are: a thread inherits that from the one that makes it.
    """

    async def start(connection: aiosqlite.Connection) -> aiosqlite.Connection:
        return await connection

    units: Any = _Units(link)
    return asyncio.run(start(aiosqlite.Connection(lambda: units, 64)))


def _nothing() -> None:
    pass


async def _settle(job: Job) -> None:
    """Wait until a job is done, however often the waiting itself is cancelled."""
    while not job.delivered:
        job.future = asyncio.get_running_loop().create_future()
        try:
            await job.future
        except asyncio.CancelledError:
            continue
    job.error = None


class Lanes:
    """The lanes of one loop: one for what takes long, so that the others go on meanwhile."""

    def __init__(self, file: File, lock: threading.Lock, watch: Watch) -> None:
        reads = Link(file, writes=False, watch=watch)
        writes = Link(file, writes=True, watch=watch)
        chores = Link(file, writes=False, watch=watch)
        self.chores = Lane(lambda waiting: read_waiting(chores, waiting), chores)
        self.reads = Lane(lambda waiting: read_waiting(reads, waiting), reads)
        self.writes = Lane(Writer(writes, lock).commit, writes)

    async def aclose(self) -> None:
        # The connection that is closed last puts the log into the file: let it be the writing one.
        try:
            await self.chores.aclose()
            await self.reads.aclose()
        finally:
            await self.writes.aclose()

    def dismiss(self, loop: asyncio.AbstractEventLoop) -> list[threading.Thread]:
        lanes = self.chores, self.reads, self.writes
        return [thread for lane in lanes for thread in lane.dismiss(loop)]
