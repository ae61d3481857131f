"""The store in a SQLite database, for asyncio."""

from ._async.backends.db.check import CheckReport
from ._async.backends.db.store import AsyncSqliteStore

__all__ = ["AsyncSqliteStore", "CheckReport"]
