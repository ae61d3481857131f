"""Stores made of stores, and whole stores moved: blocking."""

from ._core.codecs.coding import DecodeError, DecompressionLimit
from ._core.codecs.sealing import new_encryption_key
from ._core.transformers import (
    Base64Transformer,
    BufferTransformer,
    DataTransformer,
    GzipTransformer,
    JsonTransformer,
    TextEncodingTransformer,
    ZstdTransformer,
)
from ._sync.transfer.stores import clear_store, copy_store
from ._sync.transfer.sync import sync_stores
from ._sync.transfer.verify import verify_stores
from ._sync.wrappers.caching import CachingStore
from ._sync.wrappers.checksum import ChecksumStore
from ._sync.wrappers.compressing import Base64Store, GzipStore, ZstdStore
from ._sync.wrappers.encrypting import EncryptingStore
from ._sync.wrappers.fanout import FanoutStore, MirroringStore
from ._sync.wrappers.identity import IdentityStore
from ._sync.wrappers.texts import BufferStore, TextEncodingStore
from ._sync.wrappers.transforming import JsonStore, TransformingStore

__all__ = [
    "Base64Store",
    "Base64Transformer",
    "BufferStore",
    "BufferTransformer",
    "CachingStore",
    "ChecksumStore",
    "DataTransformer",
    "DecodeError",
    "DecompressionLimit",
    "EncryptingStore",
    "FanoutStore",
    "GzipStore",
    "GzipTransformer",
    "IdentityStore",
    "JsonStore",
    "JsonTransformer",
    "MirroringStore",
    "TextEncodingStore",
    "TextEncodingTransformer",
    "TransformingStore",
    "ZstdStore",
    "ZstdTransformer",
    "clear_store",
    "copy_store",
    "new_encryption_key",
    "sync_stores",
    "verify_stores",
]
