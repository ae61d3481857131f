"""What is done to the whole file of `AsyncSqliteStore`, with connections of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from .check import Stopped
from .errors import is_busy, translate
from .file import Link
from .format import File, Kind, kind_of
from .room import check_vacuum, tidy


def upgrade(connection: sqlite3.Connection, file: File, stopped: Stopped) -> bool:
    """Make a file of amplify-storage-utils one of ours; returns whether it was one."""
    if kind_of(connection) is not Kind.AMPLIFYS:
        return False
    with _opened(file._replace(upgrade=True), stopped):
        return True


def vacuum(_connection: sqlite3.Connection, file: File, stopped: Stopped) -> int:
    """Rewrite the file without what is free in it; returns how many bytes shorter it is."""
    with _opened(file, stopped) as link:
        connection = link.connection()
        link.synchronise(True)
        tidy(connection)
        check_vacuum(connection)
        before = _size(connection)
        connection.execute("VACUUM")
        # The file itself is cut when the log is put into it: later, if somebody reads just now.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return max(0, before - _size(connection))


def _size(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (length,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * length)


@contextmanager
def _opened(file: File, stopped: Stopped) -> Iterator[Link]:
    """A connection that writes; a lock of somebody else is left to those who try again."""
    link = Link(file, writes=True, stopped=stopped)
    try:
        link.connection()
        yield link
    except sqlite3.Error as error:
        if is_busy(error):
            raise
        raise translate(error) from error
    finally:
        link.close()
