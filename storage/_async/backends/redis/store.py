"""The store: how it is made, shown, pickled and given up, and its verbs on many keys."""

from __future__ import annotations

import warnings
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol, Self

from ...._core.errors import ConfigError, MissingExtra
from ...._core.lifetimes import check_ttl
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .address import Address
from .many import AsyncRedisMany
from .server import PATIENCE, Server
from .servers import MOST, OwnServer, server_of

TIMEOUT = 60.0


class RedisClient(Protocol):
    """A client of redis-py, blocking or for asyncio."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command."""
        ...

    def pipeline(self, transaction: bool = ...) -> Any:
        """Collect commands to be sent together."""
        ...


class AsyncRedisStore(AsyncRedisMany):
    """Objects on a Redis or Valkey server, through a client that you have; else see `connect`.

    An object's bytes are a plain string under its key, which other programs may read and write.
    What is known beyond them is in a second string beside it, whose name ends with a NUL and
    ``about``; short values without attributes have none, and then no time of writing.

    An asyncio client is used as it is on your event loop; elsewhere, connections of our own lead
    to the same server. A blocking client is used in the thread of a blocking caller, or in worker
    threads. Your client is never closed, tries again as it was told to, and has a timeout of its
    own. Values have 512 MiB at most. The server has to know scripts, and ``COPY`` (Redis 6.2); a
    cluster is not supported.

    Args:
        client: A ``redis.asyncio.Redis`` or ``redis.Redis``.
        prefix: What all keys begin with on the server, exactly as given. Nothing else is ever
            listed or touched.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    _server: Server
    _view = False
    """Whether it lives on the connections of another one."""

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "",
        ttl: float | None = None,
        timeout: float | None = TIMEOUT,
    ) -> None:
        super().__init__(timeout=timeout)
        if "\0" in prefix:
            raise ConfigError("a prefix has no NUL")
        self._server = client if isinstance(client, Server) else server_of(client, PATIENCE)
        self._prefix = prefix.encode()
        self._ttl = check_ttl(ttl)
        self._recipe: dict[str, Any] | None = None
        self.inline: bool = self._server.inline

    @classmethod
    def connect(
        cls,
        host: str = "localhost",
        port: int = 6379,
        *,
        db: int = 0,
        username: str | None = None,
        password: str | None = None,
        path: str | None = None,
        tls: bool = False,
        verify: bool | str = True,
        prefix: str = "",
        ttl: float | None = None,
        timeout: float | None = TIMEOUT,
        max_connections: int = MOST,
        patience: float = PATIENCE,
    ) -> Self:
        """A store with connections of its own, made when they are needed on each event loop.

        Calls that come at the same time share a connection, and go out together. Use it in
        ``async with``, or close it with ``aclose()``.

        Args:
            host: The server.
            port: Its port.
            db: The number of a database on it.
            username: For a server that has users.
            password: It is never shown.
            path: A Unix socket, in place of host and port.
            tls: Whether it is reached by TLS.
            verify: Whether the server's certificate is checked, or the path of those that are
                trusted.
            prefix: As for the class; so are the next two.
            ttl: Seconds that an object lives after it was put.
            timeout: Seconds that one operation may take.
            max_connections: For one event loop; blocking callers share one. Who comes then waits,
                within the timeout.
            patience: Seconds for which a server that cannot be reached, or is still loading its
                data, is asked again.

        Raises:
            ConfigError: An argument makes no sense.
            MissingExtra: redis-py is not installed.
        """
        hidden = None if password is None else Secret(password)
        address = Address(host, port, db, username, hidden, path, tls, verify)
        return cls._at(
            address,
            {"max_connections": max_connections, "patience": patience},
            {"prefix": prefix, "ttl": ttl, "timeout": timeout},
        )

    @classmethod
    def _at(cls, address: Address, ours: dict[str, Any], options: dict[str, Any]) -> Self:
        if find_spec("redis") is None:
            raise MissingExtra.named("redis", "redis")
        options_of = partial(_options_for, address)
        server: Any = OwnServer(str(address), options_of, ours["max_connections"], ours["patience"])
        store = cls(server, **options)
        store._recipe = {"address": address, "ours": ours, "options": options}
        return store

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``redis://[[user:]password@]host[:port][/db]``; ``rediss://`` means TLS.

        Options: ``prefix``, ``ttl``, ``timeout``, ``max_connections``, ``patience``, ``path`` (of
        a Unix socket) and ``verify``.
        """
        ours = {
            "max_connections": url.option("max_connections", int, MOST),
            "patience": url.option("patience", float, PATIENCE),
        }
        options = {
            "prefix": url.option("prefix", str, ""),
            "ttl": url.option("ttl", float),
            "timeout": url.option("timeout", float, TIMEOUT),
        }
        return cls._at(Address.of_url(url), ours, options)

    def with_ttl(self, ttl: float | None) -> AsyncRedisStore:
        """The same store, where what is put lives for another time.

        ``await store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        ttl = check_ttl(ttl)
        view = type(self).__new__(type(self))
        vars(view).update(vars(self))
        view._ttl, view._view = ttl, True
        if view._recipe is not None:
            view._recipe = {**view._recipe, "options": {**view._recipe["options"], "ttl": ttl}}
        return view

    # -- life -------------------------------------------------------------------------------

    async def _teardown(self) -> None:
        if not self._view:
            await self._server.aclose()

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return ((f"redis {self._server.name}", self._prefix.decode()),)

    def __repr__(self) -> str:
        prefix = f", prefix={self._prefix.decode()!r}" if self._prefix else ""
        return f"{type(self).__name__}({self._server.name!r}{prefix})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._recipe is None:
            raise TypeError("a store with a client of yours is not picklable: use connect()")
        if self._recipe["address"].password is not None:
            raise TypeError("a store that was told a password is not picklable")
        return _again, (type(self), self._recipe)

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        server: Server | None = self.__dict__.get("_server")
        if server is not None and not (self._closed or self._view) and server.held:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


def _again(kind: type[AsyncRedisStore], recipe: dict[str, Any]) -> AsyncRedisStore:
    return kind._at(**recipe)


def _options_for(address: Address) -> dict[str, Any]:
    from .connections import options_for  # takes a while, and is done in a worker thread

    return options_for(address)
