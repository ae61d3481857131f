"""Streams that are sorted by key, side by side."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from operator import attrgetter, itemgetter
from typing import Any, Generic, Protocol, TypeVar

from ..._core.closing import closing
from ..._core.info import ObjectInfo
from ..._core.window import cancel_all
from .steps import Remembered, Row


class Keyed(Protocol):
    """Anything that has a key."""

    @property
    def key(self) -> str:
        """The key."""
        ...


K = TypeVar("K", bound=Keyed)
_key = attrgetter("key")


class _Side(Generic[K]):
    """What was read of a stream and is not merged yet."""

    def __init__(self, pages: AsyncIterator[list[K]]) -> None:
        self._pages = pages
        self.held: list[K] = []

    async def fill(self) -> None:
        """Hold something, unless the stream has ended."""
        while not self.held:
            page = await anext(self._pages, None)
            if page is None:
                return
            self.held = page

    def take(self, horizon: str) -> list[K]:
        """What comes up to a key, and that key."""
        held = self.held
        if held and held[-1].key <= horizon:
            self.held = []
            return held
        cut = bisect_right(held, horizon, key=_key)
        self.held = held[cut:]
        return held[:cut]


class Source(Protocol):
    """What gives the pages of the source."""

    def __call__(self, *, in_order: bool) -> AsyncIterator[list[ObjectInfo]]:
        """The pages; told whether their order matters."""
        ...


async def merge(
    here: Source,
    there: AsyncIterator[list[ObjectInfo]],
    known: AsyncIterator[list[Remembered]],
) -> AsyncGenerator[list[Row], None]:
    """Walk two listings and a journal side by side.

    Args:
        here: Gives the source's objects, in pages; in key order where there is anything else.
        there: The target's objects, in pages, in key order.
        known: What the journal knows, likewise.

    Yields:
        Rows for all keys that are in any of them, in order, unless they are the source's alone.
    """
    async with AsyncExitStack() as stack:
        others: list[_Side[Any]] = [
            _Side(await stack.enter_async_context(closing(pages))) for pages in (there, known)
        ]
        await _fill(others)
        # What is brought to an empty place needs no comparing: it begins with the first page.
        in_order = any(side.held for side in others)
        pages = await stack.enter_async_context(closing(here(in_order=in_order)))
        sides: Sequence[_Side[Any]] = [_Side(pages), *others]
        while True:
            await _fill([side for side in sides if not side.held])
            lasts = [side.held[-1].key for side in sides if side.held]
            if not lasts:
                return
            horizon = min(lasts)
            yield _rows(*(side.take(horizon) for side in sides))


async def _fill(sides: Sequence[_Side[Any]]) -> None:
    """Let all of them hold something: at once, since each may wait for a server of its own."""
    filling = [asyncio.create_task(side.fill()) for side in sides]
    try:
        for each in filling:
            await each
    finally:
        await cancel_all(filling)


def _rows(here: list[ObjectInfo], there: list[ObjectInfo], known: list[Remembered]) -> list[Row]:
    theirs = {info.key: info for info in there}
    memory = {row.key: row for row in known}
    rows: list[Row] = [
        (info.key, info, theirs.pop(info.key, None), memory.pop(info.key, None)) for info in here
    ]
    if theirs or memory:
        rows += [(key, None, info, memory.pop(key, None)) for key, info in theirs.items()]
        rows += [(key, None, None, row) for key, row in memory.items()]
        rows.sort(key=itemgetter(0))
    return rows


async def nothing() -> AsyncGenerator[list[Remembered], None]:
    """What one knows without a journal."""
    pages: tuple[list[Remembered], ...] = ()
    for page in pages:
        yield page
