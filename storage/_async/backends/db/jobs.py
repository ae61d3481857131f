"""The units of `AsyncSqliteStore` that wait for their turn, and those that read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from ...._core.errors import StoreTimeout
from .errors import is_busy, translate
from .file import Link
from .forks import inside

TURN = 0.005
"""Seconds after which a visit brings home what it has read."""


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
        "abandoned", "args", "deadline", "delivered", "error", "future", "how", "result",
        "tidied", "unit",
    )  # fmt: skip
    future: asyncio.Future[None]

    def __init__(
        self, unit: Callable[..., Any], args: tuple[Any, ...], patience: float, how: How
    ) -> None:
        self.unit = unit
        self.args = args
        self.deadline = monotonic() + patience
        self.how = how
        self.abandoned = self.delivered = self.tidied = False
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
        future = self.future
        if not future.done():
            future.set_result(None)


def take(waiting: deque[Job], suits: Callable[[Job], bool]) -> Job | None:
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


def anybody(job: Job) -> bool:
    """Whether a job suits: each does."""
    return True


def take_expired(waiting: deque[Job]) -> list[Job]:
    """Those whose time is up; they wait in the order of their deadlines."""
    done, now = [], monotonic()
    while (job := take(waiting, lambda job: job.deadline <= now)) is not None:
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
