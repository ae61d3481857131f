"""Room on the disk: the file of `AsyncSqliteStore` must never fill it to the brim.

What was committed waits in the log (WAL) until it is put into the file. If there is no room for
the file to grow by that, the log can never be emptied, and nothing can be stored or even deleted
until somebody makes room elsewhere.
"""

from __future__ import annotations

import math
import os
import sqlite3
from time import monotonic

from ...._core.errors import NoSpace

PLENTY = 64 * 1024 * 1024
"""Free bytes from which on nobody looks closer."""
SMALL, FRESH = 64 * 1024, 0.05
"""Bytes of an object for which a look counts that is not older, in seconds: four times plenty does
not go in that time."""
RESERVE = 1024 * 1024
"""Bytes that are left for deletes, which need some room, too; on small disks a sixteenth."""


class Connection(sqlite3.Connection):
    """A connection that knows its file, and what it has seen of it."""

    path = ""
    newest: int | None = None
    """The newest version that there is, where this transaction has looked."""
    plenty = 0.0
    """Until when so much of the disk is free that small objects need not look closer."""

    def begin(self) -> None:
        """Begin a transaction that writes."""
        self.newest = None
        self.execute("BEGIN IMMEDIATE")


def check_room(connection: sqlite3.Connection, size: int) -> None:
    """See that the file may grow by so many bytes.

    Raises:
        NoSpace: It may not; nothing was changed.
    """
    ours = connection if isinstance(connection, Connection) else None
    if ours is not None and size <= SMALL and monotonic() < ours.plenty:
        return
    left = _left(connection)
    if left > PLENTY + 4 * size:
        if ours is not None and left > 4 * PLENTY:
            ours.plenty = monotonic() + FRESH
        return
    held, free = _held(connection)
    growth = 0 if free > size else size
    waiting = max(0, held - os.stat(_path(connection)).st_size)  # what the log has for the file
    if (growth or waiting) and left < waiting + size + growth:
        raise NoSpace("the disk is full, but for what deletes need to make room")


def tidy(connection: sqlite3.Connection) -> bool:
    """Put the log into the file, and return whether the disk has more room now."""
    log = f"{_path(connection)}-wal"
    try:
        before = os.path.getsize(log)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return os.path.getsize(log) < before
    except (OSError, sqlite3.Error):
        return False


def check_vacuum(connection: sqlite3.Connection) -> None:
    """See that the file can be written anew.

    Raises:
        NoSpace: It cannot.
    """
    held, free = _held(connection)
    if _left(connection, 0) < held - free:
        raise NoSpace(f"a vacuum of this file takes {held - free} bytes of free space")


def _path(connection: sqlite3.Connection) -> str:
    return connection.path if isinstance(connection, Connection) else ""


def _left(connection: sqlite3.Connection, reserve: int = RESERVE) -> float:
    """The bytes on the disk that are for us, or a great many where nobody knows."""
    try:
        disk = os.statvfs(_path(connection))
    except (OSError, AttributeError):  # SQLite will find out; Windows has none
        return math.inf
    if disk.f_flag & os.ST_RDONLY:
        return math.inf
    unit = disk.f_frsize
    return disk.f_bavail * unit - min(reserve, disk.f_blocks * unit // 16)


def _held(connection: sqlite3.Connection) -> tuple[int, int]:
    """The bytes of all pages, and of those that are free."""
    pages, free, length = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages * length, free * length
