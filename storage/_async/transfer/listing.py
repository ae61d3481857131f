"""Listings that can be believed: in pages, in key order, and with every doubt about them noted."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol, TypeVar

from ..._core.closing import closing
from ..._core.errors import MalformedResponse, StoreNotFound
from ..._core.info import Capability, ObjectInfo
from ..._core.text import shorten
from ..._core.unlisted import Unlisted, current
from ..base import AsyncBaseStore
from .ahead import Ahead
from .divided import Divided, Pivots, rises
from .sorting import sorted_pages
from .steps import PAGE

T = TypeVar("T")
FIRST_PAGE = 100
"""Entries of the first page, which work should not have to wait for."""
HEAD_START = 0.001
"""Seconds that a listing which begins early has for itself, until its request has left."""


class Choice(Protocol):
    """What a listing asks of a selection."""

    @property
    def by_key(self) -> bool:
        """Whether it asks for some keys only."""
        ...

    def selects_key(self, key: str) -> bool:
        """Whether the key is wanted."""
        ...

    def prefixes(self) -> Sequence[str]:
        """What all wanted keys begin with: sorted, and none begins with another."""
        ...


class DisorderError(MalformedResponse):
    """A store that says it lists in order does not."""


class Listing:
    """One end's objects.

    Args:
        store: The store.
        name: What doubts call it, such as ``"the source"``.
        choice: Which keys are wanted. None: all.
        missing_ok: A store that does not exist yet lists nothing, instead of an error.
        accounted: Whether what no key stands for is to be found in `unlisted`, instead of a log.
    """

    def __init__(
        self,
        store: AsyncBaseStore,
        name: str,
        choice: Choice | None = None,
        *,
        missing_ok: bool = False,
        accounted: bool = False,
    ) -> None:
        self.name = name
        self.count = 0
        self.doubts: list[str] = []
        self.unlisted = Unlisted()
        """Files that no key stands for."""
        self.disordered = False
        """Set when it was found out of order; the next time it is sorted here."""
        self.sorts = False
        """Whether pages are to be in order, whatever else there is."""
        self.pivots: Pivots | None = None
        """What knows where it can be divided; may be set while it is read."""
        self._store = store
        self._choice = choice
        self._missing_ok = missing_ok
        self._accounted = accounted
        self._begun: Ahead[list[ObjectInfo]] | None = None

    async def begin(self) -> None:
        """Begin before anybody asks for pages; then `pages` or `aclose` has to follow."""
        if self._begun is None:
            self._begun = self._ahead()
            await self._begun.get_going(HEAD_START)

    async def aclose(self) -> None:
        """Give up what was begun, if nobody has asked for it."""
        begun, self._begun = self._begun, None
        if begun is not None:
            await begun.aclose()

    def _ahead(self) -> Ahead[list[ObjectInfo]]:
        self.count, self.unlisted = 0, Unlisted()
        context = contextvars.copy_context()
        context.run(current.set, self.unlisted if self._accounted else None)
        return Ahead(self._listed(), context)

    async def pages(self, *, in_order: bool = True) -> AsyncGenerator[list[ObjectInfo], None]:
        """What is wanted, from the beginning.

        Args:
            in_order: Whether it has to be in the order of the keys. Otherwise a store that does not
                list so is not waited for: its pages come as they are, as long as their keys rise.

        Raises:
            DisorderError: It is not in order, although the store says so. Begin again.
            StoreError: It broke off.
        """
        begun, self._begun = self._begun, None
        async with closing(begun or self._ahead()) as listed:
            pages = listed
            if self.disordered or Capability.ORDERED not in self._store.capabilities:
                first: list[ObjectInfo] = []
                if not (in_order or self.sorts):
                    last = None
                    async for page in listed:
                        if not rises(page, last):
                            first = page
                            break
                        last = page[-1].key if page else last
                        self.count += len(page)
                        yield page
                pages = sorted_pages(_with(first, listed))
            async with closing(self._checked(pages)) as checked:
                async for page in checked:
                    self.count += len(page)
                    yield page

    async def _checked(
        self, pages: AsyncIterator[list[ObjectInfo]]
    ) -> AsyncGenerator[list[ObjectInfo], None]:
        last = None
        async with closing(pages):
            async for page in pages:
                kept = page if rises(page, last) else self._once_each(page, last)
                if kept:
                    last = kept[-1].key
                    yield kept

    async def _listed(self) -> AsyncGenerator[list[ObjectInfo], None]:
        """As the store gives it."""
        prefixes = ("",) if self._choice is None else self._choice.prefixes()
        found = False
        try:
            for prefix in prefixes:
                async with closing(self._pages_of(prefix)) as pages:
                    async for page in pages:
                        found = True
                        yield self._wanted(page)
        except StoreNotFound:
            if found or not self._missing_ok:
                raise

    def _pages_of(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        store, whole = self._store, _pages_of(self._store, prefix)
        ordered = Capability.ORDERED in store.capabilities and not self.disordered
        if not (ordered and store._lists_spans and _lists_pages(type(store))):
            return whole

        def span(after: str, until: str | None) -> AsyncGenerator[list[ObjectInfo], None]:
            return store._steps("list", store._span_pages(prefix, after, until))

        return Divided(whole, span, prefix).pages(lambda: self.pivots)

    def _wanted(self, page: list[ObjectInfo]) -> list[ObjectInfo]:
        if self._choice is None or not self._choice.by_key:
            return page
        selects = self._choice.selects_key
        return [info for info in page if selects(info.key)]

    def _once_each(self, page: list[ObjectInfo], last: str | None) -> list[ObjectInfo]:
        """The page without what came before, if that is all that is wrong with it."""
        kept = []
        for info in page:
            if last is not None and info.key <= last:
                if info.key < last:
                    self._doubt_order(info.key, last)
                self._doubt_keys(last)
                continue
            last = info.key
            kept.append(info)
        return kept

    def _doubt_keys(self, key: str) -> None:
        if not self.doubts:  # one is enough, of however many
            self.doubts.append(f"{self.name} lists keys twice, such as {shorten(repr(key))}")

    def _doubt_order(self, key: str, last: str) -> None:
        self.disordered = True
        self.doubts.append(f"{self.name} does not list in the order that it claims")
        raise DisorderError(f"{self.name} lists {key!r} after {last!r}")


def source_listing(store: AsyncBaseStore, choice: Choice | None) -> Listing:
    """That of a sync's source."""
    return Listing(store, "the source", choice, accounted=True)


def target_listing(store: AsyncBaseStore, choice: Choice | None) -> Listing:
    """That of a sync's target, which need not be there yet."""
    return Listing(store, "the target", choice, missing_ok=True)


async def _with(
    first: list[ObjectInfo], rest: AsyncIterator[list[ObjectInfo]]
) -> AsyncGenerator[list[ObjectInfo], None]:
    """What comes after the first page as well."""
    yield first
    async for page in rest:
        yield page


def _pages_of(store: AsyncBaseStore, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
    """A store's listing."""
    some = store._info_pages(prefix) if _lists_pages(type(store)) else None
    if some is None:
        return in_pages(store.list(prefix))
    store._check_listing("list", prefix, "")
    return _joined(store._steps("list", some))


def _lists_pages(kind: type[AsyncBaseStore]) -> bool:
    """Whether its lists of objects are its listing, and not that of a class it derives from."""
    for each in kind.__mro__:
        if "list" in vars(each) or "_list" in vars(each):
            return "_info_pages" in vars(each)
    return False


async def _joined(source: AsyncIterator[list[T]]) -> AsyncGenerator[list[T], None]:
    """Short lists as longer ones."""
    page: list[T] = []
    size = FIRST_PAGE
    async with closing(source) as lists:
        async for some in lists:
            page += some
            if len(page) >= size:
                yield page
                page, size = [], PAGE
    if page:
        yield page


async def in_pages(source: AsyncIterator[T]) -> AsyncGenerator[list[T], None]:
    """The items of an iterator, in lists."""
    page: list[T] = []
    size = FIRST_PAGE
    async with closing(source) as items:
        async for item in items:
            page.append(item)
            if len(page) >= size:
                yield page
                page, size = [], PAGE
    if page:
        yield page
