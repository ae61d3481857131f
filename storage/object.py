"""The contract, the base classes, the store in memory, values and errors."""

from ._async.backends.memory import AsyncDictStore
from ._async.base import AsyncBaseStore
from ._core.errors import (
    AccessDenied,
    BulkError,
    ConfigError,
    CorruptStore,
    IntegrityError,
    InvalidKey,
    MalformedResponse,
    MissingExtra,
    NoSpace,
    NotModified,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from ._core.info import ByteRange, Capability, ListResult, ObjectInfo
from ._core.protocol import AsyncObjectStore, ObjectStore, SupportsPresign
from ._sync.backends.memory import DictStore
from ._sync.base import BaseStore

__all__ = [
    "AccessDenied",
    "AsyncBaseStore",
    "AsyncDictStore",
    "AsyncObjectStore",
    "BaseStore",
    "BulkError",
    "ByteRange",
    "Capability",
    "ConfigError",
    "CorruptStore",
    "DictStore",
    "IntegrityError",
    "InvalidKey",
    "ListResult",
    "MalformedResponse",
    "MissingExtra",
    "NoSpace",
    "NotModified",
    "NotSupported",
    "ObjectExists",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "PreconditionFailed",
    "StoreClosed",
    "StoreError",
    "StoreNotFound",
    "StoreTimeout",
    "StoreUnavailable",
    "SupportsPresign",
]
