"""The statements of `AsyncSqliteStore` that read, each function a unit of its own."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from ...._core.errors import CorruptStore, ObjectNotFound, PreconditionFailed
from ...._core.info import READ_ALL, ByteRange, ObjectInfo, ReadOptions
from .objects import CHUNK, LIVE, Row, existing, find, living

_EVERYTHING = ByteRange()
# The bounds are those of `ByteRange`; one statement, so that all it finds is of one version.
_READ = """
    SELECT objects.version, size, modified, content_type, metadata, expires, data
    FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    AND seq >= CASE WHEN :start < 0 THEN max(0, size + :start) ELSE :start END / :chunk
    AND seq <= (ifnull(:end, size) - 1) / :chunk
    WHERE key = :key ORDER BY seq
"""
_READ_SMALL = f"""
    SELECT data, size FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    AND seq = 0 AND size <= ? WHERE key = ? AND {LIVE}
"""  # noqa: S608 - constants alone
_READ_ALL = """
    SELECT objects.version, size, modified, content_type, metadata, expires, data
    FROM objects LEFT JOIN chunks ON chunks.version = objects.version
    WHERE key = ? ORDER BY seq
"""


def exists(connection: sqlite3.Connection, key: str) -> bool:
    """Whether there is an object."""
    return living(find(connection, key)) is not None


def head(connection: sqlite3.Connection, key: str) -> ObjectInfo:
    """What is known of an object."""
    return existing(connection, key).info(key)


def end_of_life(connection: sqlite3.Connection, key: str) -> int | None:
    """When an object's time is over."""
    return existing(connection, key).expires


def get_data(connection: sqlite3.Connection, key: str) -> bytes:
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
    row = living(Row(*rows[0][:6]) if rows else None)
    if row is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    info = row.info(key)
    options.check(info)
    start, end = (0, row.size) if part is None else part.resolve(row.size)
    chunks = [found[6] for found in rows if found[6] is not None]
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
    held: bytes | None = None
    """All bytes of the range, where they cannot be read one by one."""


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
