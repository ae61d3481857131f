"""Stores made of stores, and whole stores moved: for asyncio."""

from ._async.transfer.report import Action, SyncEvent, SyncReport
from ._async.transfer.stores import async_clear_store, async_copy_store
from ._async.transfer.sync import async_sync_stores
from ._async.transfer.verify import VerifyReport, async_verify_stores
from ._async.wrappers.caching import AsyncCachingStore
from ._async.wrappers.fanout import AsyncFanoutStore, AsyncMirroringStore
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
from ._async.wrappers.routing import AsyncRoutingStore

__all__ = [
    "Action",
    "AsyncCachingStore",
    "AsyncFanoutStore",
    "AsyncHashPrefixStore",
    "AsyncIdentityStore",
    "AsyncKeyTransformingStore",
    "AsyncKeyValidatingStore",
    "AsyncMirroringStore",
    "AsyncPrefixStore",
    "AsyncRegexRoutingStore",
    "AsyncRegexValidatingStore",
    "AsyncRoutingStore",
    "AsyncUrlEncodingStore",
    "AsyncUrlValidatingStore",
    "SyncEvent",
    "SyncReport",
    "VerifyReport",
    "async_clear_store",
    "async_copy_store",
    "async_sync_stores",
    "async_verify_stores",
]
