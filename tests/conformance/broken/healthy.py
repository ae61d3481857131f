"""A store that keeps every promise, for the broken ones to derive from."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, TypeVar

from storage._async.backends._memory.shelf import Shelf
from storage._async.backends.memory import AsyncDictStore
from storage._async.base import AsyncBaseStore
from storage._async.pieces import Body, BufferSink, Sink
from storage._core.errors import ObjectNotFound, StoreNotFound
from storage._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from storage.testing import StoreConformance

T = TypeVar("T")

BROKEN: list[tuple[type[HealthyStore], tuple[str, ...], dict[str, Any]]] = []
"""Each broken store, the checks that notice, and what the kit is told of it."""


def caught_by(*checks: str, **hints: Any) -> Callable[[type[T]], type[T]]:
    """Enter a store into `BROKEN`."""

    def enter(kind: Any) -> Any:
        BROKEN.append((kind, checks, hints))
        return kind

    return enter


class Medium:
    """What survives a store: its objects, and what lies beside them."""

    known: ClassVar[weakref.WeakValueDictionary[int, Medium]] = weakref.WeakValueDictionary()

    def __init__(self, *, exists: bool = True) -> None:
        self.exists = exists
        self.objects: dict[str, bytes] = {}
        self.shelf = Shelf(self.objects, None, time.monotonic)
        self.shelf.lock = threading.RLock()  # type: ignore[assignment]
        self.litter: list[str] = []
        self.outside: list[str] = []
        self.known[id(self)] = self


class WaitingSink(BufferSink):
    """Waits at each piece."""

    async def write(self, data: bytes | memoryview) -> None:
        await asyncio.sleep(0)
        await super().write(data)


class HealthyStore(AsyncDictStore):
    """Objects in memory; it waits where a store on a disk or a server would.

    Args:
        medium: Shared by all stores that are opened on it.
        timeout: As for every store.
    """

    inline = False
    sink_class: type[WaitingSink] = WaitingSink

    def __init__(self, medium: Medium | None = None, *, timeout: float | None = None) -> None:
        self.medium = medium or Medium()
        super().__init__(self.medium.objects, timeout=timeout)
        self._shelf = self.medium.shelf

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __reduce__(self) -> Any:
        return _unpickle, (type(self), id(self.medium))

    def _must_exist(self) -> None:
        if not self.medium.exists:
            raise StoreNotFound("there is no such store")

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        self._must_exist()
        return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        self._must_exist()
        return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        self._must_exist()
        return await super()._exists(key)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self._must_exist()
        async for key in super()._keys(prefix, start_after):
            yield key

    # In two steps, as where nothing better is known.
    _move = AsyncBaseStore._move

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        end, ttl = None, None
        with suppress(ObjectNotFound):
            end = self._shelf.find(source)[2]
        if end is not None:
            ttl = max(0.0, end - self._shelf.deadlines.now())
        store = self if ttl is self._ttl is None else self.with_ttl(ttl)
        return await AsyncBaseStore._copy(store, source, target, if_absent)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await asyncio.sleep(0)
        self.medium.exists = True
        return await super()._put(key, data, options)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        data, info = await self._get(key, options)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 65_536):
                await asyncio.sleep(0)
                yield data[start : start + 65_536]

        yield Body(info, pieces())

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = self.sink_class()
        self.medium.litter.append(key)
        try:
            yield sink
            sink.info = await self._put(key, bytes(sink.buffer), options)
        finally:
            self.medium.litter.remove(key)


def _unpickle(kind: type[HealthyStore], medium: int) -> HealthyStore:
    return kind(Medium.known[medium])


class Kit(StoreConformance):
    """Puts a store of this kind to the checks, with everything provided."""

    kind: type[HealthyStore] = HealthyStore
    capabilities = ~Capability.NONE
    in_memory = True
    picklable = True
    legal_keys = ("a//b", "../x", "%2e", "\U0001f600")
    secrets = ("hunter2",)
    many = 150
    shrinks = False
    examples = 60
    seconds = 0.2

    async def make_store(self) -> Any:
        return self.kind()

    async def reopen(self, store: HealthyStore) -> Any:
        return self.kind(store.medium)

    async def missing_store(self) -> Any:
        return self.kind(Medium(exists=False))

    async def hurried(self, store: HealthyStore, timeout: float) -> Any:
        return self.kind(store.medium, timeout=timeout)

    async def litter(self, store: HealthyStore) -> Iterable[str]:
        return store.medium.litter

    async def outside(self, store: HealthyStore) -> Iterable[str]:
        return store.medium.outside


def kit_of(kind: type[HealthyStore], hints: dict[str, Any]) -> type[Kit]:
    """The kit for a kind of store."""
    return type(f"Kit{kind.__name__}", (Kit,), {"kind": kind, **hints})
