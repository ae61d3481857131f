"""Others that keep objects in databases: by hand, diskcache, shelve, sqlitedict."""

from __future__ import annotations

import shelve
import sqlite3

from benchmarks.local.contender import Contender


class Sqlite(Contender):
    """By hand: one table, a commit for each change."""

    needs = "sqlite3"
    durable = (False, True)

    def enter(self) -> None:
        # So many statements stay prepared as there are verbs.
        self.database = sqlite3.connect(self.folder / "objects.db", isolation_level=None)
        self.stack.callback(self.database.close)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(f"PRAGMA synchronous={'FULL' if self.survives else 'NORMAL'}")
        self.database.execute("CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)")

    def put(self, key: str, data: bytes) -> None:
        self.database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?)", (key, data))

    def get(self, key: str) -> bytes:
        found = self.database.execute("SELECT data FROM objects WHERE key = ?", (key,))
        return bytes(found.fetchone()[0])

    def exists(self, key: str) -> bool:
        found = self.database.execute("SELECT 1 FROM objects WHERE key = ?", (key,))
        return found.fetchone() is not None

    def delete(self, key: str) -> None:
        self.database.execute("DELETE FROM objects WHERE key = ?", (key,))

    def list(self) -> int:
        return sum(1 for _ in self.database.execute("SELECT key FROM objects ORDER BY key"))


class _Mapping(Contender):
    """What looks like a dictionary."""

    def open(self) -> object:
        raise NotImplementedError

    def enter(self) -> None:
        from typing import Any

        mapping: Any = self.open()
        self.stack.callback(mapping.close)
        self.put, self.get, self.delete = (
            mapping.__setitem__, mapping.__getitem__, mapping.__delitem__,
        )  # fmt: skip
        self.exists = mapping.__contains__
        self.mapping = mapping

    def list(self) -> int:
        return sum(1 for _ in self.mapping)


class Diskcache(_Mapping):
    needs = "diskcache"

    def open(self) -> object:
        import diskcache  # pyright: ignore[reportMissingImports]

        return diskcache.Cache(str(self.folder), eviction_policy="none", size_limit=2**40)


class Shelve(_Mapping):
    needs = "shelve"

    def open(self) -> object:
        return shelve.open(str(self.folder / "shelf"))


class Sqlitedict(_Mapping):
    needs = "sqlitedict"

    def open(self) -> object:
        import sqlitedict  # pyright: ignore[reportMissingImports]

        path = str(self.folder / "objects.db")
        return sqlitedict.SqliteDict(path, autocommit=True, journal_mode="WAL")
