"""The file of a journal: SQLite, held by one sync as long as that runs."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import lt
from pathlib import Path
from typing import TypeVar

from ..._core.errors import ConfigError, StoreUnavailable, translate_oserror
from .steps import PAGE, Remembered

T = TypeVar("T")

SUFFIX = ".storage-journal"
APPLICATION = 0x73746A6C
VERSION = 1
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE pairs (id INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL,
    UNIQUE (source, target));
CREATE TABLE objects (pair INTEGER NOT NULL, key TEXT NOT NULL, here TEXT NOT NULL,
    there TEXT NOT NULL, digest TEXT, PRIMARY KEY (pair, key)) WITHOUT ROWID;
CREATE TABLE uploads (pair INTEGER NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
    fingerprint TEXT NOT NULL, PRIMARY KEY (pair, key)) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


class JournalFile:
    """The rows of one pair of stores; its methods block, and any thread may call them.

    Args:
        path: Where it is.
        source: What tells the source from other stores.
        target: The same of the target.

    Raises:
        StoreUnavailable: Another sync uses it.
        ConfigError: It is something else, or of a newer version.
        StoreError: It cannot be opened.
    """

    def __init__(self, path: Path, source: str, target: str) -> None:
        self.warnings: list[str] = []
        self._path = path
        self._lock = threading.Lock()
        self._broken = False
        self._damaged = False
        try:
            try:
                self._open(source, target)
            except sqlite3.Error as error:
                if not self._is_damage(error):
                    raise
                self._set_aside(error)
                self._open(source, target)
        except sqlite3.Error as error:
            raise self._typed(error) from error

    def _open(self, source: str, target: str) -> None:
        with translate_oserror("open", self):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
            self._pair = self._pair_of(source, target)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        run = self._database.execute
        # The lock is held until the end, or the death, of the process: one sync at a time.
        run("PRAGMA locking_mode = EXCLUSIVE")
        found = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        if found == (0, 0) and not run("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = OFF")  # the first commit that matters brings it to the disk
            self._database.executescript(SCHEMA)
        elif found[0] != APPLICATION:
            raise ConfigError(f"{self._path} is a database of something else, and no journal")
        elif found[1] > VERSION:
            raise ConfigError(f"the journal {self._path} was written by a newer version of this")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")

    def _pair_of(self, source: str, target: str) -> int:
        query = "SELECT id FROM pairs WHERE source = ? AND target = ?"
        row = self._database.execute(query, (source, target)).fetchone()
        if row is None:
            insert = "INSERT INTO pairs (source, target) VALUES (?, ?)"
            return int(self._database.execute(insert, (source, target)).lastrowid or 0)
        return int(row[0])

    # -- objects ----------------------------------------------------------------------------

    def page(self, after: str) -> list[Remembered]:
        """The next rows after a key, in order."""
        query = (
            "SELECT key, here, there, digest FROM objects WHERE pair = ? AND key > ? "
            "ORDER BY key LIMIT ?"
        )
        rows = self._database.execute(query, (self._pair, after, PAGE))
        page = list(map(Remembered._make, rows))
        keys = [row.key for row in page]
        if not all(map(lt, [after, *keys], keys)):
            raise sqlite3.DatabaseError("its rows are not in order")
        return page

    def pivots(self, after: str, step: int, count: int) -> list[str]:
        """Some of the keys after one, in order: each the one so many keys further on."""
        query = "SELECT key FROM objects WHERE pair = ? AND key > ? ORDER BY key LIMIT 1 OFFSET ?"
        found: list[str] = []
        while len(found) < count:
            row = self._database.execute(query, (self._pair, after, step - 1)).fetchone()
            if row is None:
                break
            if row[0] <= after:
                raise sqlite3.DatabaseError("its rows are not in order")
            (after,) = row
            found.append(after)
        return found

    def remember(self, rows: Sequence[Remembered]) -> None:
        """Note rows, all or none."""
        statement = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"
        self._write(statement, ((self._pair, *row) for row in rows))

    def forget(self, keys: Sequence[str]) -> None:
        """Drop rows, all or none."""
        statement = "DELETE FROM objects WHERE pair = ? AND key = ?"
        self._write(statement, ((self._pair, key) for key in keys))

    # -- uploads ----------------------------------------------------------------------------

    def upload(self, key: str) -> tuple[str, str] | None:
        """The state of an upload, and the fingerprint of its source."""
        query = "SELECT state, fingerprint FROM uploads WHERE pair = ? AND key = ?"
        found: tuple[str, str] | None
        found = self._database.execute(query, (self._pair, key)).fetchone()
        return found

    def uploads(self) -> list[str]:
        """The keys of all uploads."""
        rows = self._database.execute("SELECT key FROM uploads WHERE pair = ?", (self._pair,))
        return [key for (key,) in rows]

    def keep_upload(self, key: str, state: str, fingerprint: str) -> None:
        """Note an upload."""
        statement = "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)"
        self._database.execute(statement, (self._pair, key, state, fingerprint))

    def drop_upload(self, key: str) -> None:
        """Forget an upload."""
        statement = "DELETE FROM uploads WHERE pair = ? AND key = ?"
        self._database.execute(statement, (self._pair, key))

    def _write(self, statement: str, rows: object) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(statement, rows)  # type: ignore[arg-type]
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    # -- trouble ----------------------------------------------------------------------------

    def attempt(self, function: Callable[..., T], otherwise: T, *args: object) -> T:
        """What one of the methods above returns; after any trouble with the file, ``otherwise``."""
        with self._lock:
            if self._broken:
                return otherwise
            try:
                return function(*args)
            except sqlite3.Error as error:
                self._broken = True
                self._damaged = self._is_damage(error)
                self.warnings.append(f"the journal {self._path} is not used any more: {error}")
                return otherwise

    def close(self) -> None:
        """Let go of the file; one that turned out to be damaged is set aside."""
        with self._lock:
            self._broken = True
            with suppress(sqlite3.Error):
                self._database.close()
            if self._damaged:
                self._damaged = False
                self._set_aside(None)

    def _is_damage(self, error: sqlite3.Error) -> bool:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        return code & 0xFF in DAMAGE

    def _set_aside(self, error: sqlite3.Error | None) -> None:
        if error is not None and not self._path.name.endswith(SUFFIX) and not self._is_ours():
            raise ConfigError(f"{self._path} is no journal; nothing was done to it") from error
        number = 1
        while (aside := Path(f"{self._path}.damaged-{number}")).exists():
            number += 1
        with translate_oserror("rename", self):
            self._path.rename(aside)
            for end in ("-wal", "-shm", "-journal"):  # they belong to it, and to no other
                with suppress(FileNotFoundError):
                    os.rename(f"{self._path}{end}", f"{aside}{end}")
        self.warnings.append(f"the journal {self._path} was damaged; it is {aside.name} now")

    def _is_ours(self) -> bool:
        with self._path.open("rb") as file:
            return file.read(72)[68:] == APPLICATION.to_bytes(4)

    def _typed(self, error: sqlite3.Error) -> Exception:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return StoreUnavailable(f"another sync is using the journal {self._path}")
        return StoreUnavailable(f"the journal {self._path} cannot be opened: {error}")

    def __repr__(self) -> str:
        return f"journal {str(self._path)!r}"
