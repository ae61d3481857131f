"""One store made of several, each with a part of the keys."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from ..._core.closing import closing
from ..._core.errors import RefusedKey, StoreError
from ..._core.info import Capability, ListResult, ObjectInfo, WriteOptions
from ..._core.keys import MAX_KEY_BYTES, check_key
from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..foreign import lift
from ._abreast import in_key_order, merge
from .addressing import AsyncAddressingStore
from .identity import AsyncIdentityStore
from .renaming import Outward, renamed, translate


class Route(NamedTuple):
    """Which keys go to a store."""

    prefix: str
    store: AsyncBaseStore
    cut: int
    """Characters at the keys' start that the store does not see."""

    def outer(self, inner: str) -> str:
        """The key of one of the store's."""
        return self.prefix[: self.cut] + inner

    def inner(self, text: str) -> str:
        """What the store knows of a key or of a beginning of one."""
        return text[self.cut :]

    def after(self, key: str) -> str | None:
        """What the store's keys come after if ours do after ``key``; None if none does."""
        hidden = self.prefix[: self.cut]
        if key.startswith(hidden):
            return key[self.cut :]
        return "" if key < hidden else None

    def below(self, prefix: str) -> str | None:
        """The longer of two prefixes if one begins with the other."""
        if prefix.startswith(self.prefix):
            return prefix
        return self.prefix if self.prefix.startswith(prefix) else None


class AsyncRoutingStore(AsyncAddressingStore):
    """Gives each key to the store of the first prefix that it begins with.

    A key that begins with none of them does not exist, and every verb but ``exists`` raises
    `RefusedKey` for it. What a store holds under other keys than those that lead to it stays out
    of sight. Listings are merged; an object that is copied or moved from one store to another goes
    through this process, and such a move is no single step.

    Args:
        routes: Pairs of prefix and store, asked in their order; ``""`` takes all that is left. A
            third item that is true makes the store see its keys without the prefix.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        routes: Iterable[tuple[str, AsyncObjectStore] | tuple[str, AsyncObjectStore, bool]]
        | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__((), timeout=timeout)
        self._given: tuple[AsyncObjectStore, ...] = ()
        self._routes: tuple[Route, ...] = ()
        for prefix, store, *strip in routes or ():
            self.add_route(prefix, store, any(strip))

    def add_route(self, prefix: str, store: AsyncObjectStore, strip_prefix: bool = False) -> None:
        """Ask one more prefix, after all others; a store that comes late is not entered."""
        if not isinstance(prefix, str):
            raise TypeError(f"a prefix is a str, not {type(prefix).__name__}")
        found = next((r.store for r in self._routes if r.store is store), None) or lift(store)
        if found not in self._children:
            self._children += (found,)
            self._given += (store,)
        self._routes += (Route(prefix, found, len(prefix) if strip_prefix else 0),)
        self.inline = all(child.inline for child in self._children)

    def __repr__(self) -> str:
        shown = (f"({r.prefix!r}, {r.store!r}{', True' if r.cut else ''})" for r in self._routes)
        return f"{type(self).__name__}([{', '.join(shown)}])"

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What all stores do by themselves."""
        common = reduce(and_, (c.capabilities for c in self._children), ~Capability.NONE)
        # From one store to another a copy is a put.
        return common if Capability.IF_ABSENT in common else common & ~Capability.COPY_IF_ABSENT

    def _as_value(self, data: Any) -> Any:
        if len(self._values()) == 1:
            return self._children[0]._as_value(data)
        try:
            value = super()._as_value(data)
        except TypeError:
            if not any(_takes(child, data) for child in self._children):
                raise
            return data
        # What it is to the store that it goes to is known with the key only.
        return data if isinstance(data, Collection) else value

    def _values(self) -> set[Any]:
        """What kinds of values the stores take."""
        kinds = set()
        for child in self._children:
            while type(child)._as_value is AsyncIdentityStore._as_value:
                child = child._children[0]  # type: ignore[attr-defined]
            kinds.add(type(child)._as_value)
        return kinds

    def _find(self, key: str) -> Route | None:
        for route in self._routes:
            if key.startswith(route.prefix):
                return route
        return None

    def _at(self, key: str) -> tuple[AsyncBaseStore, str, Outward]:
        """The store of a key, its key there, and what brings errors out."""
        route = self._find(key)
        if route is None:
            raise RefusedKey("no route begins as this key does", key=key)
        inner = route.inner(key)
        return route.store, inner, Outward(self, inner, key)

    def _check_key(self, key: str) -> None:
        # What no route leads to is refused by the hooks: for `exists` it is just not there.
        route = self._find(key)
        if route is None:
            return
        inner = route.inner(key)
        try:
            route.store._check_key(check_key(inner))
        except StoreError as error:
            Outward(self, inner, key).rename(error)
            raise

    async def _exists(self, key: str) -> bool:
        return self._find(key) is not None and await super()._exists(key)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        if len(self._values()) == 1:
            return await super()._put(key, data, options)
        child, inner, outward = self._at(key)  # which may take something else than bytes
        with outward:
            return renamed(await child.put(inner, data, **options.arguments()), key)

    # -- listings ---------------------------------------------------------------------------

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        listings = [self._of(route, prefix, start_after) for route in self._routes]
        async with closing(self._merged(listings)) as infos:
            async for info in infos:
                yield info

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        listings = [self._of(route, prefix, start_after, _bare) for route in self._routes]
        async with closing(self._merged(listings)) as infos:
            async for info in infos:
                yield info.key

    async def _merged(
        self, listings: Sequence[AsyncIterator[ObjectInfo]]
    ) -> AsyncGenerator[ObjectInfo, None]:
        """One listing, in order if all are; no key is in two."""
        if Capability.ORDERED in self.capabilities:
            async with closing(
                merge([in_key_order(each, repr(self)) for each in listings])
            ) as rows:
                async for row in rows:
                    yield next(info for info in row if info is not None)
            return
        for listing in listings:
            async with closing(listing) as infos:
                async for info in infos:
                    yield info

    async def _of(
        self,
        route: Route,
        prefix: str,
        start_after: str,
        listed: Callable[[AsyncBaseStore, str, str], AsyncIterator[ObjectInfo]] = (
            lambda store, prefix, after: store.list(prefix, start_after=after)
        ),
    ) -> AsyncGenerator[ObjectInfo, None]:
        """What a listing gives of one route."""
        below, after = route.below(prefix), route.after(start_after)
        if below is None or after is None:
            return
        try:
            async with closing(listed(route.store, route.inner(below), after)) as infos:
                async for info in infos:
                    for own in self._own(route, (info,)):
                        if own.key > start_after:
                            yield own
        except StoreError as error:
            translate(error, route.outer)
            raise

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        prefixes: set[str] = set()
        objects: list[ObjectInfo] = []
        for route in self._routes:
            below = route.below(prefix)
            if below is None:
                continue
            if len(delimiter) > 1 and below != prefix:  # it may lie across the route's end
                return await super()._list_with_delimiter(prefix, delimiter)
            cut = below.find(delimiter, len(prefix))
            if cut >= 0:
                found = {below[: cut + 1]}
            else:
                level = await route.store.list_with_delimiter(route.inner(below), delimiter)
                objects += self._own(route, level.objects)
                found = {route.outer(name) for name in level.prefixes}
            for name in found - prefixes:
                if await self._leads_to(route, name):
                    prefixes.add(name)
        objects.sort(key=lambda info: info.key)
        return ListResult(tuple(sorted(prefixes)), tuple(objects))

    def _own(self, route: Route, infos: Iterable[ObjectInfo]) -> Iterator[ObjectInfo]:
        """Of what a route's store lists, all that leads to it, under our keys."""
        for info in infos:
            key = route.outer(info.key)
            if self._find(key) is route and len(key.encode()) <= MAX_KEY_BYTES:
                yield renamed(info, key)

    async def _leads_to(self, route: Route, prefix: str) -> bool:
        """Whether any key that begins with a prefix, which the store lists, leads to a route."""
        others = self._routes[: self._routes.index(route)]
        if len(prefix) > len(route.prefix) and all(r.below(prefix) is None for r in others):
            return True
        async with closing(self._of(route, prefix, "")) as infos:
            async for _ in infos:
                return True
        return False


def _takes(store: AsyncBaseStore, data: Any) -> bool:
    """Whether it is a value for a store."""
    try:
        store._as_value(data)
    except TypeError:
        return False
    return True


async def _bare(store: AsyncBaseStore, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
    """The keys of a store, as a listing that knows nothing else."""
    async with closing(store.keys(prefix, start_after=start_after)) as keys:
        async for key in keys:
            yield ObjectInfo(key)
