"""Objects in a SQLite file; the async store is in `storage.aiodb`."""

from ._sync.backends.db.store import SqliteStore

__all__ = ["SqliteStore"]
