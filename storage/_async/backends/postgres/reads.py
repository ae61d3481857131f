"""The hooks that read and list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ...._core.errors import CorruptStore, ObjectNotFound, PreconditionFailed
from ...._core.info import Capability, ListResult, ObjectInfo, ReadOptions
from ...base import AsyncBaseStore
from ...pieces import Body
from .database import Database
from .listing import Span
from .rows import condition, info_of
from .tables import CHUNK, FOREVER, INLINE, PAGE, Tables

STEP = 4
"""Chunks that are read at once, at most."""


class AsyncPostgresReads(AsyncBaseStore):
    """What `AsyncPostgresStore` does to read; it says how it is made."""

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
