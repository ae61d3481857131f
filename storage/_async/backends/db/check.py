"""Whether all is well in the file of `AsyncSqliteStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from .format import File
from .objects import CHUNK

Stopped: TypeAlias = Callable[[], bool] | None
"""Whether nobody waits for it any more; None where nobody could tell."""
PACE = 100_000
"""Steps of SQLite between two looks at that; a few milliseconds."""
NAMED = 100
"""Problems of a kind that are told one by one."""

_SUMS = "SELECT count(*), ifnull(sum(size), 0) FROM objects"
_ORPHANS = """
    SELECT count(DISTINCT version) FROM chunks
    WHERE version NOT IN (SELECT version FROM objects)
    AND version NOT IN (SELECT version FROM uploads)
"""
# Objects of which a chunk is missing, has a wrong length or is too much, and those that would
# lose their chunks with another object of the same version.
_INCOMPLETE = """
    SELECT key FROM objects LEFT JOIN chunks USING (version) GROUP BY key
    HAVING count(seq) <> max(1, (size + :chunk - 1) / :chunk) OR min(seq) <> 0
    OR max(length(data) <> min(:chunk, size - seq * :chunk))
    UNION
    SELECT key FROM objects WHERE version IN
    (SELECT version FROM objects GROUP BY version HAVING count(*) > 1)
    OR version IN (SELECT version FROM uploads)
    ORDER BY key LIMIT :named
"""


@dataclass(frozen=True)
class CheckReport:
    """What a look through the whole file of a SQLite store has found."""

    objects: int
    """How many there are."""
    size: int
    """Bytes in all of them."""
    uploads: int
    """Streams that are on their way in, or whose writer was killed within the last day."""
    damage: tuple[str, ...]
    """What SQLite has to say against the file; at most 100 lines."""
    incomplete: tuple[str, ...]
    """The keys of objects whose bytes are not all there; at most 100."""
    orphans: int
    """Values that belong to no object; they only take up room."""

    @property
    def sound(self) -> bool:
        """Whether there is nothing to complain about."""
        return not (self.damage or self.incomplete or self.orphans)


def check(connection: sqlite3.Connection, _file: File, stopped: Stopped) -> CheckReport:
    """Look through the whole file, as it is at one moment."""
    with _looking(connection, stopped):
        objects, size = connection.execute(_SUMS).fetchone()
        (uploads,) = connection.execute("SELECT count(*) FROM uploads").fetchone()
        (orphans,) = connection.execute(_ORPHANS).fetchone()
        bounds = {"chunk": CHUNK, "named": NAMED}
        keys = _column(connection, _INCOMPLETE, bounds)
        return CheckReport(objects, size, uploads, _damage(connection), keys, orphans)


# Of bytes, `length` need not read them.
_SUMS_OF_AMPLIFY = """
    SELECT count(*), ifnull(sum(CASE typeof(data) WHEN 'blob' THEN length(data)
    ELSE length(CAST(data AS BLOB)) END), 0) FROM objects
"""
_NO_DATA = """
    SELECT iif(typeof(key) = 'text', key, quote(key)) FROM objects
    WHERE typeof(key) <> 'text' OR typeof(data) NOT IN ('blob', 'text') LIMIT :named
"""


def check_amplifys(connection: sqlite3.Connection, _file: File, stopped: Stopped) -> CheckReport:
    """The same of a file that amplify-storage-utils wrote."""
    with _looking(connection, stopped):
        objects, size = connection.execute(_SUMS_OF_AMPLIFY).fetchone()
        keys = _column(connection, _NO_DATA, {"named": NAMED})
        return CheckReport(objects, size, 0, _damage(connection), keys, 0)


@contextmanager
def _looking(connection: sqlite3.Connection, stopped: Stopped) -> Iterator[None]:
    connection.set_progress_handler(stopped, PACE)
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _damage(connection: sqlite3.Connection) -> tuple[str, ...]:
    lines = _column(connection, f"PRAGMA integrity_check({NAMED})", {})
    return () if lines == ("ok",) else lines


def _column(connection: sqlite3.Connection, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(value for (value,) in connection.execute(query, values))
