"""Stores made of stores, and whole stores moved: blocking."""

from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.breaker import CircuitBreakerStore
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
from ._sync.wrappers.hedge import HedgeStore
from ._sync.wrappers.identity import IdentityStore
from ._sync.wrappers.retry import RetryStore
from ._sync.wrappers.singleflight import SingleflightStore

__all__ = [
    "CachingStore",
    "CircuitBreakerStore",
    "FanoutStore",
    "HedgeStore",
    "IdentityStore",
    "MirroringStore",
    "RetryStore",
    "SingleflightStore",
    "clear_store",
    "copy_store",
    "sync_stores",
    "verify_stores",
]
