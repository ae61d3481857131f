"""Stores whose keys are other ones in their child."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import StoreError
from ..._core.info import Capability, ListResult, ObjectInfo
from ..._core.keys import check_key
from ..._core.keytransforms import KeyTransformer
from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from .addressing import AsyncAddressingStore
from .identity import AsyncIdentityStore
from .keymap import KeyMap
from .renaming import Outward, renamed, translate

T = TypeVar("T")


class AsyncKeyTransformingStore(AsyncAddressingStore, AsyncIdentityStore):
    """Keeps each object under the key that a transformer makes of its own.

    What else is in the child stays out of sight and untouched: a key of it is ours only if it can
    be reversed, and if the reverse is transformed to exactly this key again.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: Says which key becomes which. None: all stay as they are.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        transformer: KeyTransformer | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._transformer = KeyTransformer() if transformer is None else transformer
        # A subclass with a way of its own is its own transformer, which promises nothing.
        self._map = KeyMap(self if _has_own_way(type(self)) else self._transformer)

    @property
    def transformer(self) -> KeyTransformer:
        """Says which key becomes which."""
        return self._transformer

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself; in order only if the transformer keeps it."""
        found = self._child.capabilities
        return found if self._map.keeps_order else found & ~Capability.ORDERED

    def __repr__(self) -> str:
        shown = repr(self._transformer)
        if type(self).__module__ == f"{__package__}.keys":  # the name says which transformer it is
            shown = shown.partition("(")[2][:-1]
        return f"{type(self).__name__}({', '.join(filter(None, (repr(self._child), shown)))})"

    # -- keys -------------------------------------------------------------------------------

    def transform_key(self, key: str) -> str:
        """The child's key of one of ours."""
        return self._transformer.transform_key(key)

    def reverse_transform_key(self, key: str) -> str:
        """Our key of one of the child's. Raises ``ValueError`` where there is none."""
        return self._transformer.reverse_transform_key(key)

    def _hear(self, twin: Any) -> None:
        """Let a subclass of the blocking twin transform keys itself."""
        if _has_own_way(type(twin)):
            self._map = KeyMap(twin)

    def _check_key(self, key: str) -> None:
        inner = self._map.inner(key)
        try:
            self._child._check_key(check_key(inner))
        except StoreError as error:
            Outward(self, inner, key).rename(error)
            raise

    def _at(self, key: str) -> tuple[AsyncBaseStore, str, Outward]:
        inner = self._map.inner(key)
        return self._child, inner, Outward(self, inner, key)

    # -- many -------------------------------------------------------------------------------

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        found = self._child.keys(self._map.prefix(prefix), start_after=self._map.start(start_after))
        async with closing(self._ours(found, str)) as keys:
            async for key, _ in keys:
                if key.startswith(prefix) and key > start_after:
                    yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        found = self._child.list(self._map.prefix(prefix), start_after=self._map.start(start_after))
        async with closing(self._ours(found, _key_of)) as infos:
            async for key, info in infos:
                if key.startswith(prefix) and key > start_after:
                    yield renamed(info, key)

    async def _ours(
        self, source: AsyncIterator[T], key_of: Callable[[T], str]
    ) -> AsyncGenerator[tuple[str, T], None]:
        """Of a listing of the child what is ours, with our keys."""
        try:
            async with closing(source) as items:
                async for item in items:
                    key = self._map.outer(key_of(item))
                    if key is not None:
                        yield key, item
        except StoreError as error:
            translate(error, self._map.outer)
            raise

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        if not self._map.keeps_levels:
            # A level of the child may have prefixes under which nothing is ours.
            return await super(AsyncIdentityStore, self)._list_with_delimiter(prefix, delimiter)
        above = self._map.prefix(prefix)
        cut = len(above) - len(prefix)
        found = await self._child.list_with_delimiter(above, delimiter)
        ours = ((self._map.outer(info.key), info) for info in found.objects)
        return ListResult(
            tuple(inner[cut:] for inner in found.prefixes),
            tuple(renamed(info, key) for key, info in ours if key is not None),
        )


def _key_of(info: ObjectInfo) -> str:
    return info.key


def _has_own_way(kind: type[Any]) -> bool:
    """Whether a class that is not ours transforms keys itself."""
    ways = (kind.transform_key, kind.reverse_transform_key)
    return any(not way.__module__.startswith("storage.") for way in ways)
