"""Key-value stores with minimalkv's names and behaviour, over any store of this package."""

from ._kv.base import KeyValueStore
from ._kv.boto import Boto3Store, Credentials, HBoto3Store, HS3FSStore, S3FSStore
from ._kv.buckets import HS3Store, S3Store
from ._kv.cache import CacheDecorator
from ._kv.clouds import (
    AzureBlockBlobStore,
    GoogleCloudStore,
    HAzureBlockBlobStore,
    HGoogleCloudStore,
)
from ._kv.crypt import HMACDecorator, VerificationException
from ._kv.decorators import (
    KeyTransformingDecorator,
    PrefixDecorator,
    ReadOnlyDecorator,
    StoreDecorator,
    URLEncodeKeysDecorator,
)
from ._kv.filesystems import FSSpecStore
from ._kv.idgen import HashDecorator, UUIDDecorator
from ._kv.keys import (
    VALID_KEY_RE,
    VALID_KEY_RE_EXTENDED,
    VALID_KEY_REGEXP,
    VALID_KEY_REGEXP_EXTENDED,
    VALID_NON_NUM,
    VALID_NON_NUM_EXTENDED,
    ExtendedKeyspaceMixin,
)
from ._kv.making import create_store, decorate_store, get_store, get_store_from_url
from ._kv.mixins import (
    FOREVER,
    NOT_SET,
    CopyMixin,
    TimeToLiveMixin,
    UrlKeyValueStore,
    UrlMixin,
)
from ._kv.redis import HRedisStore, RedisStore
from ._kv.stores import (
    DictStore,
    FilesystemStore,
    HDictStore,
    HFilesystemStore,
    WebFilesystemStore,
)
from ._kv.urls import extract_params, url2dict

__all__ = [
    "FOREVER",
    "NOT_SET",
    "VALID_KEY_RE",
    "VALID_KEY_REGEXP",
    "VALID_KEY_REGEXP_EXTENDED",
    "VALID_KEY_RE_EXTENDED",
    "VALID_NON_NUM",
    "VALID_NON_NUM_EXTENDED",
    "AzureBlockBlobStore",
    "Boto3Store",
    "CacheDecorator",
    "CopyMixin",
    "Credentials",
    "DictStore",
    "ExtendedKeyspaceMixin",
    "FSSpecStore",
    "FilesystemStore",
    "GoogleCloudStore",
    "HAzureBlockBlobStore",
    "HBoto3Store",
    "HDictStore",
    "HFilesystemStore",
    "HGoogleCloudStore",
    "HMACDecorator",
    "HRedisStore",
    "HS3FSStore",
    "HS3Store",
    "HashDecorator",
    "KeyTransformingDecorator",
    "KeyValueStore",
    "PrefixDecorator",
    "ReadOnlyDecorator",
    "RedisStore",
    "S3FSStore",
    "S3Store",
    "StoreDecorator",
    "TimeToLiveMixin",
    "URLEncodeKeysDecorator",
    "UUIDDecorator",
    "UrlKeyValueStore",
    "UrlMixin",
    "VerificationException",
    "WebFilesystemStore",
    "create_store",
    "decorate_store",
    "extract_params",
    "get_store",
    "get_store_from_url",
    "url2dict",
]
