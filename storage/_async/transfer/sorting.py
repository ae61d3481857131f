"""A listing of any length put in order, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from ..._core import calls
from ..._core.closing import closing
from ..._core.info import ObjectInfo
from ..._core.moments import microseconds, moment
from ..._core.window import surely
from .steps import PAGE

if TYPE_CHECKING:
    import sqlite3

IN_MEMORY = 10_000
"""Entries that are sorted without a file."""


async def sorted_pages(
    pages: AsyncIterator[list[ObjectInfo]],
) -> AsyncGenerator[list[ObjectInfo], None]:
    """The same entries in the order of their keys, with content types and metadata left out.

    What does not fit in memory is sorted by a private database that leaves no file. A key that
    comes twice comes twice.
    """
    held: list[ObjectInfo] = []
    async with closing(pages) as source:
        async for page in source:
            held += page
            if len(held) > IN_MEMORY:
                break
        else:
            held.sort(key=_key)
            for start in range(0, len(held), PAGE):
                yield held[start : start + PAGE]
            return
        database = await calls.acquire(_close, _new_database)
        try:
            await calls.call(_add, database, held)
            async for page in source:
                await calls.call(_add, database, page)
            held.clear()
            rows = await calls.call(database.execute, "SELECT * FROM listing ORDER BY key")
            while page := await calls.call(_next_page, rows):
                yield page
        finally:
            await surely(database.close)


def _key(info: ObjectInfo) -> str:
    return info.key


def _new_database() -> sqlite3.Connection:
    import sqlite3  # most listings are short

    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA cache_size = -8192")
    database.execute("CREATE TABLE listing (key BLOB, size, etag, modified, checksum)")
    return database


def _close(database: sqlite3.Connection) -> None:
    database.close()


def _add(database: sqlite3.Connection, page: list[ObjectInfo]) -> None:
    database.execute("BEGIN")
    database.executemany("INSERT INTO listing VALUES (?, ?, ?, ?, ?)", map(_packed, page))
    database.execute("COMMIT")


def _packed(info: ObjectInfo) -> tuple[Any, ...]:
    # As bytes, since a store may list what is no text, and the copy is to say so.
    modified = None if info.modified is None else microseconds(info.modified)
    return info.key.encode("utf-8", "surrogatepass"), info.size, info.etag, modified, info.checksum


def _next_page(rows: sqlite3.Cursor) -> list[ObjectInfo]:
    return [
        ObjectInfo(
            key.decode("utf-8", "surrogatepass"),
            size,
            etag,
            None if modified is None else moment(modified),
            checksum=checksum,
        )
        for key, size, etag, modified, checksum in rows.fetchmany(PAGE)
    ]
