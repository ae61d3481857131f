"""Every store class is a store to the type checkers: nothing here runs, mypy and pyright read it.

A new backend adds itself to the two lists.
"""

# What an ignore below silences must be an error to both checkers, or the ignore itself is one.
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from storage.aioutils import AsyncCachingStore, AsyncFanoutStore, AsyncMirroringStore
from storage.object import (
    AsyncBaseStore,
    AsyncDictStore,
    AsyncObjectStore,
    BaseStore,
    DictStore,
    ObjectStore,
)
from storage.utils import CachingStore, FanoutStore, MirroringStore
from tests.stores import BlockingStore, ForeignStore


def async_classes() -> list[type[AsyncBaseStore]]:
    return [AsyncDictStore, AsyncCachingStore, AsyncFanoutStore, AsyncMirroringStore]


def blocking_classes() -> list[type[BaseStore]]:
    return [DictStore, CachingStore, FanoutStore, MirroringStore]


def async_stores(
    base: AsyncBaseStore,
    memory: AsyncDictStore,
    caching: AsyncCachingStore,
    fanout: AsyncFanoutStore,
    theirs: ForeignStore,
) -> list[AsyncObjectStore]:
    return [base, memory, caching, fanout, theirs]


def blocking_stores(
    base: BaseStore,
    memory: DictStore,
    caching: CachingStore,
    fanout: FanoutStore,
    theirs: BlockingStore,
) -> list[ObjectStore]:
    return [base, memory, caching, fanout, theirs]


def a_blocking_store_is_no_async_one(ours: DictStore, theirs: BlockingStore) -> None:
    _: AsyncObjectStore = ours  # type: ignore[assignment]
    _ = theirs  # type: ignore[assignment]


def an_async_store_is_no_blocking_one(ours: AsyncDictStore, theirs: ForeignStore) -> None:
    _: ObjectStore = ours  # type: ignore[assignment]
    _ = theirs  # type: ignore[assignment]


def a_dict_is_no_store(objects: dict[str, bytes]) -> None:
    _: ObjectStore = objects  # type: ignore[assignment]
