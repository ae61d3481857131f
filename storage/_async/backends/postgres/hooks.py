"""The hooks of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ...._core.closing import closing
from ...._core.errors import (
    CorruptStore,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreNotFound,
)
from ...._core.info import (
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
    check_delete,
)
from ...base import AsyncBaseStore
from ...pieces import Body, Sink
from .database import Database
from .errors import UNIQUE, code_of
from .listing import Span
from .rows import condition, info_of, new_etag
from .tables import CHUNK, FOREVER, INLINE, PAGE, Tables
from .writing import Upload, put_row, standing

STEP = 4
"""Chunks that are read at once, at most."""


class AsyncPostgresHooks(AsyncBaseStore):
    """What `AsyncPostgresStore` does; it says how it is made."""

    capabilities = ~Capability.NONE

    _database: Database

    @property
    def _tables(self) -> Tables:
        return self._database.tables

    async def _row(self, statement: str, *values: Any) -> Any:
        """The first row that a statement gives which changes nothing."""
        return await self._database.run(lambda it: it.fetchrow(statement, *values))

    async def _rows(self, statement: str, *values: Any) -> Sequence[Any]:
        return await self._database.run(lambda it: it.fetch(statement, *values))

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._read_part(key, options, FOREVER)

    async def _read_part(
        self, key: str, options: ReadOptions, limit: int
    ) -> tuple[bytes, ObjectInfo]:
        """Read no more than ``limit`` bytes of what is asked for; all of it is one state."""
        start, end = _bounds(options)
        none = options.if_none_match
        rows = await self._rows(
            self._tables.read,
            key,
            start,
            FOREVER if end is None else end,
            limit,
            None if none is None else condition(none),
        )
        if not rows:
            raise ObjectNotFound("there is no object under this key")
        info = info_of(key, rows[0][:5])
        options.check(info)
        assert info.size is not None
        part = options.byte_range
        low, high = (0, info.size) if part is None else part.resolve(info.size)
        size = min(high - low, limit)
        if len(rows) == 1 and len(rows[0][5] or b"") == size:
            return rows[0][5] or b"", info
        return _cut([row[5] or b"" for row in rows], low, size), info

    async def _head(self, key: str) -> ObjectInfo:
        row = await self._row(self._tables.head, key)
        if row is None:
            raise ObjectNotFound("there is no object under this key")
        return info_of(key, row[:5])

    async def _exists(self, key: str) -> bool:
        return await self._row(self._tables.exists, key) is not None

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        start, _ = _bounds(options)
        # Up to where a chunk ends, if the place of the first is known.
        limit = INLINE if start < 0 else INLINE - start % CHUNK
        first, info = await self._read_part(key, options, limit)
        assert info.size is not None
        part = options.byte_range
        low, high = (0, info.size) if part is None else part.resolve(info.size)

        async def chunks() -> AsyncIterator[bytes]:
            at = low + len(first)
            if first:
                yield first
            while at < high:
                for piece in await self._go_on(info, at, high):
                    yield piece
                    at += len(piece)

        yield Body(info, chunks())

    async def _go_on(self, info: ObjectInfo, at: int, end: int) -> list[bytes]:
        """The next bytes of the very same version."""
        number = at // CHUNK
        last = min(number + STEP, -(-end // CHUNK))
        rows = await self._rows(self._tables.go_on, info.etag, number, last)
        if len(rows) < last - number:
            raise PreconditionFailed("the object was replaced or deleted while it was read")
        pieces = [row[0] for row in rows]
        # A piece may be longer than what is left, and the first one may have begun before.
        pieces[-1] = pieces[-1][: end - (last - 1) * CHUNK]
        pieces[0] = pieces[0][at - number * CHUNK :]
        if not all(pieces):
            raise CorruptStore("a part of the object's bytes is missing")
        return pieces

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if len(data) > INLINE:
            async with self._create(key, options) as sink:
                await sink.write(data)
            assert sink.info is not None
            return sink.info
        database, row = self._database, (new_etag(), len(data), data)
        try:
            found = await database.run(
                lambda it: put_row(it, database, key, row, options),
                creates=options.if_match is None,
            )
        except StoreNotFound:
            options.check(key, None)
            raise
        if found is None or found.etag != row[0]:
            options.check(key, found)
            raise PreconditionFailed("the object changed meanwhile", key=key)
        return found

    async def _standing(self, key: str) -> ObjectInfo | None:
        return await self._database.run(lambda it: standing(it, self._database, key))

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = Upload(self._database, self._put, key, options)
        try:
            yield sink
            await sink.publish()
        except BaseException:
            await sink.drop()
            raise

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        again = missing_ok and if_match is None
        gone = await self._database.run(lambda it: self._deleted(it, key, if_match), again=again)
        if gone or again:
            return
        if if_match is None:
            raise ObjectNotFound("there is no object under this key")
        check_delete(key, await self._standing(key), if_match)
        raise PreconditionFailed("the object changed meanwhile", key=key)

    async def _deleted(self, connection: Any, key: str, if_match: str | None) -> bool:
        if if_match is None:
            return await connection.fetchval(self._tables.delete, key) is not None
        statement = self._tables.delete_match
        return await connection.fetchval(statement, key, condition(if_match)) is not None

    # -- copying ----------------------------------------------------------------------------

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        done = await self._run("copy", source, self._copied(source, target, if_absent))
        if done.key == target:
            return done
        return await self._copy_chunks(done, target, if_absent)

    async def _copied(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Copy what is one row and tell what the copy is; else tell what the source is."""
        info = await self._head(source)
        if (source == target and not if_absent) or (info.size or 0) > INLINE:
            return info
        statement = self._tables.copy_absent if if_absent else self._tables.copy
        etag = new_etag()
        row = await self._row(statement, source, target, etag)
        if row is not None:
            return info_of(target, row)
        if if_absent:
            found = await self._standing(target)
            if found is not None and found.etag == etag:
                return found  # whose answer was lost
            if found is not None:
                raise ObjectExists("there is an object under this key", key=target)
        # It has gone, or grown, since we looked.
        return await self._copied(source, target, if_absent)

    async def _copy_chunks(self, info: ObjectInfo, target: str, if_absent: bool) -> ObjectInfo:
        options = WriteOptions(if_absent, None, info.content_type, info.metadata)
        upload = Upload(self._database, self._put, target, options)
        try:
            async with closing(self._steps("copy", upload.take_over(info))) as steps:
                async for _ in steps:
                    pass
            return await self._run("copy", info.key, upload.appear())
        except BaseException:
            await upload.drop()
            raise

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if source == target:
            return await self._copy(source, target, if_absent)
        work = self._database.run(
            lambda it: self._renamed(it, source, target, if_absent), again=False
        )
        row = await self._run("move", source, work)
        if row is None:
            raise ObjectNotFound("there is no object under this key", key=source)
        return info_of(target, row)

    async def _renamed(self, connection: Any, source: str, target: str, if_absent: bool) -> Any:
        try:
            async with connection.transaction():
                if not if_absent:
                    if await connection.fetchval(self._tables.head, source) is None:
                        return None
                    await connection.execute(self._tables.delete, target)
                return await connection.fetchrow(self._tables.rename, source, target)
        except Exception as error:
            if code_of(error) != UNIQUE:
                raise
            if if_absent:
                raise ObjectExists("there is an object under this key", key=target) from error
        # Somebody put it between our two statements.
        return await self._renamed(connection, source, target, if_absent)

    # -- listing ----------------------------------------------------------------------------

    async def _page(self, span: Span, fields: bool) -> tuple[Sequence[Any], Span | None]:
        tables = self._tables
        if span.end is None:
            statement = tables.list if fields else tables.keys
        else:
            statement = tables.list_below if fields else tables.keys_below
        rows = await self._rows(statement, *span.arguments)
        return rows, span.beyond(rows[-1][0]) if len(rows) == PAGE else None

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        span = Span.of(prefix, start_after)
        while span is not None:
            rows, span = await self._page(span, fields=False)
            for row in rows:
                yield row[0]

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        span = Span.of(prefix, start_after)
        while span is not None:
            rows, span = await self._page(span, fields=True)
            for row in rows:
                yield info_of(row[0], row[1:])

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        prefixes: dict[str, None] = {}
        infos: list[ObjectInfo] = []
        span = Span.of(prefix, "")
        while span is not None:
            rows, span = await self._page(span, fields=True)
            below = ""
            for row in rows:
                cut = row[0].find(delimiter, len(prefix))
                below = row[0][: cut + len(delimiter)] if cut >= 0 else ""
                if below:
                    prefixes[below] = None
                else:
                    infos.append(info_of(row[0], row[1:]))
            if below and span is not None:
                span = span.past(below)  # not through all that is under it
        return ListResult(tuple(prefixes), tuple(infos))


def _bounds(options: ReadOptions) -> tuple[int, int | None]:
    part = options.byte_range
    return (0, None) if part is None else (part.start, part.end)


def _cut(chunks: list[bytes], low: int, size: int) -> bytes:
    """So many bytes from a place on, out of the chunks around them."""
    skipped = low % CHUNK if chunks else 0
    data = b"".join(chunks)[skipped : skipped + size]
    if len(data) != size:
        raise CorruptStore("a part of the object's bytes is missing")
    return data
