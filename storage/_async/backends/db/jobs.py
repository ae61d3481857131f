"""How the units of `AsyncSqliteStore` run in their threads: alone, in turns, in one commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple

from ...._core.errors import StoreError, StoreTimeout
from .errors import is_busy, translate
from .file import Link
from .forks import inside

TURN = 0.005
"""Seconds after which a visit brings home what it has read."""
GROUP = 256
"""Units that share one commit at most."""


class How(NamedTuple):
    """How a unit wants to run."""

    create: bool = False
    """It may make the file."""
    durable: bool = True
    """Its commit waits for the disk, in a durable store."""
    stubborn: bool = False
    """It runs also if its caller is cancelled before its turn."""


class Job:
    """A unit that somebody waits for.

    Args:
        unit: Called with a connection and the arguments.
        args: The arguments.
        patience: Seconds that it may wait for locks.
        how: How it wants to run.
    """

    __slots__ = (
        "abandoned", "args", "deadline", "delivered", "error", "future", "how", "result", "unit",
    )  # fmt: skip
    future: asyncio.Future[None]

    def __init__(
        self, unit: Callable[..., Any], args: tuple[Any, ...], patience: float, how: How
    ) -> None:
        self.unit = unit
        self.args = args
        self.deadline = monotonic() + patience
        self.how = how
        self.abandoned = self.delivered = False
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, connection: sqlite3.Connection, unit: Callable[..., Any]) -> None:
        """Run the unit, or what stands for it, and keep what comes of it."""
        self.error = None
        try:
            self.result = unit(connection, *self.args)
        except Exception as error:
            self.error = error

    def fail(self, error: Exception) -> None:
        """Keep an error, as the protocol has it."""
        self.error = translate(error) if isinstance(error, sqlite3.Error) else error

    def expire(self) -> None:
        """Give up waiting for a lock."""
        self.error = StoreTimeout(
            "the file stayed locked by somebody else; busy_timeout says how long to wait for them"
        )

    def outcome(self) -> Any:
        """The result; or raises."""
        try:
            if self.error is not None:
                raise self.error
            return self.result
        finally:
            self.error = None  # its traceback holds this frame

    def deliver(self) -> None:
        """Tell the caller that it is done, on the loop."""
        self.delivered = True
        if not self.future.done():
            self.future.set_result(None)


def _take(waiting: deque[Job], suits: Callable[[Job], bool]) -> Job | None:
    """The first that waits, if it suits; its caller may take it back at any time."""
    while waiting:
        try:
            job = waiting[0]
            if not suits(job):
                break
            waiting.remove(job)
        except (IndexError, ValueError):
            continue
        return job
    return None


def _any(job: Job) -> bool:
    return True


def _take_expired(waiting: deque[Job]) -> list[Job]:
    """Those whose time is up; they wait in the order of their deadlines."""
    done, now = [], monotonic()
    while (job := _take(waiting, lambda job: job.deadline <= now)) is not None:
        job.expire()
        done.append(job)
    return done


def read_one(link: Link, job: Job) -> None:
    """Run a unit that reads; where the file is locked, again until its time is up."""
    while not _is_read(link, job):
        pass


def _is_read(link: Link, job: Job) -> bool:
    with inside:
        try:
            connection = link.connection()
            job.run(connection, link.reads(job.unit))
        except Exception as error:
            job.error = error
        if not isinstance(job.error, sqlite3.Error):
            return True
        if not is_busy(job.error):
            again = link.is_outdated()
            link.close()  # the next unit gets a fresh connection
            if again:
                return False
            job.fail(job.error)
            return True
    if not job.abandoned and monotonic() < job.deadline:
        return False
    job.expire()
    return True


def read_waiting(link: Link, waiting: deque[Job]) -> list[Job]:
    """Run the units that wait, for a while.

    Returns:
        Those that are done.
    """
    done: list[Job] = []
    end = monotonic() + TURN
    while waiting and monotonic() < end:
        with suppress(IndexError):  # callers take theirs back at any time
            failed = _read_in_turn(link, waiting, done, end)
            if failed is not None:
                read_one(link, failed)
                done.append(failed)
    return done


def _read_in_turn(link: Link, waiting: deque[Job], done: list[Job], end: float) -> Job | None:
    """Run units until one fails, which is returned to be run again with more care."""
    with inside:
        while monotonic() < end:
            job = waiting.popleft()
            try:
                connection = link.connection()
                job.run(connection, link.reads(job.unit))
            except Exception:  # there is no connection
                return job
            if isinstance(job.error, sqlite3.Error):
                return job
            done.append(job)
    return None


class Writer:
    """Runs units that write, and commits them.

    Args:
        link: The connection, nobody else's.
        lock: Held while it works, by all writers of this process, which then queue up here rather
            than look again and again whether the file is still locked.
    """

    def __init__(self, link: Link, lock: threading.Lock) -> None:
        self.link = link
        self._lock = lock

    def run(self, unit: Callable[..., Any], args: tuple[Any, ...], how: How) -> Any:
        """Run one unit, and commit it.

        Raises:
            sqlite3.OperationalError: The file is locked, so that nothing has happened.
            StoreError: The unit refused, or SQLite failed.
        """
        with self._lock, inside:
            try:
                connection = self.link.connection(create=how.create)
                self.link.synchronise(how.durable)
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    result = unit(connection, *args)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                if is_busy(error):
                    raise
                self.link.close()
                raise translate(error) from error
            return result

    def commit(self, waiting: deque[Job]) -> list[Job]:
        """Run the units that wait, and commit them together.

        They are taken when the file is locked for them: until then their callers may take them
        back, and others may join.

        Returns:
            Those that are done.
        """
        done: list[Job] = []
        while waiting and not done:
            with self._lock, inside:
                done = self._try(waiting)
        return done

    def _try(self, waiting: deque[Job]) -> list[Job]:
        present = waiting.copy()
        durable = any(job.how.durable for job in present)
        jobs: list[Job] = []
        try:
            with self._transaction(durable, any(job.how.create for job in present)) as connection:
                _take_group(waiting, durable, jobs)
                _run_all(connection, jobs)
                connection.execute("COMMIT")
        except Exception as error:
            if is_busy(error):
                waiting.extendleft(reversed(jobs))
                return _take_expired(waiting)
            self.link.close()
            if not jobs and (first := _take(waiting, _any)) is not None:
                jobs.append(first)
            self._blame(jobs, error)
        return jobs

    def _blame(self, jobs: list[Job], error: Exception) -> None:
        """Give a lone unit the error; of several, each finds out alone which it is."""
        if len(jobs) == 1:
            jobs[0].fail(error)
        else:
            for job in jobs:
                self._alone(job)

    def _alone(self, job: Job) -> None:
        waiting = deque([job])
        while waiting and not self._try(waiting):
            pass

    @contextmanager
    def _transaction(self, durable: bool, create: bool) -> Iterator[sqlite3.Connection]:
        connection = self.link.connection(create=create)
        self.link.synchronise(durable)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _take_group(waiting: deque[Job], durable: bool, jobs: list[Job]) -> None:
    """Take those that one commit serves."""
    while (
        len(jobs) < GROUP
        and (job := _take(waiting, lambda job: durable or not job.how.durable)) is not None
    ):
        jobs.append(job)


def _run_all(connection: sqlite3.Connection, jobs: list[Job]) -> None:
    """Run units in one transaction; raises where one failed with the transaction half done."""
    for job in jobs:
        before = connection.total_changes
        job.run(connection, job.unit)
        refused = isinstance(job.error, StoreError) and connection.total_changes == before
        if job.error is not None and not refused:
            raise job.error
