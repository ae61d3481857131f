"""AutoStore for asyncio: a typed store that opens what URLs and options say."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from .._async.base import AsyncBaseStore
from .._async.foreign import lift
from .._async.typed.store import AsyncTypedStore
from .._async.wrappers.caching import AsyncCachingStore
from .._core import calls
from .._core.errors import ConfigError
from .._core.protocol import AsyncObjectStore
from .._formats.table import handlers
from . import backends
from .caches import cached, remove_expired
from .options import Given, StorageConfig, chosen
from .registering import Registering

WHOLE_PATHS = ("s3", "memory")
"""Schemes of which a whole path is a key; of others its last part is, in a directory."""


class AsyncAutoStore(AsyncTypedStore, Registering):
    """A typed store over whatever a URL, a path or a store says; `AutoStore` for asyncio.

    ``await store.write("df", df)``, ``await store.read("df")``. What keys mean is told by
    `AsyncTypedStore`. A key that is a full URL of a known scheme (``"s3://bucket/df.parquet"``)
    means an object elsewhere, in any verb.

    Args:
        storage_uri: A URL as for `open_async_store`, a path, or an async store.
        config: A `StorageConfig`, `S3StorageConfig`, `Options` or `S3Options`; or several, each
            for the URLs of its ``scheme``.
        options: The same by its later name.
        allow_pickle: Whether anything may be pickled, and pickles be read. Reading one runs
            whatever code its writer has put into it.
        settings: Single fields of the options, such as ``cache_enabled=True``.

    Raises:
        ConfigError: No such scheme or option.
    """

    def __init__(
        self,
        storage_uri: str | os.PathLike[str] | AsyncObjectStore,
        config: Given = None,
        *,
        options: Given = None,
        allow_pickle: bool = False,
        **settings: Any,
    ) -> None:
        if config is not None and options is not None:
            raise ConfigError("config and options are two names of one argument")
        told = config if options is None else options
        self._options = (told,) if isinstance(told, StorageConfig) else tuple(told or ())
        if not all(isinstance(each, StorageConfig) for each in self._options):
            # Their text may hold secrets.
            raise ConfigError(
                f"options are one StorageConfig or several, not {type(told).__name__}"
            )
        self._settings = settings
        self._others: dict[str, AsyncBaseStore] = {}
        self._lock = threading.Lock()
        self._root: Path | None
        super().__init__(self._opened(storage_uri), handlers(allow_pickle=allow_pickle))

    _passing = (*AsyncTypedStore._passing, "_lock", "_others")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._others, self._lock = {}, threading.Lock()

    # -- opening ----------------------------------------------------------------------------

    def _chosen(self, scheme: str, strict: bool = False) -> StorageConfig | None:
        return chosen(self._options, scheme, self._settings, strict=strict)

    def _known_schemes(self) -> set[str]:
        return {each.scheme for each in self._options} - {""}

    def _opened(self, place: str | os.PathLike[str] | AsyncObjectStore) -> AsyncBaseStore:
        if not isinstance(place, str | os.PathLike):
            self._uri, self._root = "", None
            options = self._chosen("", strict=True) or next(iter(self._options), None)
            return cached(lift(place), options)
        self._uri = os.fspath(place)
        scheme = backends.scheme_of(self._uri, self._known_schemes())
        self._root = backends.directory_of(self._uri)
        options = self._chosen(scheme or "file", strict=True)
        return cached(backends.open_place(self._uri, options, scheme), options)

    async def __aenter__(self) -> Self:
        if self._root is not None:
            await calls.call(self._root.mkdir, parents=True, exist_ok=True)
        await super().__aenter__()
        return self

    # -- other stores -------------------------------------------------------------------------

    def _placed(self, key: str, fresh: bool) -> tuple[AsyncBaseStore, str]:
        store, key = self._located(key)
        if fresh and isinstance(store, AsyncCachingStore):
            return store._child, key
        return store, key

    def _listed(self, prefix: str) -> tuple[AsyncBaseStore, str, str]:
        scheme = backends.scheme_of(prefix, self._known_schemes())
        if not scheme:
            return super()._listed(prefix)
        root, rest = _split(prefix, scheme)
        return self._other(root, scheme), f"{root}/", rest

    def _located(self, key: str) -> tuple[AsyncBaseStore, str]:
        scheme = backends.scheme_of(key, self._known_schemes())
        if not scheme:
            return self._store, key
        root, rest = _split(key, scheme)
        if not rest:
            raise ConfigError(f"a full URL names an object: {_shown(root)}/key")
        return self._other(root, scheme), rest

    def _other(self, root: str, scheme: str) -> AsyncBaseStore:
        self._store._check_open("open")
        with self._lock:
            store = self._others.get(root)
            if store is None:
                options = self._chosen(scheme)
                store = cached(backends.open_place(root, options, scheme), options)
                self._others[root] = store
        return store

    def _places(self) -> list[AsyncBaseStore]:
        """The store itself, and those that were opened for full URLs."""
        return [self._store, *self._others.values()]

    def _stores(self) -> list[AsyncBaseStore]:
        # A store that was not entered leaves what it is made of alone.
        return [each for store in self._places() for each in _with_its_own(store)]

    def list_active_backends(self) -> list[str]:
        """The places that are open: the store's own, and those of full URLs."""
        return [_shown(self._uri) or repr(self._store), *map(_shown, self._others)]

    async def invalidate_backend_cache(self, scheme: str) -> None:
        """Close the stores that were opened for full URLs of a scheme."""
        with self._lock:
            gone = [root for root in self._others if root.partition("://")[0] == scheme]
            stores = [self._others.pop(root) for root in gone]
        await self._close([each for store in stores for each in _with_its_own(store)])

    # -- the cache ----------------------------------------------------------------------------

    async def invalidate_cache(self, key: str) -> None:
        """Forget what is cached of an object."""
        store = self._wanted(key).store
        found = await self.find_file_fuzzy(key)
        if found is not None and isinstance(store, AsyncCachingStore):
            await self._on(store, store.clear(found))

    async def cleanup_cache(self) -> None:
        """Remove what is older than ``cache_expiry_hours`` from the disk."""
        for store in self._places():
            scheme = backends.scheme_of(self._uri)
            options = self._chosen(scheme) or StorageConfig()
            await self._on(store, _swept(store, options.cache_expiry_hours))

    async def cleanup_expired_cache(self) -> None:
        """The same as `cleanup_cache`."""
        await self.cleanup_cache()


def _with_its_own(store: AsyncBaseStore) -> list[AsyncBaseStore]:
    """A store, and behind it what it was made of here."""
    return [store, *(store._children if isinstance(store, AsyncCachingStore) else ())]


async def _swept(store: AsyncBaseStore, hours: float) -> None:
    await remove_expired(store, hours)


def _shown(url: str) -> str:
    """A URL without user and password."""
    return re.sub("://[^/]*@", "://", url)


def _split(url: str, scheme: str) -> tuple[str, str]:
    """The URL of a store, and the key of an object in it, or what such begin with."""
    before, _, path = url.partition("://")
    if scheme in WHOLE_PATHS or "/" not in path.rstrip("/"):
        root, _, key = path.partition("/")
    else:
        slash = "/" if path.endswith("/") else ""
        root, _, key = path.rstrip("/").rpartition("/")
        key += slash
    return f"{before}://{root}", unquote(key)
