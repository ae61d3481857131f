"""Where connections come from: pools of our own, one for each event loop, or a user's pool."""

from __future__ import annotations

import asyncio
import ssl
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any, TypeAlias

from ...._core import calls
from ...._core.errors import ConfigError, MissingExtra
from ...._core.perloop import PerLoop
from .address import Address

Factory: TypeAlias = Callable[[], Awaitable[Any]]

MOST = 10
"""Connections for one event loop."""
GRACE = 0.5
"""Seconds that closing waits for what is in flight, and a cancelled call for the server."""
CONNECTING = 10.0
"""Seconds in which a connection has to be there."""


class Source(ABC):
    """Gives pools."""

    name: str
    """What it is shown as."""
    place: str
    """What two stores have in common that use the same database, as far as that is known."""

    @abstractmethod
    async def pool(self) -> Any:
        """The running loop's pool."""

    @property
    def held(self) -> bool:
        """Whether there are connections to be closed."""
        return False

    async def aclose(self) -> None:
        """Close what was opened here."""


class OwnPools(Source):
    """Pools of our own, made when they are needed.

    Args:
        address: The database; None where there is a factory.
        factory: Makes a connection, in place of asyncpg.
        most: How many connections there may be on one event loop.
    """

    def __init__(self, address: Address | None, factory: Factory | None, most: int = MOST) -> None:
        if most < 1:
            raise ConfigError(f"max_connections is at least 1, not {most!r}")
        self.name = "a factory" if address is None else str(address)
        self.place = f"factory {id(factory):x}" if address is None else str(address)
        self._pools: PerLoop[Any] = PerLoop(partial(_opened, address, factory, most))

    async def pool(self) -> Any:
        """See `Source`."""
        return self._pools.peek() or await self._pools.get()

    @property
    def held(self) -> bool:
        """See `Source`."""
        return self._pools.held

    async def aclose(self) -> None:
        """Close all connections, those of other event loops, too."""
        await self._pools.aclose()


class BorrowedPool(Source):
    """A user's pool, used on the event loop that uses it first, and never closed here.

    Args:
        pool: Of asyncpg, or whatever has its ``acquire`` and ``release``.
    """

    def __init__(self, pool: Any) -> None:
        self.name = "a pool"
        self.place = f"pool {id(pool):x}"
        self._pool = pool
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None

    async def pool(self) -> Any:
        """See `Source`."""
        loop = asyncio.get_running_loop()
        if self._home is None or self._home() is None:
            self._home = weakref.ref(loop)
        if self._home() is not loop:
            raise ConfigError("this pool belongs to another event loop: pass a URL")
        return self._pool


@asynccontextmanager
async def _opened(
    address: Address | None, factory: Factory | None, most: int
) -> AsyncIterator[Any]:
    asyncpg = library()
    if address is None:
        assert factory is not None
        connect, kind = _Calling(factory), asyncpg.Connection
    else:
        connect, kind = _Calling(await _Dialer.made(address)), _plain_connection()
    pool = asyncpg.create_pool(
        min_size=0, max_size=most, connect=connect, connection_class=kind, init=_check
    )
    await pool
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), GRACE)
        except TimeoutError:
            pass  # which has ended them


class _Calling:
    """A function of no arguments, for a pool that passes some."""

    def __init__(self, function: Factory) -> None:
        self._function = function

    async def __call__(self, *_: Any, **__: Any) -> Any:
        return await self._function()


class _Dialer:
    """Makes connections to one address."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self._address = address
        self._context = context

    @classmethod
    async def made(cls, address: Address) -> _Dialer:
        return cls(address, await calls.call(address.context))

    async def __call__(self) -> Any:
        context = self._context
        try:
            return await self._dial(context)
        except ConnectionError as error:
            if self._address.sslmode != "prefer" or "rejected SSL" not in str(error):
                raise
        self._context = None
        return await self._dial(None)

    async def _dial(self, context: ssl.SSLContext | None) -> Any:
        return await library().connect(
            **self._address.arguments(),
            ssl=context or False,
            timeout=CONNECTING,
            connection_class=_plain_connection(),
        )


async def _check(connection: Any) -> None:
    encoding = connection.get_settings().server_encoding
    if encoding != "UTF8":
        raise ConfigError(f"the database's encoding is {encoding}: keys need UTF8")


@cache
def _plain_connection() -> Any:
    class PlainConnection(library().Connection):  # type: ignore[misc]
        """What is done here leaves nothing in a session that would have to be reset."""

        def get_reset_query(self) -> str:
            return ""

    return PlainConnection


def library() -> Any:
    """The module asyncpg.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import asyncpg
    except ImportError as error:
        raise MissingExtra.named("asyncpg", "postgres") from error
    return asyncpg
