"""Any object with the five verbs, made into a store with all of them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Any

from .._core.adapt import VERBS, ThreadedStore, is_async, is_store, takes_prefix
from .._core.closing import closing
from .._core.errors import ObjectNotFound, StoreError
from .._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from .._core.protocol import AsyncObjectStore
from .._core.values import STREAM
from .._core.window import each
from .base import AsyncBaseStore


def lift(store: Any) -> AsyncBaseStore:
    """The store itself if it is one of ours; else one of ours built on its five verbs.

    A subclass of ours that has a verb of its own counts as somebody else's: the stores made of it
    would otherwise go around that verb, through the hooks.

    Raises:
        TypeError: It lacks one of the five verbs, or is a blocking store.
    """
    if isinstance(store, AsyncBaseStore) and not _has_own_verbs(type(store)):
        return store
    return AsyncForeignStore(store)


def _has_own_verbs(kind: type[AsyncBaseStore]) -> bool:
    return any(not getattr(kind, verb).__module__.startswith("storage.") for verb in VERBS)


class AsyncForeignStore(AsyncBaseStore):
    """Every verb, built on the five of somebody else's store.

    Whole objects travel through memory, since its verbs know nothing else.

    Args:
        store: Any object with the five verbs; its context is entered and left with ours. Where
            entering it gives another store, that one is used from then on.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(timeout=timeout)
        if not is_async(store):
            raise TypeError(f"{type(store).__name__} is blocking: use it with the blocking classes")
        self._store: Any = store
        self._context: Any = None
        self.inline = getattr(store, "inline", False)
        self._takes_prefix = takes_prefix(store)

    def __repr__(self) -> str:
        return repr(self._store)

    def _locations(self) -> tuple[tuple[str, str], ...]:
        theirs = self._store.store if isinstance(self._store, ThreadedStore) else self._store
        return (("object", f"{id(theirs):x}/"),)

    @property
    def store(self) -> AsyncObjectStore:
        """The store that is used now."""
        store: AsyncObjectStore = self._store
        return store

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        try:
            data = await self._store.get(key)
        except StoreError:
            raise
        except KeyError as error:
            raise ObjectNotFound("there is no object under this key") from error
        return options.cut(data), ObjectInfo(key, _size(data))

    async def _exists(self, key: str) -> bool:
        return bool(await self._store.exists(key))

    def _as_value(self, data: Any) -> Any:
        """Whatever else it takes than bytes is between it and its user."""
        try:
            value = super()._as_value(data)
            if value is STREAM and isinstance(data, Collection):
                for piece in data:
                    self._as_piece(piece)
        except TypeError:
            return data
        return value

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        await self._store.put(key, bytes(data) if isinstance(data, memoryview) else data)
        return ObjectInfo(key, _size(data))

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        # Not every store of others minds a missing key, so it has to be asked for.
        if not missing_ok and not await self._exists(key):
            raise ObjectNotFound("there is no object under this key")
        try:
            await self._store.delete(key)
        except KeyError as error:
            if not missing_ok:
                raise ObjectNotFound("there is no object under this key") from error

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._listed(prefix)) as keys:
            async for key in keys:
                if key.startswith(prefix) and key > start_after:
                    yield key

    async def _listed(self, prefix: str) -> AsyncGenerator[str, None]:
        """Its keys, of which only those with the prefix are wanted."""
        begun = False
        if prefix and self._takes_prefix:
            try:
                async with closing(self._listing(prefix=prefix)) as keys:
                    async for key in keys:
                        begun = True
                        yield key
                return
            except TypeError:  # it hands its options on to something that knows none
                if begun:
                    raise
        async with closing(self._listing()) as keys:
            async for key in keys:
                yield key

    async def _listing(self, **options: str) -> AsyncGenerator[str, None]:
        source = self._store.keys(**options)
        if inspect.isawaitable(source):
            source = await source
        async with closing(each(source)) as keys:
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._keys(prefix, start_after)) as keys:
            async for key in keys:
                yield ObjectInfo(key)

    async def _setup(self) -> None:
        enter = getattr(self._store, "__aenter__", None)
        if enter is None or self._context is not None:
            return
        self._context = self._store
        try:
            entered = await enter()
        except BaseException:
            self._context = None
            raise
        if is_store(entered):
            self._store, self._takes_prefix = entered, takes_prefix(entered)

    async def _teardown(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(*self._ending)

    capabilities = Capability.NONE


def _size(data: Any) -> int | None:
    return len(data) if isinstance(data, bytes | bytearray | memoryview) else None
