"""What stores can be made of, to the type checkers: nothing here runs, mypy and pyright read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from storage.aioutils import (
    AsyncCachingStore,
    AsyncFanoutStore,
    AsyncNotifyingStore,
    AsyncRetryStore,
    CacheStats,
    SyncEvent,
    SyncReport,
    VerbMetrics,
    VerifyReport,
    async_clear_store,
    async_copy_store,
    async_sync_stores,
    async_verify_stores,
)
from storage.object import AsyncDictStore, AsyncObjectStore, DictStore, ObjectStore
from storage.utils import (
    CachingStore,
    FanoutStore,
    LoggingStore,
    MetricsStore,
    NotifyingStore,
    RetryStore,
    clear_store,
    copy_store,
    sync_stores,
    verify_stores,
)
from tests.stores import BlockingStore, ForeignStore


async def five_async_methods_are_enough(ours: AsyncDictStore, theirs: ForeignStore) -> None:
    fanout = AsyncFanoutStore([ours, theirs])
    caching = AsyncCachingStore(theirs, ours, timeout=1.5)
    AsyncFanoutStore([caching, fanout, theirs])
    assert_type(await async_sync_stores(theirs, ours, delete=True), SyncReport)
    assert_type(await async_copy_store(ours, theirs), SyncReport)
    assert_type(await async_verify_stores(ours, theirs), VerifyReport)
    assert_type(await async_clear_store(theirs), int)


async def caches_have_policies(ours: AsyncDictStore, theirs: ForeignStore) -> None:
    store = AsyncCachingStore(ours, theirs, ttl=1.5, write="invalidate", max_bytes=10)
    assert_type(store.stats, CacheStats)
    assert_type(store.stats.hits, int)
    assert_type(await store.clear("a"), int)
    AsyncCachingStore(ours, theirs, revalidate="sometimes")  # type: ignore[arg-type]


def five_blocking_methods_are_enough(ours: DictStore, theirs: BlockingStore) -> None:
    fanout = FanoutStore([ours, theirs])
    caching = CachingStore(theirs, ours, timeout=1.5)
    FanoutStore([caching, fanout, theirs])
    assert_type(sync_stores(theirs, ours, delete=True), SyncReport)
    assert_type(copy_store(ours, theirs), SyncReport)
    assert_type(verify_stores(ours, theirs), VerifyReport)
    assert_type(clear_store(theirs), int)


def told(events: list[SyncEvent]) -> None:
    for event in events:
        assert_type(event.size, int)


async def watchers_take_lists(a: AsyncDictStore, b: AsyncDictStore) -> None:
    await async_sync_stores(a, b, watcher=told)
    await async_sync_stores(a, b, watcher=print)
    await async_sync_stores(a, b, watcher=len)  # type: ignore[arg-type]
    await async_sync_stores(a, b, compare="fast")  # type: ignore[arg-type]


async def the_kinds_do_not_mix(
    ours: AsyncDictStore, theirs: ForeignStore, blocking: DictStore, their_blocking: BlockingStore
) -> None:
    AsyncFanoutStore([ours, blocking])  # type: ignore[list-item]
    AsyncCachingStore(ours, their_blocking)  # type: ignore[arg-type]
    FanoutStore([blocking, theirs])  # type: ignore[list-item]
    CachingStore(ours, blocking)  # type: ignore[arg-type]
    await async_sync_stores(ours, blocking)  # type: ignore[arg-type]
    sync_stores(blocking, ours)  # type: ignore[arg-type]
    AsyncFanoutStore(ours)  # type: ignore[arg-type]
    AsyncFanoutStore([{"k": b"v"}])  # type: ignore[list-item]


async def a_sleep(seconds: float) -> None: ...


def a_blocking_sleep(seconds: float) -> None: ...


async def policies_and_clocks(ours: AsyncDictStore, blocking: DictStore) -> None:
    AsyncFanoutStore([ours], write="quorum", read="fastest", on_failure=print)
    AsyncFanoutStore([ours], write="most")  # type: ignore[arg-type]
    AsyncFanoutStore([ours], read="any")  # type: ignore[arg-type]
    FanoutStore([blocking], write="any", read="quorum", repair=True, child_timeout=1)
    AsyncRetryStore(ours, attempts=2, sleep=a_sleep)
    AsyncRetryStore(ours, sleep=a_blocking_sleep)  # type: ignore[arg-type]
    RetryStore(blocking, retry_on=(OSError,), sleep=a_blocking_sleep)


async def handlers(store: AsyncNotifyingStore) -> None:
    def told(inner: AsyncObjectStore, key: str, error: Exception | None) -> None: ...
    async def awaited(inner: AsyncObjectStore, key: str, error: Exception | None) -> int:
        return 1

    store.on_put(told)
    store.on_delete(awaited)
    store.on_change(told)  # type: ignore[arg-type]
    assert_type(store.store, AsyncObjectStore)


def blocking_handlers(store: NotifyingStore, logged: LoggingStore) -> None:
    def told(inner: ObjectStore, action: str, key: str, error: Exception | None) -> None: ...

    store.on_change(told)
    store.on_put(told)  # type: ignore[arg-type]
    assert_type(logged.store, ObjectStore)
    assert_type(FanoutStore([logged]).children, tuple[ObjectStore, ...])
    assert_type(MetricsStore(logged).snapshot(), dict[str, VerbMetrics])
