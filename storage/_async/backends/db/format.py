"""What is in the file of `AsyncSqliteStore`: its tables, and whose they are."""

from __future__ import annotations

import enum
import sqlite3
from typing import NamedTuple

from ...._core.errors import CorruptStore, NotSupported

APPLICATION_ID = 0x73746F72
"""What SQLite's header says of whose file it is: "stor"."""
FORMAT = 2
"""The layout of the tables, as ``user_version``; the length of the chunks is a part of it."""
PAGE_BYTES = 16384
"""Bytes of a page, in new files. Chunks are read four times as fast as with 4096; and a page has
three objects of 4 KiB, where one of 8192 bytes has one, and is written twice all the same."""
EARLIER = 1
"""The layout before objects had lifetimes; it is brought up when such a file is opened."""

# Rows of `objects` are small, so that a listing reads little; all bytes are in `chunks`. A version
# is never used twice. `uploads` has the versions that are not published yet.
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS objects (
        key TEXT NOT NULL PRIMARY KEY COLLATE BINARY,
        version INTEGER NOT NULL,
        size INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        content_type TEXT,
        metadata TEXT,
        expires INTEGER
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS expiring ON objects (expires) WHERE expires IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS chunks (
        version INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (version, seq)
    )""",
    """CREATE TABLE IF NOT EXISTS uploads (
        version INTEGER NOT NULL PRIMARY KEY,
        touched INTEGER NOT NULL
    )""",
    f"PRAGMA user_version = {FORMAT}",
    f"PRAGMA application_id = {APPLICATION_ID}",
)


class File(NamedTuple):
    """Which file, and how a store uses it."""

    path: str
    durable: bool = True
    """Whether a commit waits for the disk, unless told otherwise."""
    upgrade: bool = False
    """Whether a file of amplify-storage-utils is made one of ours when it is opened."""


class Kind(enum.Enum):
    """Whose file it is."""

    EMPTY = enum.auto()
    OURS = enum.auto()
    AMPLIFYS = enum.auto()
    """amplify-storage-utils wrote it: a table ``objects`` of ``key`` and ``data``."""


def kind_of(connection: sqlite3.Connection) -> Kind:
    """Tell whose file it is; within a transaction, because somebody may be making the tables.

    Raises:
        CorruptStore: It is somebody else's.
        NotSupported: A newer version of this package wrote it.
    """
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (written,) = connection.execute("PRAGMA user_version").fetchone()
    if mark == APPLICATION_ID:
        if written not in (EARLIER, FORMAT):
            raise NotSupported(f"the file has format {written}, and this package knows {FORMAT}")
        return Kind.OURS
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master").fetchall()]
    if not tables and not mark:
        return Kind.EMPTY
    columns = connection.execute("PRAGMA table_info(objects)").fetchall()
    (encoding,) = connection.execute("PRAGMA encoding").fetchone()
    # Of a column: its name, and whether it is the key.
    as_theirs = [(row[1], row[5]) for row in columns] == [("key", 1), ("data", 0)]
    if as_theirs and not mark and encoding == "UTF-8":
        return Kind.AMPLIFYS
    raise CorruptStore("the database is another program's: it is no store of this package")


def bring_up(connection: sqlite3.Connection) -> None:
    """Give lifetimes to a file of ours that knows none, within a transaction."""
    if connection.execute("PRAGMA user_version").fetchone() == (EARLIER,):
        connection.execute("ALTER TABLE objects ADD COLUMN expires INTEGER")
        make_tables(connection)


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the file ours."""
    for statement in _SCHEMA:
        connection.execute(statement)
