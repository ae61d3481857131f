"""Which URL opens which store: one table, one line a scheme, in alphabetical order.

Other packages add their own by an entry point of the group ``storage.backends``, whose name is
the scheme and whose object is an async store class with a ``from_url``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ._core.errors import ConfigError
from ._core.urls import StoreURL

if TYPE_CHECKING:
    from ._async.base import AsyncBaseStore
    from ._sync.base import BaseStore

GROUP = "storage.backends"


class Backend(NamedTuple):
    """One line of the table."""

    scheme: str
    asynchronous: str
    """Façade and class of the async store."""
    blocking: str
    """Façade and class of its blocking twin."""
    example: str
    module: str
    """Where both are, below ``backends``; a façade would bring the other one along."""
    extra: str | None = None
    """What has to be installed with ``pip install 'storage[extra]'``."""

    def kind(self, *, blocking: bool) -> Any:
        """The class, from the module that has it."""
        side, place = ("_sync", self.blocking) if blocking else ("_async", self.asynchronous)
        return _load(f"{side}.backends.{self.module}:{place.partition(':')[2]}")


BACKENDS = (
    Backend(
        "az",
        "azure:AsyncAzureBlobStore",
        "azure:AzureBlobStore",
        "az://account:key@container/prefix",
        "azure.store",
        "azure",
    ),
    Backend(
        "azure",
        "azure:AsyncAzureBlobStore",
        "azure:AzureBlobStore",
        "azure://account@container?sas_token=...",
        "azure.store",
        "azure",
    ),
    Backend("file", "aiofs:AsyncFilesystemStore", "fs:FilesystemStore", "file:///srv/data", "fs"),
    Backend(
        "ftp",
        "ftp:AsyncFtpStore",
        "ftp:FtpStore",
        "ftp://host/pub",
        "ftp.store",
        "ftp",
    ),
    Backend(
        "ftps",
        "ftp:AsyncFtpStore",
        "ftp:FtpStore",
        "ftps://user:password@host/srv/data",
        "ftp.store",
        "ftp",
    ),
    Backend(
        "gcs",
        "gcs:AsyncGoogleCloudStore",
        "gcs:GoogleCloudStore",
        "gcs://bucket?token=...",
        "gcs.store",
        "gcs",
    ),
    Backend(
        "gs",
        "gcs:AsyncGoogleCloudStore",
        "gcs:GoogleCloudStore",
        "gs://bucket/prefix",
        "gcs.store",
        "gcs",
    ),
    Backend(
        "hashdir", "aiofs:AsyncHashdirStore", "fs:HashdirStore", "hashdir:///srv/hashed", "hashdir"
    ),
    Backend(
        "http",
        "http:AsyncHttpStore",
        "http:HttpStore",
        "http://localhost:8080/files",
        "http.store",
        "http",
    ),
    Backend(
        "https",
        "http:AsyncHttpStore",
        "http:HttpStore",
        "https://example.org/files",
        "http.store",
        "http",
    ),
    Backend("memory", "object:AsyncDictStore", "object:DictStore", "memory://", "memory"),
    Backend(
        "postgres",
        "postgres:AsyncPostgresStore",
        "postgres:PostgresStore",
        "postgres://localhost/app",
        "postgres.store",
        "postgres",
    ),
    Backend(
        "postgresql",
        "postgres:AsyncPostgresStore",
        "postgres:PostgresStore",
        "postgresql://user:password@localhost/app?table=objects",
        "postgres.store",
        "postgres",
    ),
    Backend(
        "redis",
        "redis:AsyncRedisStore",
        "redis:RedisStore",
        "redis://localhost/0",
        "redis.store",
        "redis",
    ),
    Backend(
        "rediss",
        "redis:AsyncRedisStore",
        "redis:RedisStore",
        "rediss://user:password@example.com/0",
        "redis.store",
        "redis",
    ),
    Backend(
        "s3",
        "s3:AsyncBucketStore",
        "s3:BucketStore",
        "s3://bucket/prefix?region=eu-west-1",
        "s3.store",
        "s3",
    ),
    Backend(
        "safe", "aiofs:AsyncSafeFilesystemStore", "fs:SafeFilesystemStore", "safe:///srv/safe", "fs"
    ),
    Backend(
        "sftp",
        "sftp:AsyncSftpStore",
        "sftp:SftpStore",
        "sftp://user@host/srv/data",
        "sftp.store",
        "sftp",
    ),
    Backend(
        "sqlite",
        "aiodb:AsyncSqliteStore",
        "db:SqliteStore",
        "sqlite:///srv/objects.sqlite",
        "db.store",
    ),
    Backend("zip", "zip:AsyncZipStore", "zip:ZipStore", "zip:///srv/objects.zip", "zip"),
)
_BY_SCHEME = {backend.scheme: backend for backend in BACKENDS}


def open_async_store(url: str | os.PathLike[str]) -> AsyncBaseStore:
    """Make the async store that a URL means; nothing is touched yet.

    Args:
        url: Such as ``s3://bucket/prefix?region=eu-west-1``; a path, or a text without ``://``,
            means a directory. Wrappers stand before the scheme, outermost first, and their
            arguments are options: ``gzip+prefix+s3://bucket?prefix.prefix=tenant/``, or
            ``s3://bucket?wrap=gzip,prefix&prefix.prefix=tenant/``.

    Raises:
        ConfigError: No such scheme, wrapper or option, or a value that makes no sense.
        MissingExtra: The backend needs a package that is not installed.
    """
    parsed = _parse(url)
    layers = _layers(parsed)
    backend = _BY_SCHEME.get(parsed.scheme)
    kind = backend.kind(blocking=False) if backend else _entry_point(parsed.scheme)
    store = _made(kind, parsed)
    for layer in reversed(layers):
        store = layer.around(store, "aioutils", open_async_store)
    return store  # type: ignore[no-any-return]


def open_store(url: str | os.PathLike[str]) -> BaseStore:
    """Make the blocking store that a URL means; arguments and errors are `open_async_store`'s."""
    parsed = _parse(url)
    layers = _layers(parsed)
    backend = _BY_SCHEME.get(parsed.scheme)
    if backend:
        store = _made(backend.kind(blocking=True), parsed)
    else:
        store = _load("object:BaseStore").around(_made(_entry_point(parsed.scheme), parsed))
    for layer in reversed(layers):
        store = layer.around(store, "utils", open_store)
    return store  # type: ignore[no-any-return]


def _layers(url: StoreURL) -> list[Any]:
    """The wrappers that a URL names, which are taken out of it."""
    if "+" not in url.scheme and "wrap" not in url.options:
        return []
    from ._wrapping import take_layers

    return take_layers(url, _entry_points)


def _parse(url: str | os.PathLike[str]) -> StoreURL:
    if isinstance(url, os.PathLike):
        return StoreURL("file", path=os.fspath(url))
    if "://" not in url:
        scheme, colon, rest = url.partition(":")
        if colon and scheme in _BY_SCHEME:  # a directory of such a name is hardly meant
            raise ConfigError(f"a URL has two slashes: {scheme}://{rest}")
        return StoreURL("file", path=url)
    return StoreURL.parse(url)


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"storage.{module}"), name)


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points  # slow to import, and seldom needed

    return {point.name: point for point in entry_points(group=GROUP)}


def _entry_point(scheme: str) -> Any:
    found = _entry_points()
    if scheme not in found:
        known = ", ".join(sorted({*_BY_SCHEME, *found}))
        raise ConfigError(f"no store has the scheme {scheme!r}; known: {known}")
    return found[scheme].load()


def _made(kind: Any, url: StoreURL) -> Any:
    store = kind.from_url(url)
    url.finish()
    return store
