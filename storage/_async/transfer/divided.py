"""A listing in several parts, which are asked for at the same time and read one after the other.

A server gives a listing page by page, and the next page only to whoever has the one before. Where
the keys of an earlier run are known, it can be asked for pages further on meanwhile. Whatever has
come or gone since, the parts are the whole: each begins where the one before it ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import islice
from operator import attrgetter, ge, lt
from typing import TypeAlias

from ..._core.closing import closing
from ..._core.info import ObjectInfo
from .ahead import Ahead

PART = 900
"""Keys of a part, as far as they are known. Fewer than a page of S3 has, so that some new ones
among them do not take another request."""
PARTS = 8
"""Parts that are asked for at a time."""

Page: TypeAlias = list[ObjectInfo]
Span: TypeAlias = Callable[[str, str | None], AsyncIterator[Page]]
"""Lists the objects whose keys come after one, at least up to another; None: to the end."""
Pivots: TypeAlias = Callable[[str, int, int], Awaitable[list[str]]]
"""Keys that were there once, in order: asked for those after a key, each so many keys further on
than the one before, and for how many of them; fewer, where there are no more."""

_key = attrgetter("key")


class Divided:
    """A listing that is divided as soon as somebody knows where.

    Args:
        whole: All of it, from its beginning.
        span: Lists a part.
        prefix: What all of its keys begin with.
    """

    def __init__(self, whole: AsyncIterator[Page], span: Span, prefix: str) -> None:
        self._whole = whole
        self._span = span
        self._prefix = prefix
        self._parts: deque[Ahead[Page]] = deque()
        self._begins = ""
        """After which key the next part begins."""
        self._ends: deque[str] | None = deque()
        """Where the next parts end; None: the last one was begun."""

    async def pages(self, pivots: Callable[[], Pivots | None]) -> AsyncGenerator[Page, None]:
        """All pages, in order.

        Args:
            pivots: What knows where, if anything does by now; asked after each page.
        """
        try:
            async with closing(self._whole) as whole:
                until = None
                async for page in whole:
                    if until is None and (known := pivots()) is not None:
                        until = await self._divide(page, known)
                    kept, over = _up_to(page, until)
                    if kept:
                        yield kept
                    if over:
                        break
            while self._parts:
                async for page in self._parts[0]:
                    yield page
                await self._parts.popleft().aclose()
                await self._begin(pivots())
        finally:
            async with AsyncExitStack() as stack:
                for part in self._parts:
                    stack.push_async_callback(part.aclose)

    async def _divide(self, page: Page, pivots: Pivots) -> str | None:
        """Begin with the parts after a page and the one that is on its way; where they begin."""
        self._begins = page[-1].key if page else ""
        until = await self._next(pivots)
        if until is not None:
            self._begins = until
            await self._begin(pivots)
        return until

    async def _begin(self, pivots: Pivots | None) -> None:
        """Let so many parts be read as can be at a time."""
        while self._ends is not None and len(self._parts) < PARTS:
            after, until = self._begins, await self._next(pivots)
            if until is None:
                self._ends = None
            else:
                self._begins = until
            self._parts.append(Ahead(_part(self._span, after, until)))

    async def _next(self, pivots: Pivots | None) -> str | None:
        if not self._ends and pivots is not None:
            found = await pivots(self._begins, PART, PARTS)
            self._ends = deque(key for key in found if key.startswith(self._prefix))
        return self._ends.popleft() if self._ends else None


async def _part(span: Span, after: str, until: str | None) -> AsyncGenerator[Page, None]:
    """The pages of a part, less what servers give beyond it that begin or end elsewhere."""
    begun = False
    async with closing(span(after, until)) as pages:
        async for page in pages:
            if not begun and rises(page, None):
                page = page[bisect_right(page, after, key=_key) :]
                begun = bool(page)
            kept, over = _up_to(page, until)
            if kept:
                yield kept
            if over:
                return


def _up_to(page: Page, until: str | None) -> tuple[Page, bool]:
    """What of a page belongs to a part, and whether that is its end."""
    if until is None or not page or page[-1].key < until or not rises(page, None):
        return page, False  # what is out of order is to be seen by whoever looks for that
    return page[: bisect_right(page, until, key=_key)], True


def rises(page: Page, last: str | None) -> bool:
    """Whether the keys of a page rise, and come after one."""
    keys = [info.key for info in page]
    if last is not None and keys and ge(last, keys[0]):
        return False
    return all(map(lt, keys, islice(keys, 1, None)))
