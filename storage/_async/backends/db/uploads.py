"""Uploads: objects that come in chunks, invisible until they are whole."""

from __future__ import annotations

import sqlite3
from time import time_ns
from typing import NamedTuple

from ...._core.errors import StoreError
from ...._core.info import ObjectInfo, WriteOptions
from .objects import CHUNK, add_chunk, new_row, new_version, publish, replaceable
from .room import check_room

ABANDONED = 24 * 3600
"""Seconds without a new chunk after which an upload is taken for dead."""


def begin_upload(connection: sqlite3.Connection, data: bytes) -> int:
    """Take the first chunk of an object that nobody sees yet; the version it will have."""
    check_room(connection, 2 * CHUNK)
    version = new_version(connection)
    connection.execute("INSERT INTO uploads VALUES (?, ?)", (version, time_ns() // 10**9))
    add_chunk(connection, version, 0, data)
    return version


def add_to_upload(connection: sqlite3.Connection, version: int, seq: int, data: bytes) -> None:
    """Take a further chunk."""
    check_room(connection, 2 * CHUNK)
    query = "UPDATE uploads SET touched = ? WHERE version = ?"
    _alive(connection.execute(query, (time_ns() // 10**9, version)))
    add_chunk(connection, version, seq, data)


class Last(NamedTuple):
    """The chunk that makes an upload whole; no bytes where all chunks are full."""

    version: int
    seq: int
    data: bytes


def publish_upload(
    connection: sqlite3.Connection,
    last: Last,
    key: str,
    options: WriteOptions,
    expires: int | None,
) -> ObjectInfo:
    """Take the last chunk, and make the object visible."""
    replaced = replaceable(connection, key, options)
    check_room(connection, len(last.data))
    _alive(connection.execute("DELETE FROM uploads WHERE version = ?", (last.version,)))
    if last.data:
        add_chunk(connection, *last)
    row = new_row(last.version, last.seq * CHUNK + len(last.data), options, expires)
    return publish(connection, key, row, replaced)


def _alive(cursor: sqlite3.Cursor) -> None:
    if not cursor.rowcount:
        raise StoreError("the upload was given up, because it stood still for a day")


def drop_upload(connection: sqlite3.Connection, version: int) -> None:
    """Forget an upload and its chunks."""
    if connection.execute("DELETE FROM uploads WHERE version = ?", (version,)).rowcount:
        connection.execute("DELETE FROM chunks WHERE version = ?", (version,))


def sweep(connection: sqlite3.Connection) -> None:
    """Forget the uploads whose writers are dead by all appearances."""
    query = "SELECT version FROM uploads WHERE touched < ?"
    before = time_ns() // 10**9 - ABANDONED
    for (version,) in connection.execute(query, (before,)).fetchall():
        drop_upload(connection, version)
