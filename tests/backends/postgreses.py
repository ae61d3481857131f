"""Stores in the PostgreSQL database of the tests, and connections to look behind them."""

from __future__ import annotations

import asyncio
import secrets
import ssl
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


class Front:
    """Stands before a server, and speaks TLS with those who ask for it."""

    def __init__(self, service: DatabaseService, context: ssl.SSLContext) -> None:
        self.port = 0
        self.encrypted = 0
        self._place = service.host, service.port
        self._context = context

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the first packet for a wish for TLS, or else pass it on."""
        first = await reader.read(8)
        if first == b"\0\0\0\x08\x04\xd2\x16\x2f":
            first = b""
            writer.write(b"S")
            try:
                await writer.start_tls(self._context)
            except (OSError, ssl.SSLError):  # the certificate is not believed
                writer.transport.abort()
                return
            self.encrypted += 1
        source, upstream = await asyncio.open_connection(*self._place)
        upstream.write(first)
        await asyncio.gather(self._pass(reader, upstream), self._pass(source, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()


@asynccontextmanager
async def encrypting(service: DatabaseService, context: ssl.SSLContext) -> AsyncIterator[Front]:
    """A server in front of the server, since that of the wheel has no TLS."""
    front = Front(service, context)
    server = await asyncio.start_server(front.connected, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    yield front
    server.close()
    await asyncio.sleep(0)
