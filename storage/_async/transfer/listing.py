"""Listings side by side: in key order, whatever order the stores give."""

from __future__ import annotations

import heapq
import pickle
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack

from ..._core import calls
from ..._core.closing import closing
from ..._core.errors import MalformedResponse, StoreNotFound
from ..._core.info import Capability, ObjectInfo
from ..base import AsyncBaseStore

PAGE = 1000


async def in_key_order(
    source: AsyncIterator[ObjectInfo], name: str
) -> AsyncGenerator[ObjectInfo, None]:
    """Hand a listing on, and make sure that its keys rise.

    Raises:
        MalformedResponse: A key does not come after the one before it.
    """
    last = ""
    async with closing(source) as listing:
        async for info in listing:
            if info.key <= last:
                raise MalformedResponse(
                    f"the listing of {name} is not in order: {info.key!r} after {last!r}"
                )
            last = info.key
            yield info


async def ordered_listing(
    store: AsyncBaseStore, prefix: str = "", *, missing_ok: bool = False
) -> AsyncIterator[ObjectInfo]:
    """A store's listing in key order; sorted on disk where the store gives another order.

    Args:
        store: The store.
        prefix: What the keys begin with.
        missing_ok: A store that does not exist yet lists nothing, instead of an error.
    """
    if Capability.ORDERED in store.capabilities:
        source = in_key_order(store.list(prefix), repr(store))
    else:
        source = sorted_on_disk(store.list(prefix))
    async with closing(source) as infos:
        try:
            async for info in infos:
                yield info
        except StoreNotFound:
            if not missing_ok:
                raise


async def sorted_on_disk(
    source: AsyncIterator[ObjectInfo],
) -> AsyncGenerator[ObjectInfo, None]:
    """Sort a listing of any length in bounded memory, by a private database that leaves no file."""
    database = await calls.acquire(sqlite3.Connection.close, _new_index)
    try:
        page: list[ObjectInfo] = []
        async with closing(source) as listing:
            async for info in listing:
                page.append(info)
                if len(page) == PAGE:
                    await calls.call(_add, database, page)
                    page = []
        await calls.call(_add, database, page)
        after = ""
        while page := await calls.call(_page, database, after):
            for info in page:
                yield info
            after = page[-1].key
    finally:
        await calls.call(database.close)


def _new_index() -> sqlite3.Connection:
    database = sqlite3.connect("", check_same_thread=False)
    database.execute("CREATE TABLE listing (key TEXT PRIMARY KEY, info BLOB) WITHOUT ROWID")
    return database


def _add(database: sqlite3.Connection, page: list[ObjectInfo]) -> None:
    rows = ((info.key, pickle.dumps(info)) for info in page)
    database.executemany("INSERT OR REPLACE INTO listing VALUES (?, ?)", rows)


def _page(database: sqlite3.Connection, after: str) -> list[ObjectInfo]:
    query = "SELECT info FROM listing WHERE key > ? ORDER BY key LIMIT ?"
    rows = database.execute(query, (after, PAGE))
    return [pickle.loads(row[0]) for row in rows]  # noqa: S301 - written by this process


async def merge(
    sources: Sequence[AsyncIterator[ObjectInfo]],
) -> AsyncGenerator[tuple[ObjectInfo | None, ...], None]:
    """Walk ordered listings side by side.

    Yields:
        For each key that is in any of them, in order: what each listing says of it, or None.
    """
    async with AsyncExitStack() as stack:
        for source in sources:
            await stack.enter_async_context(closing(source))
        heads: list[tuple[str, int]] = []
        current: list[ObjectInfo | None] = [None] * len(sources)

        async def advance(index: int) -> None:
            current[index] = info = await anext(sources[index], None)
            if info is not None:
                heapq.heappush(heads, (info.key, index))

        for index in range(len(sources)):
            await advance(index)
        while heads:
            key = heads[0][0]
            row: list[ObjectInfo | None] = [None] * len(sources)
            while heads and heads[0][0] == key:
                index = heapq.heappop(heads)[1]
                row[index] = current[index]
            yield tuple(row)
            for index, info in enumerate(row):
                if info is not None:
                    await advance(index)
