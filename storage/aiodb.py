"""Objects in a SQLite file, for asyncio; the blocking store is in `storage.db`."""

from ._async.backends.db.store import AsyncSqliteStore

__all__ = ["AsyncSqliteStore"]
