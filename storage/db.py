"""The blocking store in a SQLite database."""

from ._sync.backends.db.store import SqliteStore

__all__ = ["SqliteStore"]
