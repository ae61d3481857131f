"""Connections by redis-py, and what is sent over them."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Sequence
from typing import Any

from ...._core.errors import MissingExtra
from .address import Address
from .errors import Lost, translated
from .scripts import Command, Reply

try:
    import redis.asyncio as redis
    from redis.asyncio.connection import (
        AbstractConnection,
        SSLConnection,
        UnixDomainSocketConnection,
    )
    from redis.exceptions import AuthenticationError, BusyLoadingError, ResponseError
except ImportError as error:
    raise MissingExtra.named("redis", "redis") from error

_KNOWN = inspect.signature(AbstractConnection.__init__).parameters
_SILENT: dict[str, Any] = dict.fromkeys(
    ("driver_info",) if "driver_info" in _KNOWN else ("lib_name", "lib_version")
)
"""Else redis-py reads its own version from a file, on the loop, to tell it to the server."""
_BROKEN = (redis.ConnectionError, redis.TimeoutError, OSError)


class _Secured(SSLConnection):
    """A connection with a context that was made before, and not anew for each."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context


def options_for(address: Address) -> dict[str, Any]:
    """What a pool of connections to an address is made with; blocking."""
    found: dict[str, Any] = {"db": address.db, "username": address.username}
    if address.password is not None:
        found["password"] = address.password.reveal()
    if address.path is not None:
        return {**found, "connection_class": UnixDomainSocketConnection, "path": address.path}
    found.update(host=address.host, port=address.port)
    if address.tls:
        found.update(connection_class=_Secured, context=address.context())
    return found


def pool_of(options: dict[str, Any], most: int) -> Any:
    """A pool of connections for the running loop."""
    # Deadlines and further tries are the store's. The newer protocol has nothing that is needed.
    plain: Any = {"timeout": None, "socket_timeout": None, "socket_connect_timeout": None}
    made = {**plain, "protocol": 2, **_SILENT, **options}
    return redis.BlockingConnectionPool(max_connections=most, **made)


async def exchanged(pool: Any, commands: Sequence[Command]) -> list[Reply]:
    """Send commands over a connection of a pool; a broken one is not used again."""
    try:
        connection = await pool.get_connection()
    except Exception as error:
        raise _meant(error, sent=False) from error
    try:
        await connection.send_packed_command(connection.pack_commands(commands))
        return [await _reply(connection) for _ in commands]
    except Exception as error:
        raise _meant(error, sent=not isinstance(error, BusyLoadingError)) from error
    finally:
        await pool.release(connection)


async def _reply(connection: Any) -> Reply:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


def _meant(error: Exception, *, sent: bool) -> Exception:
    """What an error is for `Server.ask`."""
    broken = isinstance(error, _BROKEN) and not isinstance(error, AuthenticationError)
    return Lost(error, sent=sent) if broken else translated(error)
