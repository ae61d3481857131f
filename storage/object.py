"""The contract, the base classes, the store in memory, values and errors."""

from ._async.backends.memory import AsyncDictStore
from ._async.base import AsyncBaseStore
from ._async.pieces import Body, Sink
from ._async.streams import AsyncReader, AsyncWriter
from ._core.errors import (
    AccessDenied,
    BulkError,
    ConfigError,
    CorruptStore,
    FanoutError,
    IntegrityError,
    InvalidKey,
    MalformedResponse,
    ManyErrors,
    MissingExtra,
    NoSpace,
    NotModified,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    QuorumError,
    RefusedKey,
    SourceChanged,
    StoreClosed,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
    SyncError,
)
from ._core.files import Reader, Writer
from ._core.info import ByteRange, Capability, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ._core.protocol import AsyncObjectStore, ObjectStore, SupportsPresign, SupportsTTL
from ._core.urls import StoreURL
from ._sync.backends.memory import DictStore
from ._sync.base import BaseStore

__all__ = [
    "AccessDenied",
    "AsyncBaseStore",
    "AsyncDictStore",
    "AsyncObjectStore",
    "AsyncReader",
    "AsyncWriter",
    "BaseStore",
    "Body",
    "BulkError",
    "ByteRange",
    "Capability",
    "ConfigError",
    "CorruptStore",
    "DictStore",
    "FanoutError",
    "IntegrityError",
    "InvalidKey",
    "ListResult",
    "MalformedResponse",
    "ManyErrors",
    "MissingExtra",
    "NoSpace",
    "NotModified",
    "NotSupported",
    "ObjectExists",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "PreconditionFailed",
    "QuorumError",
    "ReadOptions",
    "Reader",
    "RefusedKey",
    "Sink",
    "SourceChanged",
    "StoreClosed",
    "StoreError",
    "StoreNotFound",
    "StoreTimeout",
    "StoreURL",
    "StoreUnavailable",
    "SupportsPresign",
    "SupportsTTL",
    "SyncError",
    "WriteOptions",
    "Writer",
]
