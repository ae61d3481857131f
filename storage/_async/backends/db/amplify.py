"""Files that amplify-storage-utils wrote: read as they are, or made ours.

They have one table, of keys and data. Data is bytes, or text where a text store put it. A row has
no version, and its number may be used again, so there are no etags; a stream is read at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from time import time_ns
from typing import Any

from ...._core.errors import CorruptStore, NotSupported, ObjectNotFound, StoreClosed
from ...._core.info import READ_ALL, ObjectInfo, ReadOptions
from ...._core.keys import MAX_KEY_BYTES
from ...._core.text import shorten
from . import check, listing, reading
from .format import Kind, kind_of, make_tables
from .objects import CHUNK, add_chunk

BATCH = 1000
"""Objects that are converted between two looks at the old table."""

ANY = "TRUE"
"""Nothing there has a lifetime."""
# Of bytes, `length` need not read them.
_SIZE = """CASE typeof(data) WHEN 'blob' THEN length(data)
    WHEN 'text' THEN length(CAST(data AS BLOB)) END"""
_HEAD = """SELECT CASE typeof(data) WHEN 'blob' THEN length(data)
    WHEN 'text' THEN length(CAST(data AS BLOB)) END FROM objects WHERE key = ?"""
_OLD = """SELECT rowid, key, CASE typeof(data) WHEN 'blob' THEN length(data)
    ELSE length(CAST(data AS BLOB)) END FROM old ORDER BY rowid LIMIT ?"""
_BAD = """
    SELECT quote(key), typeof(data) FROM objects
    WHERE typeof(key) <> 'text' OR key = '' OR length(CAST(key AS BLOB)) > ?
    OR instr(CAST(key AS BLOB), x'00') OR typeof(data) NOT IN ('blob', 'text') LIMIT 1
"""
_OTHERS = "SELECT name FROM sqlite_master WHERE name <> 'objects' AND name NOT GLOB 'sqlite_*'"


# -- reading ---------------------------------------------------------------------------------


def get(connection: sqlite3.Connection, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
    """An object's bytes, or the range asked for."""
    if options.conditional:
        raise NotSupported(
            "the file of amplify-storage-utils has no etags: upgrade() gives it some"
        )
    query = "SELECT typeof(data), CAST(data AS BLOB) FROM objects WHERE key = ?"
    row = connection.execute(query, (key,)).fetchone()
    if row is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    kind, data = row
    if kind not in ("blob", "text"):
        raise CorruptStore(f"the data is neither bytes nor text, but {kind}", key=key)
    return options.cut(data), ObjectInfo(key, len(data))


def get_data(connection: sqlite3.Connection, key: str) -> bytes:
    """An object's bytes, and nothing else."""
    return get(connection, key, READ_ALL)[0]


def head(connection: sqlite3.Connection, key: str) -> ObjectInfo:
    """What is known of an object."""
    row = connection.execute(_HEAD, (key,)).fetchone()
    if row is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    return ObjectInfo(key, row[0])


def open_object(connection: sqlite3.Connection, key: str, options: ReadOptions) -> reading.Opened:
    """Read the object for a stream, which thereby is of one version."""
    data, info = get(connection, key, options)
    return reading.Opened(0, 0, len(data), info, data)


def info_page(
    connection: sqlite3.Connection, span: listing.Span
) -> tuple[list[ObjectInfo], listing.Span | None]:
    """The next objects, and what is left after them."""
    rows = span.select(connection, f"key, {_SIZE}", ANY)
    return [ObjectInfo(key, size) for key, size in rows], span.beyond(rows)


def exists(connection: sqlite3.Connection, key: str) -> bool:
    """Whether there is an object."""
    return connection.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone() is not None


def key_page(
    connection: sqlite3.Connection, span: listing.Span
) -> tuple[list[str], listing.Span | None]:
    """The next keys, and what is left after them."""
    rows = span.select(connection, "key", ANY)
    return [key for (key,) in rows], span.beyond(rows)


READS: dict[Callable[..., Any], Callable[..., Any]] = {
    reading.get: get,
    reading.get_data: get_data,
    reading.head: head,
    reading.exists: exists,
    reading.open_object: open_object,
    listing.info_page: info_page,
    listing.key_page: key_page,
    check.check: check.check_amplifys,
}
"""What is read here in another way than from files of ours; the other units suit both."""


# -- upgrading -------------------------------------------------------------------------------


def upgrade(connection: sqlite3.Connection, stopped: check.Stopped = None) -> None:
    """Make the file ours, in one transaction: whoever is killed meanwhile leaves the old file.

    Raises:
        NotSupported: There is more in the file than the table of objects.
        CorruptStore: Something in the table is no object.
        StoreClosed: Nobody waits for it any more.
    """
    connection.execute("PRAGMA fullfsync = ON")  # `synchronous` is FULL, unless told otherwise
    connection.execute("BEGIN IMMEDIATE")
    try:
        if kind_of(connection) is Kind.AMPLIFYS:  # another process may have been faster
            _check(connection)
            _convert(connection, stopped)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check(connection: sqlite3.Connection) -> None:
    others = connection.execute(_OTHERS).fetchone()
    if others is not None:
        raise NotSupported(f"the file cannot be upgraded: it also has {others[0]!r}")
    bad = connection.execute(_BAD, (MAX_KEY_BYTES,)).fetchone()
    if bad is not None:
        key, kind = bad
        raise CorruptStore(
            f"the file cannot be upgraded: no store keeps {kind} under the key {shorten(key)}"
        )


def _convert(connection: sqlite3.Connection, stopped: check.Stopped) -> None:
    connection.execute("ALTER TABLE objects RENAME TO old")
    make_tables(connection)
    version, modified = time_ns(), time_ns() // 1000
    while rows := connection.execute(_OLD, (BATCH,)).fetchall():
        for row, key, size in rows:
            if stopped is not None and stopped():
                raise StoreClosed("the upgrade was given up: nothing has changed")
            _move(connection, row, size, version)
            values = key, version, size, modified
            connection.execute("INSERT INTO objects VALUES (?, ?, ?, ?, NULL, NULL, NULL)", values)
            version += 1
        # As it goes, so that the new rows find room where the old ones were.
        connection.execute("DELETE FROM old WHERE rowid <= ?", (rows[-1][0],))
    connection.execute("DROP TABLE old")


def _move(connection: sqlite3.Connection, row: int, size: int, version: int) -> None:
    """Copy the data of a row as chunks; large ones without reading them whole."""
    if size <= CHUNK:
        query = "INSERT INTO chunks SELECT ?, 0, CAST(data AS BLOB) FROM old WHERE rowid = ?"
        connection.execute(query, (version, row))
        return
    with connection.blobopen("old", "data", row, readonly=True) as data:
        for seq, start in enumerate(range(0, size, CHUNK)):
            add_chunk(connection, version, seq, data.read(min(CHUNK, size - start)))
