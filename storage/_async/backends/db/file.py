"""The file of `AsyncSqliteStore`: how it is opened, and told from others'."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from ...._core.errors import (
    AccessDenied,
    NotSupported,
    StoreNotFound,
    StoreUnavailable,
    from_oserror,
)
from . import amplify, check, uploads
from .check import Stopped
from .errors import code_of
from .format import EARLIER, PAGE_BYTES, File, Kind, bring_up, kind_of, make_tables
from .room import Connection
from .watch import Identity, Watch

T = TypeVar("T")
LOG_PAGES = 1000
"""Pages in the log (WAL) from which on a commit puts them into the file."""
STEP = 0.1
"""Seconds that SQLite waits for a lock at a time; then we look whether anybody still wants it."""


class Setting(NamedTuple):
    """What was found when a connection was opened."""

    relaxed: str = ""
    """The ``synchronous`` of commits that need not wait for the disk."""
    amplifys: bool = False
    """Whether the file is one of amplify-storage-utils, which is read in another way."""


class Link:
    """One connection to the file: opened when needed, and again when the file is another one.

    Used by one thread at a time, whichever.

    Args:
        file: The file.
        writes: Whether it may write.
        watch: Looks which file is there, for all connections of a store.
        stopped: Whether nobody waits any more for what the connection does.
    """

    def __init__(
        self, file: File, *, writes: bool, watch: Watch | None = None, stopped: Stopped = None
    ) -> None:
        self._path, self._durable, self._upgrade = file
        self._watch = watch or Watch(file.path)
        self._writes = writes
        self._stopped = stopped
        self._connection: Connection | None = None
        self._identity: Identity | None = None
        self._synchronous = ""
        self.setting = Setting()

    @property
    def open(self) -> bool:
        """Whether it holds a connection now."""
        return self._connection is not None

    def connection(self, *, create: bool = False) -> Connection:
        """The connection, to the very file that is there now (or was, for a reader, a ms ago).

        Args:
            create: Make the file, and directories above it, where there is none.

        Raises:
            StoreNotFound: There is none, or nothing was ever stored in it.
        """
        if self._connection is not None:
            found = self._watch.now() if self._writes else self._watch.recent()
            if found == self._identity:
                return self._connection
            self.close()
        # Looked at before it is opened: a file that is replaced in between is noticed next time.
        self._identity = None
        if create and not os.path.exists(self._path):
            _make_directories(os.path.dirname(os.path.abspath(self._path)), self._durable)
        else:
            self._identity = self._watch.usable()
        return self._open(create)

    def _open(self, create: bool) -> Connection:
        try:
            connection = _connect(self._path, create)
            try:
                connection.set_progress_handler(self._stopped, check.PACE)
                self.setting = _prepare(
                    connection, self._writes, create, self._upgrade, self._stopped
                )
                self._identity = self._identity or self._watch.usable()
            except BaseException:
                connection.close()
                raise
        except sqlite3.OperationalError as error:
            if code_of(error) != sqlite3.SQLITE_CANTOPEN:
                raise
            if self._denied():
                text = f"SQLite says: {error}; it writes beside the file even to read it"
                raise AccessDenied(text) from error
            raise StoreUnavailable(f"SQLite says: {error}") from error
        self._connection, self._synchronous = connection, ""
        return connection

    def _denied(self) -> bool:
        """Whether permissions are why the file cannot be opened; SQLite writes beside it too."""
        above = os.access(os.path.dirname(self._path) or os.curdir, os.W_OK | os.X_OK)
        return not (above and (os.access(self._path, os.R_OK) or not os.path.exists(self._path)))

    def synchronise(self, wait: bool) -> None:
        """Say whether commits shall wait for the disk (where the store is durable at all).

        A commit that waits makes all earlier ones durable with it.
        """
        wanted = "FULL" if wait and self._durable else self.setting.relaxed
        if self._connection is not None and wanted != self._synchronous:
            self._connection.execute(f"PRAGMA synchronous = {wanted}")
            self._synchronous = wanted

    def reads(self, unit: Callable[..., T]) -> Callable[..., T]:
        """A unit that reads, as it suits the file that was opened."""
        return amplify.READS.get(unit, unit) if self.setting.amplifys else unit

    def is_outdated(self) -> bool:
        """Whether somebody upgraded the file since it was opened, so that units fail."""
        if self._connection is None or not self.setting.amplifys:
            return False
        with suppress(sqlite3.Error):
            return _kind_of(self._connection) is Kind.OURS
        return False

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _connect(path: str, create: bool) -> Connection:
    connection = sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
        uri=True,
        timeout=STEP,
        isolation_level=None,  # transactions are begun and ended by us alone
        check_same_thread=False,
        factory=Connection,
    )
    connection.path = path
    return connection


def _make_directories(path: str, durable: bool) -> None:
    """Make a directory and those above it, each entry on the disk before the next."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    _make_directories(parent, durable)
    try:
        os.mkdir(path)
        if durable and os.name == "posix":
            descriptor = os.open(parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except FileExistsError:
        return
    except OSError as error:
        raise from_oserror(error) from error


def _prepare(
    connection: sqlite3.Connection, writes: bool, create: bool, upgrade: bool, stopped: Stopped
) -> Setting:
    """Make sure that the file is a store, and set the connection up."""
    kind = _kind_of(connection)
    if kind is Kind.OURS:
        _bring_up(connection)
    if kind is Kind.AMPLIFYS and upgrade:
        amplify.upgrade(connection, stopped)
        kind = Kind.OURS
    if kind is Kind.EMPTY:
        if not create:
            raise StoreNotFound("nothing was ever stored in this file; the first put does")
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    if not writes:
        connection.execute("PRAGMA query_only = ON")
        return Setting(amplifys=kind is Kind.AMPLIFYS)
    if kind is Kind.AMPLIFYS:
        raise NotSupported(
            "amplify-storage-utils wrote the file, which is only read as it is: upgrade() of the "
            "store, or its option upgrade, makes it one that can be written"
        )
    return Setting(_prepare_writing(connection))


def _kind_of(connection: sqlite3.Connection) -> Kind:
    # In one transaction: another process may be making the tables just now.
    connection.execute("BEGIN")
    try:
        return kind_of(connection)
    finally:
        if connection.in_transaction:  # a full disk ends it
            connection.execute("ROLLBACK")


def _bring_up(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone() == (EARLIER,):
        connection.execute("BEGIN IMMEDIATE")
        try:
            bring_up(connection)  # unless another process was faster
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _prepare_writing(connection: sqlite3.Connection) -> str:
    """Returns the ``synchronous`` of commits that need not wait for the disk."""
    connection.execute("PRAGMA fullfsync = ON")  # on a Mac, fsync alone does not reach the disk
    (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA journal_size_limit = 67108864")
    # What is written often goes into the file once for many times; but a commit takes longer where
    # the log still grows, so it begins anew before it is very long.
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    # Some builds of SQLite overwrite all that is deleted, which takes as long as to write it.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if kind_of(connection) is Kind.EMPTY:
            make_tables(connection)
        uploads.sweep(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    # Some file systems have no shared memory and so no WAL; without it only FULL never tears.
    return "NORMAL" if journal == "wal" else "FULL"
