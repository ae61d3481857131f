"""Stores in the PostgreSQL database of the tests, and connections to look behind them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from storage.postgres import AsyncPostgresStore
from tests.services.process import DatabaseService


def connected(service: DatabaseService, kind: Any = AsyncPostgresStore, **options: Any) -> Any:
    """A store with a table of its own."""
    port = options.pop("port", service.port)
    url = service.url.replace(f":{service.port}/", f":{port}/")
    return kind(url, **{"table": f"t{secrets.token_hex(4)}", "max_connections": 4, **options})


@asynccontextmanager
async def raw(service: DatabaseService) -> AsyncIterator[Any]:
    """A connection of asyncpg."""
    import asyncpg

    connection = await asyncpg.connect(service.url, ssl=False)
    try:
        yield connection
    finally:
        await connection.close()


async def failing(connection: Any, table: str, code: str, times: int) -> None:
    """Let the next inserts into a table fail with an SQLSTATE."""
    await connection.execute(f"""
DROP SEQUENCE IF EXISTS {table}_count CASCADE;
CREATE SEQUENCE {table}_count;
CREATE OR REPLACE FUNCTION {table}_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('{table}_count') <= {times} THEN
        RAISE EXCEPTION 'failing on purpose' USING ERRCODE = '{code}';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER {table}_fails BEFORE INSERT ON {table} FOR EACH ROW
    EXECUTE FUNCTION {table}_fail();""")
