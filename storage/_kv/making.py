"""Stores by type and parameters, or by URL."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any

from .._core.errors import ConfigError
from .base import KeyValueStore
from .buckets import HS3Store, S3Store
from .clouds import (
    AzureBlockBlobStore,
    GoogleCloudStore,
    HAzureBlockBlobStore,
    HGoogleCloudStore,
    in_container,
)
from .decorators import ReadOnlyDecorator, StoreDecorator, URLEncodeKeysDecorator
from .keys import ExtendedKeyspaceMixin
from .objects import ObjectKeyValueStore
from .redis import HRedisStore, RedisStore
from .stores import DictStore, FilesystemStore, HDictStore, HFilesystemStore
from .urls import is_known, url2dict


class HObjectKeyValueStore(ExtendedKeyspaceMixin, ObjectKeyValueStore):
    """The values are a store's objects, whose keys may have slashes and spaces."""


def get_store_from_url(url: str, store_cls: type[KeyValueStore] | None = None) -> Any:
    """Make the store that a URL means.

    - ``memory://``
    - ``fs://relative/path``, ``fs:///absolute/path``
    - ``redis://[[user:]password@]host[:port][/database]``
    - ``s3://key:secret@host[:port]/bucket``, ``s3://key:secret@/bucket`` for AWS itself
    - ``gcs://credentials@bucket``, with the JSON of the credentials in URL-safe Base64
    - ``azure://account:key@container``
    - any other URL that `storage.open_store` takes

    With an ``h`` before the scheme keys may have slashes and spaces. Options (``?a=b``) are those
    of `get_store`; ``create_if_missing`` is one of all. Wrappers are ``readonly`` and
    ``urlencode``: ``fs+readonly://data`` (the first is outermost) or ``fs://data#wrap:readonly``
    (the last is). Letters that have a meaning in URLs are percent-encoded.

    Args:
        url: As above.
        store_cls: The class that the store has to be of, before it is wrapped.

    Raises:
        ConfigError: The URL or an option in it makes no sense, or it is another class's (a
            ``ValueError``).
    """
    scheme = url.partition("://")[0].partition("+")[0]
    if is_known(scheme):
        parameters = url2dict(url, raise_on_extra_params=True)
        return _wrapped(parameters.pop("wrap", ""), _made(parameters, store_cls))
    extended = scheme.startswith("h") and not scheme.startswith("http")
    made = HObjectKeyValueStore(url.removeprefix("h")) if extended else ObjectKeyValueStore(url)
    return _checked(made, store_cls)


def get_store(type: str, create_if_missing: bool = True, **params: Any) -> Any:  # noqa: A002
    """Make a store.

    Args:
        type: ``memory``, ``fs``, ``redis``, ``s3``, ``gcs`` or ``azure``, perhaps with an ``h``
            before it, so that keys may have slashes and spaces; and perhaps with wrappers after
            it, the first outermost: ``fs+readonly``.
        create_if_missing: Whether a directory, bucket or container is made.
        params: ``wrap``, with wrappers innermost first: ``urlencode+readonly``. All others are the
            type's: ``path``, ``perm``; ``host``, ``bucket``, ``access_key``, ``secret_key`` ...

    Raises:
        ConfigError: There is no such type or parameter (a ``ValueError``).
    """
    name, *outermost_first = type.split("+")
    wrap = params.pop("wrap", "")
    if wrap and outermost_first:
        raise ConfigError("wrappers stand in the type or in wrap, not in both")
    store = _made({"type": name, "create_if_missing": create_if_missing, **params})
    return _wrapped(wrap or "+".join(reversed(outermost_first)), store)


def create_store(type: str, params: dict[str, Any]) -> Any:  # noqa: A002
    """An older form of `get_store`."""
    warnings.warn("create_store is get_store by now", DeprecationWarning, stacklevel=2)
    return get_store(type, **params)


def decorate_store(store: Any, decoratorname: str) -> StoreDecorator:
    """Put a wrapper around a store by its name: ``readonly`` or ``urlencode``."""
    name = decoratorname.partition("(")[0]
    if name not in _DECORATORS:
        raise ConfigError(f"no wrapper has the name {name!r}; known: {', '.join(_DECORATORS)}")
    return _DECORATORS[name](store)


_DECORATORS: dict[str, Callable[[Any], StoreDecorator]] = {
    "readonly": ReadOnlyDecorator,
    "urlencode": URLEncodeKeysDecorator,
}


def _wrapped(innermost_first: str, store: Any) -> Any:
    return reduce(decorate_store, filter(None, innermost_first.split("+")), store)


def _made(parameters: dict[str, Any], store_cls: type[KeyValueStore] | None = None) -> Any:
    parameters = {"create_if_missing": True, **parameters}
    name = parameters.pop("type")
    maker = _MAKERS.get(name)
    if maker is None:
        raise ConfigError(f"unknown type of key-value store: {name!r}")
    kind, make = maker
    if store_cls is not None and not issubclass(kind, store_cls):
        raise ConfigError(f"{name} is a {kind.__name__} and no {store_cls.__name__}")
    try:
        return make(kind, **parameters)
    except TypeError as error:
        raise ConfigError(f"a parameter of {name} is not known or missing: {error}") from None


def _checked(store: KeyValueStore, store_cls: type[KeyValueStore] | None) -> KeyValueStore:
    if store_cls is not None and not isinstance(store, store_cls):
        raise ConfigError(f"{store!r} is no {store_cls.__name__}")
    return store


def _in_memory(kind: type[DictStore], *, create_if_missing: bool) -> DictStore:
    return kind()


def _in_files(
    kind: type[FilesystemStore],
    *,
    create_if_missing: bool,
    path: str,
    perm: int | None = None,
) -> FilesystemStore:
    if create_if_missing:
        os.makedirs(path, exist_ok=True)
    return kind(path, perm)


def _in_bucket(
    kind: type[S3Store],
    *,
    bucket: str,
    create_if_missing: bool,
    access_key: str | None = None,
    force_bucket_suffix: bool = True,
    **options: Any,
) -> S3Store:
    if bucket and force_bucket_suffix and access_key:
        suffix = f"-{access_key.lower()}"
        bucket = bucket if bucket.endswith(suffix) else bucket + suffix
    return kind(bucket, access_key=access_key, create_if_missing=create_if_missing, **options)


def _in_redis(kind: type[RedisStore], *, create_if_missing: bool, **options: Any) -> RedisStore:
    return kind.connect(**options)


def _by_name(kind: type[KeyValueStore], **options: Any) -> KeyValueStore:
    return kind(**options)


_MAKERS: dict[str, tuple[type[Any], Callable[..., Any]]] = {
    "azure": (AzureBlockBlobStore, in_container),
    "boto": (HS3Store, _in_bucket),
    "file": (FilesystemStore, _in_files),
    "filesystem": (HFilesystemStore, _in_files),
    "fs": (FilesystemStore, _in_files),
    "gcs": (GoogleCloudStore, _by_name),
    "hazure": (HAzureBlockBlobStore, in_container),
    "hfile": (HFilesystemStore, _in_files),
    "hfs": (HFilesystemStore, _in_files),
    "hgcs": (HGoogleCloudStore, _by_name),
    "hmemory": (HDictStore, _in_memory),
    "hredis": (HRedisStore, _in_redis),
    "hs3": (HS3Store, _in_bucket),
    "memory": (DictStore, _in_memory),
    "redis": (RedisStore, _in_redis),
    "s3": (S3Store, _in_bucket),
}
