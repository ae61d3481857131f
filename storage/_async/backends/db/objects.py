"""The statements of `AsyncSqliteStore`, each function a unit within one transaction.

A unit that refuses (with a `StoreError`) does so before it has changed anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time_ns
from typing import NamedTuple, TypeAlias

from ...._core.errors import ObjectNotFound, StoreError
from ...._core.info import WRITE_OVER, ObjectInfo, WriteOptions, check_delete
from .room import Connection, check_room

Item: TypeAlias = tuple[str, bytes | memoryview]

CHUNK = 256 * 1024
"""Bytes of each chunk but an object's last."""
COPY_AT_ONCE = 16 * 1024 * 1024
"""Bytes of the largest object that is copied in one transaction."""

FIELDS = "version, size, modified, content_type, metadata, expires"
NOW = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
"""The time as ``expires`` has it: milliseconds since 1970."""
LIVE = f"(expires IS NULL OR expires > {NOW})"
"""What is true of an object whose time is not over."""
_FIND = f"SELECT {FIELDS} FROM objects WHERE key = ?"  # noqa: S608 - constants alone, as below
_SWAP = "UPDATE chunks SET version = ?, data = ? WHERE version = ? AND seq = 0"
_PUBLISH = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)"
PUBLISH_NEW = "INSERT OR IGNORE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)"
SWEEP = 500
"""Objects whose time is over that one transaction removes."""
_OVER = f"SELECT key, version FROM objects WHERE expires <= {NOW} LIMIT {SWEEP}"  # noqa: S608


class Row(NamedTuple):
    """What `objects` has of one key, beside the key."""

    version: int
    size: int
    modified: int
    content_type: str | None
    metadata: str | None
    expires: int | None

    def over(self) -> bool:
        """Whether its time is over: it counts as missing, though it may still be replaced."""
        return self.expires is not None and self.expires <= time_ns() // 10**6

    def info(self, key: str) -> ObjectInfo:
        """As the protocol has it."""
        return ObjectInfo(
            key,
            self.size,
            f"{self.version:x}",
            datetime.fromtimestamp(self.modified / 1e6, UTC),
            self.content_type,
            json.loads(self.metadata) if self.metadata else {},
        )


def find(connection: sqlite3.Connection, key: str) -> Row | None:
    """What stands under a key now, be its time over or not."""
    row = connection.execute(_FIND, (key,)).fetchone()
    return None if row is None else Row(*row)


def living(row: Row | None) -> Row | None:
    """The same, unless its time is over."""
    return None if row is None or row.over() else row


def existing(connection: sqlite3.Connection, key: str) -> Row:
    """What stands under a key now, for those who need something there."""
    row = living(find(connection, key))
    if row is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    return row


def new_version(connection: sqlite3.Connection) -> int:
    """A number that no version has or had: the time in nanoseconds, and above all that are there.

    Every version has a chunk, an empty object an empty one.
    """
    ours = connection if isinstance(connection, Connection) else None
    newest = None if ours is None else ours.newest
    if newest is None:
        (newest,) = connection.execute("SELECT max(version) FROM chunks").fetchone()
    version = max(time_ns(), (newest or 0) + 1)
    if ours is not None:
        ours.newest = version
    return version


def publish(connection: sqlite3.Connection, key: str, row: Row, replaced: Row | None) -> ObjectInfo:
    """Make a version visible, and forget the one that it replaces."""
    if replaced is not None:
        connection.execute("DELETE FROM chunks WHERE version = ?", (replaced.version,))
    connection.execute(_PUBLISH, (key, *row))
    return row.info(key)


def new_row(version: int, size: int, options: WriteOptions, expires: int | None) -> Row:
    """The row of an object that is published now."""
    metadata = json.dumps(dict(options.metadata)) if options.metadata else None
    return Row(version, size, time_ns() // 1000, options.content_type, metadata, expires)


def replaceable(connection: sqlite3.Connection, key: str, options: WriteOptions) -> Row | None:
    """What stands under the key, if the conditions allow to replace it."""
    found = find(connection, key)
    if options.conditional:
        there = living(found)
        options.check(key, None if there is None else there.info(key))
    return found


def add_chunk(
    connection: sqlite3.Connection, version: int, seq: int, data: bytes | memoryview
) -> None:
    """Store a chunk of a version."""
    connection.execute("INSERT INTO chunks VALUES (?, ?, ?)", (version, seq, data))


def put(
    connection: sqlite3.Connection,
    key: str,
    data: bytes | memoryview,
    options: WriteOptions,
    expires: int | None = None,
) -> ObjectInfo:
    """Store a whole object."""
    replaced = replaceable(connection, key, options) if options.conditional else None
    check_room(connection, len(data))
    row, small = new_row(new_version(connection), len(data), options, expires), len(data) <= CHUNK
    if not options.conditional:
        # Most objects replace nothing, and then nobody need look for what they replace.
        if small and connection.execute(PUBLISH_NEW, (key, *row)).rowcount:
            add_chunk(connection, row.version, 0, data)
            return row.info(key)
        replaced = find(connection, key)
    return replace(connection, key, data, row, replaced)


def replace(
    connection: sqlite3.Connection,
    key: str,
    data: bytes | memoryview,
    row: Row,
    replaced: Row | None,
) -> ObjectInfo:
    """Store an object in place of what was found."""
    version, small = row.version, len(data) <= CHUNK
    if small and replaced is not None and replaced.size <= CHUNK:
        # One chunk in place of another is one statement less.
        if connection.execute(_SWAP, (version, data, replaced.version)).rowcount:
            replaced = None
        else:
            add_chunk(connection, version, 0, data)
    elif small:
        add_chunk(connection, version, 0, data)
    else:
        view = memoryview(data)
        for seq, start in enumerate(range(0, len(data), CHUNK)):
            add_chunk(connection, version, seq, view[start : start + CHUNK])
    return publish(connection, key, row, replaced)


def put_each(connection: sqlite3.Connection, items: Sequence[Item], expires: int | None) -> None:
    """Store whole objects."""
    for key, data in items:
        put(connection, key, data, WRITE_OVER, expires)


def delete(
    connection: sqlite3.Connection, key: str, missing_ok: bool, if_match: str | None
) -> None:
    """Remove an object."""
    found = living(find(connection, key))
    if found is None and missing_ok and if_match is None:
        return
    check_delete(key, None if found is None else found.info(key), if_match)
    assert found is not None
    _drop(connection, key, found.version)


def _drop(connection: sqlite3.Connection, key: str, version: int) -> None:
    connection.execute("DELETE FROM chunks WHERE version = ?", (version,))
    connection.execute("DELETE FROM objects WHERE key = ?", (key,))


def sweep(connection: sqlite3.Connection) -> int:
    """Remove some objects whose time is over; returns how many."""
    rows = connection.execute(_OVER).fetchall()
    for key, version in rows:
        _drop(connection, key, version)
    return len(rows)


def delete_each(
    connection: sqlite3.Connection, keys: Sequence[str], missing_ok: bool
) -> list[StoreError | None]:
    """Remove objects; the error of each or None."""
    outcomes: list[StoreError | None] = []
    for key in keys:
        try:
            delete(connection, key, missing_ok, None)
        except ObjectNotFound as error:
            outcomes.append(error)
        else:
            outcomes.append(None)
    return outcomes


def copy(
    connection: sqlite3.Connection, source: str, target: str, if_absent: bool
) -> ObjectInfo | None:
    """Copy an object; None where it is too large for one transaction."""
    row = existing(connection, source)
    if source == target and not if_absent:
        return row.info(source)
    replaced = replaceable(connection, target, WriteOptions(if_absent))
    if row.size > COPY_AT_ONCE:
        return None
    check_room(connection, row.size)
    version = new_version(connection)
    query = "INSERT INTO chunks SELECT ?, seq, data FROM chunks WHERE version = ?"
    connection.execute(query, (version, row.version))
    fresh = row._replace(version=version, modified=time_ns() // 1000)
    return publish(connection, target, fresh, replaced)


def move(connection: sqlite3.Connection, source: str, target: str, if_absent: bool) -> ObjectInfo:
    """Give an object another key; no bytes are copied, and the version stays."""
    row = existing(connection, source)
    replaced = replaceable(connection, target, WriteOptions(if_absent))
    if source == target:
        return row.info(source)
    connection.execute("DELETE FROM objects WHERE key = ?", (source,))
    return publish(connection, target, row, replaced)
