"""How the units of `AsyncSqliteStore` that write run in their threads: many in one commit."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...._core.errors import NoSpace, StoreError
from .errors import is_busy, is_full, translate
from .file import Link
from .forks import inside
from .jobs import How, Job, anybody, take, take_expired
from .room import Connection, tidy
from .together import put_together, runs

GROUP = 256
"""Units that share one commit at most."""


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
                    return _run_in_transaction(connection, unit, args)
                except (NoSpace, sqlite3.Error) as error:
                    if not (is_full(error) and tidy(connection)):
                        raise
                    return _run_in_transaction(connection, unit, args)
            except sqlite3.Error as error:
                if is_busy(error):
                    raise
                self.link.close()
                raise translate(error) from error

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
                return take_expired(waiting)
            if is_full(error) and self._tidy(jobs):
                waiting.extendleft(reversed(jobs))
                return []
            self.link.close()
            if not jobs and (first := take(waiting, anybody)) is not None:
                jobs.append(first)
            self._blame(jobs, error)
        else:
            self._make_room(jobs)
        return jobs

    def _make_room(self, jobs: list[Job]) -> None:
        """Try again what found no room, if there may be some now."""
        refused = [job for job in jobs if isinstance(job.error, NoSpace)]
        if self._tidy(refused):
            for job in refused:
                self._alone(job)

    def _tidy(self, jobs: list[Job]) -> bool:
        """Make room for units, once for each; returns whether it was worth it."""
        fresh = [job for job in jobs if not job.tidied]
        for job in fresh:
            job.tidied = True
        return len(fresh) == len(jobs) > 0 and tidy(self.link.connection())

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
    def _transaction(self, durable: bool, create: bool) -> Iterator[Connection]:
        connection = self.link.connection(create=create)
        self.link.synchronise(durable)
        try:
            connection.begin()
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _run_in_transaction(
    connection: Connection, unit: Callable[..., Any], args: tuple[Any, ...]
) -> Any:
    try:
        connection.begin()
        result = unit(connection, *args)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _take_group(waiting: deque[Job], durable: bool, jobs: list[Job]) -> None:
    """Take those that one commit serves."""
    if durable:  # it serves all; callers may take theirs back at any time
        with suppress(IndexError):
            while len(jobs) < GROUP:
                jobs.append(waiting.popleft())
        return
    while len(jobs) < GROUP and (job := take(waiting, lambda job: not job.how.durable)) is not None:
        jobs.append(job)


def _run_all(connection: Connection, jobs: list[Job]) -> None:
    """Run units in one transaction; raises where one failed with the transaction half done."""
    for plain, some in runs(jobs):
        if plain and len(some) > 1 and put_together(connection, some):
            continue
        for job in some:
            _run_one(connection, job)


def _run_one(connection: Connection, job: Job) -> None:
    before = connection.total_changes
    job.run(connection, job.unit)
    refused = isinstance(job.error, StoreError) and connection.total_changes == before
    if job.error is not None and not refused:
        raise job.error
