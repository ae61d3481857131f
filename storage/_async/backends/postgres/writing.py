"""Objects of more than one row: their pieces on the way into the database, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ...._core.errors import SourceChanged, StoreError, StoreUnavailable
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import finish_all
from .database import Database
from .pools import GRACE
from .rows import attributes, condition, info_of, new_etag
from .tables import CHUNK, INLINE

BATCH = INLINE
"""Bytes that one statement carries."""
ABANDONED = 86_400.0
"""Seconds after its last piece when an upload is taken for one of a killed process."""
COPIED = 128
"""Chunks that one statement copies."""

Put = Callable[[str, "bytes | memoryview", WriteOptions], Awaitable[ObjectInfo]]


async def put_row(
    connection: Any,
    database: Database,
    key: str,
    row: tuple[Any, ...],
    options: WriteOptions,
) -> ObjectInfo | None:
    """Write the row of an object, if its condition holds; else give what stands there.

    Args:
        connection: Where.
        database: Knows the statements.
        key: The object's key.
        row: Its etag, its size, and its data or None.
        options: How it is written.

    Raises:
        StoreError: The condition does not hold.
    """
    tables = database.tables
    etag, size, data = row
    values = (key, etag, size, options.modified, *attributes(options), data)
    if options.if_match is not None:
        modified = await connection.fetchval(tables.put_match, *values, condition(options.if_match))
    elif options.if_absent:
        modified = await connection.fetchval(tables.put_absent, *values)
    else:
        modified = await connection.fetchval(tables.put, *values)
    if modified is not None:
        return ObjectInfo(
            key, size, etag, modified, options.content_type, dict(options.metadata or {}) or None
        )
    found = await standing(connection, database, key)
    if found is None and options.if_absent:  # it has just gone
        return await put_row(connection, database, key, row, options)
    return found


async def standing(connection: Any, database: Database, key: str) -> ObjectInfo | None:
    """What stands under a key."""
    row = await connection.fetchrow(database.tables.head, key)
    return None if row is None else info_of(key, row[:5])


class Upload:
    """Pieces on their way into the database, under an etag that no object has yet; see `Sink`.

    No connection is held meanwhile, and no transaction is open.

    Args:
        database: Where the object is to be.
        put: Stores what turns out to be short.
        key: The object's key.
        options: How it is written.
    """

    def __init__(self, database: Database, put: Put, key: str, options: WriteOptions) -> None:
        self.info: ObjectInfo | None = None
        self.etag = new_etag()
        self._database = database
        self._put = put
        self._key = key
        self._options = options
        self._buffer = bytearray()
        self._count = 0
        self._size = 0
        self._begun = False
        self._incomplete: StoreError = StoreUnavailable(
            "the pieces of a stream have gone from the database"
        )

    async def write(self, data: bytes | memoryview, /) -> None:
        """Take the next piece."""
        view = memoryview(data).cast("B")
        while view:
            room = BATCH - len(self._buffer)
            if not room:
                await self._send()
                continue
            self._buffer += view[:room]
            view = view[room:]

    async def begin(self) -> None:
        """Take away what killed processes have left, long ago."""
        if not self._begun:
            self._begun = True
            await self._database.run(_sweeping(self._database, ABANDONED), creates=True)

    async def _send(self) -> None:
        await self.begin()
        buffer, self._buffer = self._buffer, bytearray()
        first, statement = self._count, self._database.tables.add

        async def add(connection: Any) -> None:
            await connection.execute(statement, self.etag, first, memoryview(buffer))

        await self._database.run(add, creates=True)
        self._count += -(-len(buffer) // CHUNK)
        self._size += len(buffer)

    async def take_over(self, source: ObjectInfo) -> AsyncIterator[None]:
        """Take the chunks of another object, within the server, some in each step."""
        await self.begin()
        self._incomplete = SourceChanged("the object was replaced while it was copied")
        assert source.size is not None
        self._size = source.size
        statement = self._database.tables.add_copied
        for at in range(0, -(-source.size // CHUNK), COPIED):

            async def add(connection: Any, at: int = at) -> None:
                await connection.execute(statement, self.etag, source.etag, at, at + COPIED)

            await self._database.run(add)
            yield

    async def publish(self) -> None:
        """Make the object of all pieces."""
        if not self._begun:
            data = memoryview(self._buffer)
            self.info = await self._put(self._key, data, self._options)
            return
        if self._buffer:
            await self._send()
        self.info = await self.appear()

    async def appear(self) -> ObjectInfo:
        """Give the chunks that are there their key, in one transaction."""
        found = await self._database.run(self._appear)
        if found is None or found.etag != self.etag:
            self._options.check(self._key, found)
            raise self._incomplete
        return found

    async def _appear(self, connection: Any) -> ObjectInfo | None:
        tables, row = self._database.tables, (self.etag, self._size, None)
        try:
            async with connection.transaction():
                if await connection.fetchval(tables.end_upload, self.etag) is None:
                    # Swept up; or this is done already, and the answer was lost.
                    return await standing(connection, self._database, self._key)
                if await connection.fetchval(tables.uploaded, self.etag) != self._size:
                    raise self._incomplete
                found = await put_row(connection, self._database, self._key, row, self._options)
                if found is None or found.etag != self.etag:
                    raise _NotMet(found)
                return found
        except _NotMet as error:
            return error.found

    async def drop(self) -> None:
        """Forget what is in the database; where that fails, it is swept up some day."""
        if self._begun:
            await finish_all([asyncio.wait_for(self._drop(), GRACE)])

    async def _drop(self) -> None:
        async def drop(connection: Any) -> None:
            await connection.execute(self._database.tables.drop_upload, self.etag)

        try:
            await self._database.run(drop)
        except StoreError:
            pass


class _NotMet(Exception):
    """Rolls a transaction back whose condition does not hold."""

    def __init__(self, found: ObjectInfo | None) -> None:
        super().__init__()
        self.found = found


def _sweeping(database: Database, seconds: float) -> Callable[[Any], Awaitable[int]]:
    async def sweep(connection: Any) -> int:
        found: int = await connection.fetchval(database.tables.sweep, seconds)
        return found

    return sweep


async def sweep(database: Database, seconds: float) -> int:
    """Remove uploads that nobody has touched for so many seconds; returns how many."""
    return await database.run(_sweeping(database, seconds))
