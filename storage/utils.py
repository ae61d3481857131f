"""Stores made of stores, and whole stores moved: blocking."""

from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.chaos import ChaosStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
from ._sync.wrappers.guarding import ReadonlyStore, WriteonlyStore
from ._sync.wrappers.identity import IdentityStore
from ._sync.wrappers.limited import LimitStore
from ._sync.wrappers.logged import ExceptionLoggingStore, LoggingStore
from ._sync.wrappers.measured import MetricsStore
from ._sync.wrappers.notifying import NotifyingStore
from ._sync.wrappers.throttled import ThrottleStore
from ._sync.wrappers.timed import TimeoutStore
from ._sync.wrappers.traced import TracingStore

__all__ = [
    "CachingStore",
    "ChaosStore",
    "ExceptionLoggingStore",
    "FanoutStore",
    "IdentityStore",
    "LimitStore",
    "LoggingStore",
    "MetricsStore",
    "MirroringStore",
    "NotifyingStore",
    "ReadonlyStore",
    "ThrottleStore",
    "TimeoutStore",
    "TracingStore",
    "WriteonlyStore",
    "clear_store",
    "copy_store",
    "sync_stores",
    "verify_stores",
]
