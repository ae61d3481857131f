"""Stores made of stores, and whole stores moved: blocking."""

from ._core.keytransforms import (
    HashPrefixKeyTransformer,
    KeyTransformer,
    PrefixKeyTransformer,
    RegexValidator,
    UrlEncodingKeyTransformer,
    ValidatingKeyTransformer,
    validate_http_url_key,
)
from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
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
from ._sync.wrappers.routing import RoutingStore

__all__ = [
    "CachingStore",
    "FanoutStore",
    "HashPrefixKeyTransformer",
    "HashPrefixStore",
    "IdentityStore",
    "KeyTransformer",
    "KeyTransformingStore",
    "KeyValidatingStore",
    "MirroringStore",
    "PrefixKeyTransformer",
    "PrefixStore",
    "RegexRoutingStore",
    "RegexValidatingStore",
    "RegexValidator",
    "RoutingStore",
    "UrlEncodingKeyTransformer",
    "UrlEncodingStore",
    "UrlValidatingStore",
    "ValidatingKeyTransformer",
    "clear_store",
    "copy_store",
    "sync_stores",
    "validate_http_url_key",
    "verify_stores",
]
