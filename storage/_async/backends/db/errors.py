"""What SQLite's errors mean for `AsyncSqliteStore`."""

from __future__ import annotations

import sqlite3

from ...._core.errors import (
    AccessDenied,
    CorruptStore,
    NoSpace,
    StoreClosed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)

_BY_CODE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: StoreTimeout,
    sqlite3.SQLITE_LOCKED: StoreTimeout,
    sqlite3.SQLITE_INTERRUPT: StoreClosed,  # only chores are, when nobody waits for them
    sqlite3.SQLITE_FULL: NoSpace,
    sqlite3.SQLITE_READONLY: AccessDenied,
    sqlite3.SQLITE_PERM: AccessDenied,
    sqlite3.SQLITE_AUTH: AccessDenied,
    sqlite3.SQLITE_CANTOPEN: AccessDenied,
    sqlite3.SQLITE_CORRUPT: CorruptStore,
    sqlite3.SQLITE_NOTADB: CorruptStore,
    sqlite3.SQLITE_FORMAT: CorruptStore,
    sqlite3.SQLITE_ERROR: CorruptStore,  # our statements are right: a table or a column is missing
    sqlite3.SQLITE_CONSTRAINT: CorruptStore,
}


def code_of(error: BaseException) -> int:
    """SQLite's primary code; 0 where it is none of its errors."""
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF


def is_busy(error: BaseException) -> bool:
    """Whether the file is locked, so that a later try may succeed."""
    return code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_full(error: BaseException) -> bool:
    """Whether there was no room, so that a later try may succeed if somebody tidies up."""
    return isinstance(error, NoSpace) or code_of(error) == sqlite3.SQLITE_FULL


def translate(error: sqlite3.Error) -> StoreError:
    """The store's error that says what an error of SQLite means."""
    text = f"SQLite says: {error}"
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_WRITE:
        kind: type[StoreError] = NoSpace
        text += " (unless the disk fails, a quota or the limit on a file's size is reached)"
    elif code := code_of(error):
        kind = _BY_CODE.get(code, StoreUnavailable)
    elif isinstance(error, sqlite3.ProgrammingError):
        kind = StoreClosed  # Python's own: the connection was closed under the call
    else:
        kind = CorruptStore  # Python's own: what was read is no UTF-8
    translated = kind(text)
    translated.__cause__ = error
    return translated
