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
from typing import NamedTuple, TypeAlias

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

    What a page tells beyond the end of its part is left to the next part, which has to begin with
    just that. Where it does not, something came or went meanwhile, or the server has an order of
    its own: then the listing is read on from there, as if it had not been divided.

    Args:
        whole: All of it, from its beginning.
        span: Lists a part.
        prefix: What all of its keys begin with.
    """

    def __init__(self, whole: AsyncIterator[Page], span: Span, prefix: str) -> None:
        self._whole = whole
        self._span = span
        self._prefix = prefix
        self._parts: deque[Ahead[_Cut]] = deque()
        self._begins = ""
        """After which key the next part begins."""
        self._ends: deque[str] | None = None
        """Where the next parts end; None: the last one was begun."""
        self._beyond: str | None = None
        """What the next part has to begin with; None: that is not known."""
        self._fits = True

    async def pages(self, pivots: Callable[[], Pivots | None]) -> AsyncGenerator[Page, None]:
        """All pages, in order.

        Args:
            pivots: What knows where, if anything does by now; asked after each page.
        """
        whole, last, gets_on = self._whole, "", True
        while True:
            before, known = last, pivots if gets_on else _nothing
            async with closing(self._divided(whole, known)) as pages:
                async for page in pages:
                    last = page[-1].key
                    yield page
            if self._fits:
                return
            # A server that always begins anew is read in one, so that this comes to an end.
            whole, gets_on = self._span(last, None), last > before

    async def _divided(
        self, whole: AsyncIterator[Page], pivots: Callable[[], Pivots | None]
    ) -> AsyncGenerator[Page, None]:
        """All pages, or those before the first part that does not fit."""
        self._fits, self._ends, until = True, deque(), None
        try:
            async with closing(whole):
                async for page in whole:
                    if until is None and page and (known := pivots()) is not None:
                        until = await self._divide(page[-1].key, known)
                    cut = _cut(page, until)
                    if cut.page:
                        yield cut.page
                    self._beyond = cut.beyond
                    if cut.last:
                        break
            while self._parts:
                async with closing(self._fitting(self._parts[0])) as pages:
                    async for page in pages:
                        yield page
                if not self._fits:
                    return
                await self._parts.popleft().aclose()
                await self._begin(pivots())
        finally:
            parts, self._parts = self._parts, deque()
            async with AsyncExitStack() as stack:
                for part in parts:
                    stack.push_async_callback(part.aclose)

    async def _divide(self, last: str, pivots: Pivots) -> str | None:
        """Begin with the parts after a key and the page that is on its way; where they begin."""
        self._begins = last
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

    async def _fitting(self, part: AsyncIterator[_Cut]) -> AsyncGenerator[Page, None]:
        """The pages of a part, if it begins as it has to."""
        wanted, self._beyond = self._beyond, None
        async for cut in part:
            if wanted not in (None, cut.first):
                break
            wanted = None
            if cut.page:
                yield cut.page
            self._beyond = cut.beyond
        self._fits = wanted is None


class _Cut(NamedTuple):
    """A page, as far as it belongs to a part."""

    first: str
    """The key that it begins with, wherever that belongs."""
    page: Page
    beyond: str | None
    """The first key that belongs to the next part, if there is one."""
    last: bool
    """Whether the part ends with it."""


def _nothing() -> None:
    """What knows where to divide: nothing does."""


def _cut(page: Page, until: str | None) -> _Cut:
    first = page[0].key if page else ""
    if until is None or not page or page[-1].key < until or not rises(page, None):
        return _Cut(first, page, None, False)  # whoever looks at the order is to see all of it
    end = bisect_right(page, until, key=_key)
    return _Cut(first, page[:end], page[end].key if end < len(page) else None, True)


async def _part(span: Span, after: str, until: str | None) -> AsyncGenerator[_Cut, None]:
    """The pages of a part."""
    async with closing(span(after, until)) as pages:
        async for page in pages:
            cut = _cut(page, until)
            if page:
                yield cut
            if cut.last:
                return


def rises(page: Page, last: str | None) -> bool:
    """Whether the keys of a page rise, and come after one."""
    keys = [info.key for info in page]
    if last is not None and keys and ge(last, keys[0]):
        return False
    return all(map(lt, keys, islice(keys, 1, None)))
