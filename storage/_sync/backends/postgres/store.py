# Generated from storage/_async/backends/postgres/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown, pickled and given up."""

from __future__ import annotations

from typing import ClassVar, Self

from ...._async.backends.postgres.database import PATIENCE
from ...._async.backends.postgres.pools import MOST
from ...._async.backends.postgres.store import (
    TABLE,
    TIMEOUT,
    AsyncPostgresStore,
    PostgresConnect,
    PostgresPool,
)
from ...._async.backends.postgres.writing import ABANDONED
from ...._core.urls import StoreURL
from .many import PostgresMany


class PostgresStore(PostgresMany):
    """Objects in a PostgreSQL database, from version 14 on; it needs asyncpg.

    The first write makes the tables: that of the objects, by one row for each of up to a MiB, one
    for the chunks of larger ones, which go in and out piece by piece, and one for those that are on
    their way in. No connection is held while a stream waits for whoever reads or writes it; an
    object that is replaced or deleted while somebody streams it ends that stream with
    `PreconditionFailed`.

    Args:
        database: The URL of the database, ``postgresql://user:password@host:port/name``, whose
            options are those of `from_url`; or a pool of asyncpg, which is used on one event loop
            and never closed; or a function to be awaited that makes a connection of asyncpg.
        table: The name of the table: letters, digits and underscores. Those of the others begin
            with it.
        schema: The schema that the tables are in. None: the one that the connection looks in first.
        create: Whether the first write makes the tables. Else they have to be there.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
        max_connections: For one event loop; who comes then waits. It means nothing for a pool.
        patience: Seconds for which a server that cannot be reached is asked again.
    """

    _async: AsyncPostgresStore
    _async_type: ClassVar[type[AsyncPostgresStore]] = AsyncPostgresStore

    def __init__(
        self,
        database: str | PostgresPool | PostgresConnect,
        *,
        table: str = TABLE,
        schema: str | None = None,
        create: bool = True,
        timeout: float | None = TIMEOUT,
        max_connections: int = MOST,
        patience: float = PATIENCE,
    ) -> None:
        self._hold(
            self._async_type(
                database,
                table=table,
                schema=schema,
                create=create,
                timeout=timeout,
                max_connections=max_connections,
                patience=patience,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``postgresql://[user[:password]@]host[:port]/database?table=objects``.

        Options: ``table``, ``schema``, ``create``, ``timeout``, ``max_connections``, ``patience``,
        ``host`` (the directory of a Unix socket), ``sslmode`` (``disable``, ``prefer``,
        ``require``, ``verify-ca`` or ``verify-full``) and ``sslrootcert``.
        """
        return cls.around(cls._async_type.from_url(url))

    def sweep(self, older_than: float = ABANDONED) -> int:
        """Remove what killed processes have left of streams that were never published.

        The first stream of a MiB or more does the same for what is a day old.

        Args:
            older_than: Seconds since the last piece of a stream arrived.

        Returns:
            How many streams those were.
        """
        return self._run(self._async.sweep(older_than))
