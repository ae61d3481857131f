"""Stores made of stores, and whole stores moved: blocking."""

from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
from ._sync.wrappers.guarding import ReadonlyStore, WriteonlyStore
from ._sync.wrappers.identity import IdentityStore
from ._sync.wrappers.logged import ExceptionLoggingStore, LoggingStore
from ._sync.wrappers.notifying import NotifyingStore

__all__ = [
    "CachingStore",
    "ExceptionLoggingStore",
    "FanoutStore",
    "IdentityStore",
    "LoggingStore",
    "MirroringStore",
    "NotifyingStore",
    "ReadonlyStore",
    "WriteonlyStore",
    "clear_store",
    "copy_store",
    "sync_stores",
    "verify_stores",
]
