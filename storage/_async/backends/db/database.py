"""The database of `AsyncSqliteStore`: for callers of any loop, of any thread, without a loop."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar, TypeVarTuple

from ...._core import calls
from ...._core.errors import StoreClosed
from ...._core.looplocal import inherited
from ...._core.window import surely
from .check import Stopped
from .file import Link
from .forks import inside
from .format import File
from .jobs import How, Job, read_one
from .lanes import Lanes
from .watch import Watch
from .writing import Writer

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Unit: TypeAlias = Callable[[sqlite3.Connection, *Ts], T]
Chore: TypeAlias = Callable[[sqlite3.Connection, File, Stopped], T]
PLAIN = How()
CREATE = How(create=True)
GRACE = 5.0
"""Seconds to wait for the connections of a loop that does not run."""


class Database:
    """The file, for any callers.

    Args:
        file: The file.
        patience: Seconds that a unit waits for the locks of others.
    """

    def __init__(self, file: File, patience: float) -> None:
        self._file = file
        self._patience = patience
        self._connections = _Connections(file)
        _databases.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._file, self._patience)

    async def read(self, unit: Unit[*Ts, T], *args: *Ts) -> T:
        """Run a unit that reads, with these arguments; again where the file was locked."""
        if calls.direct():
            return self.read_now(unit, *args)
        job = Job(unit, args, self._patience, PLAIN)
        return await self._connections.lanes().reads.submit(job)  # type: ignore[no-any-return]

    async def write(self, how: How, unit: Unit[*Ts, T], *args: *Ts) -> T:
        """Run a unit in a transaction, with these arguments; again where that failed."""
        if calls.direct():
            return self._connections.write(unit, args, self._patience, how)  # type: ignore[no-any-return]
        job = Job(unit, args, self._patience, how)
        return await self._connections.lanes().writes.submit(job)  # type: ignore[no-any-return]

    async def chore(self, unit: Chore[T]) -> T:
        """Run a unit that takes long; it is told when nobody waits for it any more."""
        if calls.direct():
            return self.read_now(unit, self._file, None)
        lane = self._connections.lanes().chores
        job = Job(unit, (), self._patience, PLAIN)
        job.args = self._file, lambda: job.abandoned or lane.closed
        try:
            return await lane.submit(job)  # type: ignore[no-any-return]
        finally:
            job.args = ()  # they hold the job

    def read_now(self, unit: Unit[*Ts, T], *args: *Ts) -> T:
        """The same in the caller's own thread, for blocking callers."""
        return self._connections.read(unit, args, self._patience)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        """Close all connections; of the running loop's, what was begun is ended first."""
        connections = self._connections
        lanes = connections.shut()
        ours = None if calls.direct() else lanes.pop(asyncio.get_running_loop(), None)
        threads = _dismiss(lanes)
        try:
            if ours is not None:
                await ours.aclose()
        finally:
            await surely(partial(connections.close, threads))

    def __del__(self) -> None:
        connections = getattr(self, "_connections", None)
        if connections is not None and connections.open:
            what = f"a store of {self._file.path!r} was not closed"
            warnings.warn(what, ResourceWarning, source=self, stacklevel=2)
            if not sys.is_finalizing():  # no thread starts any more
                _dismiss(connections.shut())
                connections.drop()

    def _renew(self) -> None:
        inherited.append(self._connections)
        self._connections = _Connections(self._file)


class _Connections:
    """All connections of one store in one process."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._closed = False
        self._guard = threading.Lock()
        self._lanes: dict[asyncio.AbstractEventLoop, Lanes] = {}
        self._readers: list[Link] = []  # those that no blocking caller uses now
        self._writing = threading.Lock()
        self._watch = Watch(file.path)
        self._link = Link(file, writes=True, watch=self._watch)
        self._writer = Writer(self._link, self._writing)

    @property
    def open(self) -> bool:
        """Whether there is anything to close."""
        return bool(self._lanes or self._readers or self._link.open)

    def lanes(self) -> Lanes:
        """Those of the running loop."""
        loop = asyncio.get_running_loop()
        lanes = self._lanes.get(loop)
        return self._new_lanes(loop) if lanes is None else lanes

    def _new_lanes(self, loop: asyncio.AbstractEventLoop) -> Lanes:
        with self._guard:
            self._check()
            gone = {other: lanes for other, lanes in self._lanes.items() if other.is_closed()}
            for other in gone:
                del self._lanes[other]
            lanes = self._lanes[loop] = Lanes(self._file, self._writing, self._watch)
        _dismiss(gone)
        return lanes

    def _check(self) -> None:
        if self._closed:
            raise StoreClosed("the store was closed")

    def read(self, unit: Callable[..., Any], args: tuple[Any, ...], patience: float) -> Any:
        """Run a unit here and now, with a connection that nobody else uses meanwhile."""
        if self._closed:
            self._check()
        try:
            link = self._readers.pop()
        except IndexError:
            link = Link(self._file, writes=False, watch=self._watch)
        try:
            try:
                with inside:
                    connection = link.connection()
                    if link.setting.amplifys:
                        return link.reads(unit)(connection, *args)
                    return unit(connection, *args)
            except sqlite3.Error:  # locked, as a rule
                job = Job(unit, args, patience, PLAIN)
                read_one(link, job)
                return job.outcome()
        finally:
            if link.open:
                self._readers.append(link)
            if self._closed:
                with inside:
                    self._drop_readers()

    def write(
        self, unit: Callable[..., Any], args: tuple[Any, ...], patience: float, how: How
    ) -> Any:
        """Run a unit here and now, and commit it."""
        if self._closed:
            self._check()
        try:
            return self._writer.run(unit, args, how)
        except sqlite3.Error:  # locked: nothing has happened yet
            job = Job(unit, args, patience, how)
            self._writer.commit(deque([job]))
            return job.outcome()
        finally:
            if self._closed:
                self.close()

    def shut(self) -> dict[asyncio.AbstractEventLoop, Lanes]:
        """Let nobody in any more; the lanes that are left to be closed."""
        with self._guard:
            self._closed = True
            lanes, self._lanes = self._lanes, {}
        return lanes

    def close(self, threads: Sequence[threading.Thread] = ()) -> None:
        """Close the connections of blocking callers, after these threads have ended."""
        for thread in threads:
            thread.join(GRACE)
        with self._writing, inside:
            self.drop()

    def drop(self) -> None:
        """The same, where nobody can use them any more; a finalizer must not wait for locks."""
        self._drop_readers()
        self._link.close()

    def _drop_readers(self) -> None:
        with suppress(IndexError):
            while True:
                self._readers.pop().close()


def _dismiss(lanes: dict[asyncio.AbstractEventLoop, Lanes]) -> list[threading.Thread]:
    return [thread for loop, pair in lanes.items() for thread in pair.dismiss(loop)]


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _renew() -> None:
    for database in list(_databases):
        database._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
