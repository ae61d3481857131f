"""The statements of `AsyncSqliteStore`, each function a unit within one transaction.

A unit that refuses (with a `StoreError`) does so before it has changed anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time_ns
from typing import NamedTuple

from ...._core.errors import CorruptStore, ObjectNotFound, PreconditionFailed, StoreError
from ...._core.info import (
    READ_ALL,
    ByteRange,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
    check_delete,
)

CHUNK = 256 * 1024
"""Bytes of each chunk but an object's last."""
COPY_AT_ONCE = 16 * 1024 * 1024
"""Bytes of the largest object that is copied in one transaction."""

FIELDS = "version, size, modified, content_type, metadata"
_EVERYTHING = ByteRange()
_FIND = "SELECT version, size, modified, content_type, metadata FROM objects WHERE key = ?"
# The bounds are those of `ByteRange`; one statement, so that all it finds is of one version.
_READ = """
    SELECT objects.version, size, modified, content_type, metadata, data
    FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    AND seq >= CASE WHEN :start < 0 THEN max(0, size + :start) ELSE :start END / :chunk
    AND seq <= (ifnull(:end, size) - 1) / :chunk
    WHERE key = :key ORDER BY seq
"""
_READ_SMALL = """
    SELECT data, size FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    AND seq = 0 AND size <= ? WHERE key = ?
"""
_READ_ALL = """
    SELECT objects.version, size, modified, content_type, metadata, data
    FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    WHERE key = ? ORDER BY seq
"""
# What `find` gives, after the newest version of all.
_LOOK_ROUND = """
    SELECT (SELECT max(version) FROM chunks), version, size, modified, content_type, metadata
    FROM (SELECT 1) LEFT JOIN objects ON key = ?
"""
_SWAP = "UPDATE chunks SET version = ?, data = ? WHERE version = ? AND seq = 0"
_PUBLISH = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)"


class Row(NamedTuple):
    """What `objects` has of one key, beside the key."""

    version: int
    size: int
    modified: int
    content_type: str | None
    metadata: str | None

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
    """What stands under a key now."""
    row = connection.execute(_FIND, (key,)).fetchone()
    return None if row is None else Row(*row)


def existing(connection: sqlite3.Connection, key: str) -> Row:
    """What stands under a key now, for those who need something there."""
    row = find(connection, key)
    if row is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    return row


# -- reading ---------------------------------------------------------------------------------


def exists(connection: sqlite3.Connection, key: str) -> bool:
    """Whether there is an object."""
    return connection.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone() is not None


def head(connection: sqlite3.Connection, key: str) -> ObjectInfo:
    """What is known of an object."""
    return existing(connection, key).info(key)


def data(connection: sqlite3.Connection, key: str) -> bytes:
    """An object's bytes, and nothing else."""
    row = connection.execute(_READ_SMALL, (CHUNK, key)).fetchone()
    if row is not None and row[0] is not None and len(row[0]) == row[1]:
        return row[0]  # type: ignore[no-any-return]
    return get(connection, key, READ_ALL)[0]


def get(connection: sqlite3.Connection, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
    """An object's bytes, or the range asked for."""
    if options.conditional:
        options.check(head(connection, key))  # before its bytes are read for nothing
    part = options.byte_range
    if part is None:
        rows = connection.execute(_READ_ALL, (key,)).fetchall()
    else:
        bounds = {"key": key, "start": part.start, "end": part.end, "chunk": CHUNK}
        rows = connection.execute(_READ, bounds).fetchall()
    if not rows:
        raise ObjectNotFound("there is no object under this key", key=key)
    row = Row(*rows[0][:5])
    info = row.info(key)
    options.check(info)
    start, end = (0, row.size) if part is None else part.resolve(row.size)
    chunks = [found[5] for found in rows if found[5] is not None]
    data: bytes = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    skipped = start % CHUNK
    if skipped or len(data) > end - start:
        data = data[skipped : skipped + end - start]
    if len(data) != end - start:
        raise CorruptStore("a part of the object is missing from the file", key=key)
    return data, info


class Opened(NamedTuple):
    """A version of an object that is read in chunks."""

    version: int
    start: int
    end: int
    info: ObjectInfo


def open_object(connection: sqlite3.Connection, key: str, options: ReadOptions) -> Opened:
    """Find the version to read."""
    row = existing(connection, key)
    info = row.info(key)
    options.check(info)
    return Opened(row.version, *(options.byte_range or _EVERYTHING).resolve(row.size), info)


def chunk(connection: sqlite3.Connection, opened: Opened, position: int) -> bytes:
    """The bytes from a position to its chunk's end, or to the range's."""
    seq, skipped = divmod(position, CHUNK)
    query = "SELECT data FROM chunks WHERE version = ? AND seq = ?"
    row = connection.execute(query, (opened.version, seq)).fetchone()
    if row is None:
        found = find(connection, opened.info.key)
        if found is not None and found.version == opened.version:
            raise CorruptStore("a part of the object is missing from the file")
        raise PreconditionFailed("the object was replaced or deleted while it was read")
    data: bytes = row[0]
    end = min(opened.end - seq * CHUNK, CHUNK)
    return data if not skipped and end == len(data) else data[skipped:end]


# -- writing ---------------------------------------------------------------------------------


def new_version(connection: sqlite3.Connection) -> int:
    """A number that no version has or had: the time in nanoseconds, and above all that are there.

    Every version has a chunk, an empty object an empty one.
    """
    (newest,) = connection.execute("SELECT max(version) FROM chunks").fetchone()
    return _after(newest)


def _after(newest: int | None) -> int:
    return max(time_ns(), (newest or 0) + 1)


def publish(connection: sqlite3.Connection, key: str, row: Row, replaced: Row | None) -> ObjectInfo:
    """Make a version visible, and forget the one that it replaces."""
    if replaced is not None:
        connection.execute("DELETE FROM chunks WHERE version = ?", (replaced.version,))
    connection.execute(_PUBLISH, (key, *row))
    return row.info(key)


def new_row(version: int, size: int, options: WriteOptions) -> Row:
    """The row of an object that is published now."""
    metadata = json.dumps(dict(options.metadata)) if options.metadata else None
    return Row(version, size, time_ns() // 1000, options.content_type, metadata)


def replaceable(connection: sqlite3.Connection, key: str, options: WriteOptions) -> Row | None:
    """What stands under the key, if the conditions allow to replace it."""
    return _replaceable(key, options, find(connection, key))


def _replaceable(key: str, options: WriteOptions, found: Row | None) -> Row | None:
    if options.conditional:
        options.check(key, None if found is None else found.info(key))
    return found


def add_chunk(
    connection: sqlite3.Connection, version: int, seq: int, data: bytes | memoryview
) -> None:
    """Store a chunk of a version."""
    connection.execute("INSERT INTO chunks VALUES (?, ?, ?)", (version, seq, data))


def put(
    connection: sqlite3.Connection, key: str, data: bytes | memoryview, options: WriteOptions
) -> ObjectInfo:
    """Store a whole object."""
    newest, *rest = connection.execute(_LOOK_ROUND, (key,)).fetchone()
    replaced = _replaceable(key, options, None if rest[0] is None else Row(*rest))
    version = _after(newest)
    small = len(data) <= CHUNK
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
    return publish(connection, key, new_row(version, len(data), options), replaced)


def delete(
    connection: sqlite3.Connection, key: str, missing_ok: bool, if_match: str | None
) -> None:
    """Remove an object."""
    found = find(connection, key)
    if found is None and missing_ok and if_match is None:
        return
    check_delete(key, None if found is None else found.info(key), if_match)
    assert found is not None
    connection.execute("DELETE FROM chunks WHERE version = ?", (found.version,))
    connection.execute("DELETE FROM objects WHERE key = ?", (key,))


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
