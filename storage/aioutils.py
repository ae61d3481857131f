"""Stores made of stores, and whole stores moved: for asyncio."""

from ._async.transfer.report import Action, SyncEvent, SyncReport
from ._async.transfer.stores import async_clear_store, async_copy_store
from ._async.transfer.sync import async_sync_stores
from ._async.transfer.verify import VerifyReport, async_verify_stores
from ._async.wrappers.breaker import AsyncCircuitBreakerStore
from ._async.wrappers.caching import AsyncCachingStore
from ._async.wrappers.fanout import AsyncFanoutStore, AsyncMirroringStore
from ._async.wrappers.hedge import AsyncHedgeStore
from ._async.wrappers.identity import AsyncIdentityStore
from ._async.wrappers.retry import AsyncRetryStore
from ._async.wrappers.singleflight import AsyncSingleflightStore

__all__ = [
    "Action",
    "AsyncCachingStore",
    "AsyncCircuitBreakerStore",
    "AsyncFanoutStore",
    "AsyncHedgeStore",
    "AsyncIdentityStore",
    "AsyncMirroringStore",
    "AsyncRetryStore",
    "AsyncSingleflightStore",
    "SyncEvent",
    "SyncReport",
    "VerifyReport",
    "async_clear_store",
    "async_copy_store",
    "async_sync_stores",
    "async_verify_stores",
]
