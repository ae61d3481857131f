"""The store: how it is made, shown, pickled and given up."""

from __future__ import annotations

import warnings
from typing import Any, Protocol, Self

from ...._core.errors import ConfigError
from ...._core.urls import StoreURL
from .address import Address
from .database import PATIENCE, Database
from .many import AsyncPostgresMany
from .pools import MOST, BorrowedPool, OwnPools, Source
from .tables import Tables
from .writing import ABANDONED, sweep

TIMEOUT = 60.0
TABLE = "objects"


class PostgresPool(Protocol):
    """A pool of asyncpg."""

    def acquire(self) -> Any:
        """A connection, to be awaited."""
        ...

    def release(self, connection: Any, *, timeout: float | None = ...) -> Any:
        """Take a connection back."""
        ...


class PostgresConnect(Protocol):
    """A function that makes connections."""

    def __call__(self) -> Any:
        """A new connection of asyncpg, to be awaited."""
        ...


class AsyncPostgresStore(AsyncPostgresMany):
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
        super().__init__(timeout=timeout)
        options = {
            "table": table,
            "schema": schema,
            "create": create,
            "timeout": timeout,
            "max_connections": max_connections,
            "patience": patience,
        }
        self._address: Address | None = None
        if isinstance(database, str):
            url = StoreURL.parse(database)
            self._address = Address.of_url(url)
            url.finish()
        elif isinstance(database, Address):
            self._address = database
        self._recipe = options
        tables = Tables(table, schema)
        source = _source(database, self._address, max_connections)
        self._database = Database(source, tables, create, patience)
        self._where = table if schema is None else f"{schema}.{table}"

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``postgresql://[user[:password]@]host[:port]/database?table=objects``.

        Options: ``table``, ``schema``, ``create``, ``timeout``, ``max_connections``, ``patience``,
        ``host`` (the directory of a Unix socket), ``sslmode`` (``disable``, ``prefer``,
        ``require``, ``verify-ca`` or ``verify-full``) and ``sslrootcert``.
        """
        address: Any = Address.of_url(url)
        return cls(
            address,
            table=url.option("table", str, TABLE),
            schema=url.option("schema", str),
            create=url.option("create", bool, True),
            timeout=url.option("timeout", float, TIMEOUT),
            max_connections=url.option("max_connections", int, MOST),
            patience=url.option("patience", float, PATIENCE),
        )

    async def sweep(self, older_than: float = ABANDONED) -> int:
        """Remove what killed processes have left of streams that were never published.

        The first stream of a MiB or more does the same for what is a day old.

        Args:
            older_than: Seconds since the last piece of a stream arrived.

        Returns:
            How many streams those were.
        """
        self._check_open("sweep")
        return await self._run("sweep", None, sweep(self._database, older_than))

    # -- life -------------------------------------------------------------------------------

    async def _teardown(self) -> None:
        self._database.closed = True
        await self._database.source.aclose()

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return ((f"postgresql {self._database.source.place}", self._where + "/"),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.source.name!r}, table={self._where!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._address is None:
            raise TypeError("a store with a pool or a factory of yours is not picklable")
        if self._address.password is not None:
            raise TypeError("a store that was told a password is not picklable")
        return _again, (type(self), self._address, self._recipe)

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        database: Database | None = self.__dict__.get("_database")
        if database is not None and not self._closed and database.source.held:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


def _source(database: Any, address: Address | None, most: int) -> Source:
    if address is not None:
        return OwnPools(address, None, most)
    if hasattr(database, "acquire") and hasattr(database, "release"):
        return BorrowedPool(database)
    if not callable(database):
        raise ConfigError("a database is a URL, a pool of asyncpg or a function that connects")
    factory: Any = database
    return OwnPools(None, factory, most)


def _again(
    kind: type[AsyncPostgresStore], address: Any, options: dict[str, Any]
) -> AsyncPostgresStore:
    return kind(address, **options)
