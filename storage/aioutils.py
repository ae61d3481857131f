"""Stores made of stores, and whole stores moved: for asyncio."""

from ._async.transfer.events import AsyncSyncRun
from ._async.transfer.options import SyncOptions
from ._async.transfer.plan import SyncPlan, read_plan
from ._async.transfer.planning import async_apply_plan, async_plan_sync
from ._async.transfer.report import Action, SyncEvent, SyncReport
from ._async.transfer.selection import Selection
from ._async.transfer.stores import async_clear_store, async_copy_store
from ._async.transfer.sync import async_sync_stores
from ._async.transfer.verify import VerifyReport, async_verify_stores
from ._async.wrappers._cache.counters import CacheStats
from ._async.wrappers.breaker import AsyncCircuitBreakerStore
from ._async.wrappers.caching import AsyncCachingStore
from ._async.wrappers.chaos import AsyncChaosStore, Fault
from ._async.wrappers.checksum import AsyncChecksumStore
from ._async.wrappers.compressing import AsyncBase64Store, AsyncGzipStore, AsyncZstdStore
from ._async.wrappers.encrypting import AsyncEncryptingStore
from ._async.wrappers.expiring import AsyncTTLStore
from ._async.wrappers.fanout import AsyncFanoutStore, AsyncMirroringStore
from ._async.wrappers.guarding import AsyncReadonlyStore, AsyncWriteonlyStore
from ._async.wrappers.hedge import AsyncHedgeStore
from ._async.wrappers.identity import AsyncIdentityStore
from ._async.wrappers.keyed import AsyncKeyTransformingStore
from ._async.wrappers.keys import (
    AsyncHashPrefixStore,
    AsyncKeyValidatingStore,
    AsyncPrefixStore,
    AsyncRegexRoutingStore,
    AsyncRegexValidatingStore,
    AsyncUrlEncodingStore,
    AsyncUrlValidatingStore,
)
from ._async.wrappers.limited import AsyncLimitStore
from ._async.wrappers.logged import AsyncExceptionLoggingStore, AsyncLoggingStore
from ._async.wrappers.measured import AsyncMetricsStore, VerbMetrics
from ._async.wrappers.notifying import AsyncNotifyingStore
from ._async.wrappers.retry import AsyncRetryStore
from ._async.wrappers.routing import AsyncRoutingStore
from ._async.wrappers.singleflight import AsyncSingleflightStore
from ._async.wrappers.texts import AsyncBufferStore, AsyncTextEncodingStore
from ._async.wrappers.throttled import AsyncThrottleStore
from ._async.wrappers.timed import AsyncTimeoutStore
from ._async.wrappers.traced import AsyncTracingStore
from ._async.wrappers.transforming import AsyncJsonStore, AsyncTransformingStore

__all__ = [
    "Action",
    "AsyncBase64Store",
    "AsyncBufferStore",
    "AsyncCachingStore",
    "AsyncChaosStore",
    "AsyncChecksumStore",
    "AsyncCircuitBreakerStore",
    "AsyncEncryptingStore",
    "AsyncExceptionLoggingStore",
    "AsyncFanoutStore",
    "AsyncGzipStore",
    "AsyncHashPrefixStore",
    "AsyncHedgeStore",
    "AsyncIdentityStore",
    "AsyncJsonStore",
    "AsyncKeyTransformingStore",
    "AsyncKeyValidatingStore",
    "AsyncLimitStore",
    "AsyncLoggingStore",
    "AsyncMetricsStore",
    "AsyncMirroringStore",
    "AsyncNotifyingStore",
    "AsyncPrefixStore",
    "AsyncReadonlyStore",
    "AsyncRegexRoutingStore",
    "AsyncRegexValidatingStore",
    "AsyncRetryStore",
    "AsyncRoutingStore",
    "AsyncSingleflightStore",
    "AsyncSyncRun",
    "AsyncTTLStore",
    "AsyncTextEncodingStore",
    "AsyncThrottleStore",
    "AsyncTimeoutStore",
    "AsyncTracingStore",
    "AsyncTransformingStore",
    "AsyncUrlEncodingStore",
    "AsyncUrlValidatingStore",
    "AsyncWriteonlyStore",
    "AsyncZstdStore",
    "CacheStats",
    "Fault",
    "Selection",
    "SyncEvent",
    "SyncOptions",
    "SyncPlan",
    "SyncReport",
    "VerbMetrics",
    "VerifyReport",
    "async_apply_plan",
    "async_clear_store",
    "async_copy_store",
    "async_plan_sync",
    "async_sync_stores",
    "async_verify_stores",
    "read_plan",
]
