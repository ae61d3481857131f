"""Objects in a PostgreSQL database, through asyncpg."""

from __future__ import annotations

from ._async.backends.postgres.store import AsyncPostgresStore, PostgresConnect, PostgresPool
from ._sync.backends.postgres.store import PostgresStore

__all__ = ["AsyncPostgresStore", "PostgresConnect", "PostgresPool", "PostgresStore"]
