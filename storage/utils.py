"""Stores made of stores, and whole stores moved: blocking."""

from ._core.codecs.coding import DecodeError, DecompressionLimit
from ._core.codecs.sealing import new_encryption_key
from ._core.keytransforms import (
    HashPrefixKeyTransformer,
    KeyTransformer,
    PrefixKeyTransformer,
    RegexValidator,
    UrlEncodingKeyTransformer,
    ValidatingKeyTransformer,
    validate_http_url_key,
)
from ._core.transformers import (
    Base64Transformer,
    BufferTransformer,
    DataTransformer,
    GzipTransformer,
    JsonTransformer,
    TextEncodingTransformer,
    ZstdTransformer,
)
from ._sync.transfer.events import SyncRun
from ._sync.transfer.planning import apply_plan, plan_sync
from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.breaker import CircuitBreakerStore
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.chaos import ChaosStore
from ._sync.wrappers.checksum import ChecksumStore
from ._sync.wrappers.compressing import Base64Store, GzipStore, ZstdStore
from ._sync.wrappers.encrypting import EncryptingStore
from ._sync.wrappers.expiring import TTLStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
from ._sync.wrappers.guarding import ReadonlyStore, WriteonlyStore
from ._sync.wrappers.hedge import HedgeStore
from ._sync.wrappers.identity import IdentityStore
from ._sync.wrappers.keyed import KeyTransformingStore
from ._sync.wrappers.keys import (
    HashPrefixStore,
    KeyValidatingStore,
    PrefixStore,
    RegexRoutingStore,
    RegexValidatingStore,
    UrlEncodingStore,
    UrlValidatingStore,
)
from ._sync.wrappers.limited import LimitStore
from ._sync.wrappers.logged import ExceptionLoggingStore, LoggingStore
from ._sync.wrappers.measured import MetricsStore
from ._sync.wrappers.notifying import NotifyingStore
from ._sync.wrappers.retry import RetryStore
from ._sync.wrappers.routing import RoutingStore
from ._sync.wrappers.singleflight import SingleflightStore
from ._sync.wrappers.texts import BufferStore, TextEncodingStore
from ._sync.wrappers.throttled import ThrottleStore
from ._sync.wrappers.timed import TimeoutStore
from ._sync.wrappers.traced import TracingStore
from ._sync.wrappers.transforming import JsonStore, TransformingStore

__all__ = [
    "Base64Store",
    "Base64Transformer",
    "BufferStore",
    "BufferTransformer",
    "CachingStore",
    "ChaosStore",
    "ChecksumStore",
    "CircuitBreakerStore",
    "DataTransformer",
    "DecodeError",
    "DecompressionLimit",
    "EncryptingStore",
    "ExceptionLoggingStore",
    "FanoutStore",
    "GzipStore",
    "GzipTransformer",
    "HashPrefixKeyTransformer",
    "HashPrefixStore",
    "HedgeStore",
    "IdentityStore",
    "JsonStore",
    "JsonTransformer",
    "KeyTransformer",
    "KeyTransformingStore",
    "KeyValidatingStore",
    "LimitStore",
    "LoggingStore",
    "MetricsStore",
    "MirroringStore",
    "NotifyingStore",
    "PrefixKeyTransformer",
    "PrefixStore",
    "ReadonlyStore",
    "RegexRoutingStore",
    "RegexValidatingStore",
    "RegexValidator",
    "RetryStore",
    "RoutingStore",
    "SingleflightStore",
    "SyncRun",
    "TTLStore",
    "TextEncodingStore",
    "TextEncodingTransformer",
    "ThrottleStore",
    "TimeoutStore",
    "TracingStore",
    "TransformingStore",
    "UrlEncodingKeyTransformer",
    "UrlEncodingStore",
    "UrlValidatingStore",
    "ValidatingKeyTransformer",
    "WriteonlyStore",
    "ZstdStore",
    "ZstdTransformer",
    "apply_plan",
    "clear_store",
    "copy_store",
    "new_encryption_key",
    "plan_sync",
    "sync_stores",
    "validate_http_url_key",
    "verify_stores",
]
