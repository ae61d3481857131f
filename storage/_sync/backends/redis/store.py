# Generated from storage/_async/backends/redis/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown, pickled and given up, and its verbs on many keys."""

from __future__ import annotations

from typing import ClassVar, Self

from ...._async.backends.redis.server import PATIENCE
from ...._async.backends.redis.servers import MOST
from ...._async.backends.redis.store import TIMEOUT, AsyncRedisStore, RedisClient
from ...._core.urls import StoreURL
from .many import RedisMany


class RedisStore(RedisMany):
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

    _async: AsyncRedisStore
    _async_type: ClassVar[type[AsyncRedisStore]] = AsyncRedisStore

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "",
        ttl: float | None = None,
        timeout: float | None = TIMEOUT,
    ) -> None:
        self._hold(self._async_type(client, prefix=prefix, ttl=ttl, timeout=timeout))

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
        ``with``, or close it with ``close()``.

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
        return cls.around(
            cls._async_type.connect(
                host,
                port,
                db=db,
                username=username,
                password=password,
                path=path,
                tls=tls,
                verify=verify,
                prefix=prefix,
                ttl=ttl,
                timeout=timeout,
                max_connections=max_connections,
                patience=patience,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``redis://[[user:]password@]host[:port][/db]``; ``rediss://`` means TLS.

        Options: ``prefix``, ``ttl``, ``timeout``, ``max_connections``, ``patience``, ``path`` (of
        a Unix socket) and ``verify``.
        """
        return cls.around(cls._async_type.from_url(url))

    def with_ttl(self, ttl: float | None) -> RedisStore:
        """The same store, where what is put lives for another time.

        ``store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        return RedisStore.around(self._async.with_ttl(ttl))
