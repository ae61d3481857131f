"""Backends in AutoStore's sense: how the store of a URL is opened, and users' own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from .._async.backends._files.urls import path_of
from .._async.backends.s3.defaults import POOL
from .._async.base import AsyncBaseStore
from .._async.foreign import AsyncForeignStore
from .._core.adapt import ThreadedStore
from .._core.errors import ObjectNotFound
from .._core.urls import StoreURL
from .._registry import BACKENDS, open_async_store
from .filebackend import StorageBackend
from .options import S3Options, StorageConfig

MIN_PART = 5 * 1024 * 1024
_SAID_ALIKE = (
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
    *("endpoint_url", "region_name", "verify"),
)


class _BackendStore:
    """A user's backend as a store."""

    def __init__(self, backend: StorageBackend) -> None:
        self._backend = backend

    def __repr__(self) -> str:
        return f"{type(self._backend).__name__}({self._backend.uri!r})"

    def get(self, key: str) -> bytes:
        """See `ObjectStore`."""
        with TemporaryDirectory(prefix="storage-") as directory:
            path = Path(directory, "object")
            try:
                self._backend.download(key, path)
            except FileNotFoundError as error:
                raise ObjectNotFound("there is no object under this key", key=key) from error
            return path.read_bytes()

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectStore`."""
        with TemporaryDirectory(prefix="storage-") as directory:
            path = Path(directory, "object")
            path.write_bytes(data)
            self._backend.upload(path, key)

    def exists(self, key: str) -> bool:
        """See `ObjectStore`."""
        return self._backend.exists(key)

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        self._backend.delete(key)

    def keys(self) -> Iterator[str]:
        """See `ObjectStore`."""
        yield from self._backend.list_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._backend.cleanup()


class LocalFileBackend:
    """Directories, by our own store: what may be registered, and is there anyway."""


class S3Backend:
    """Buckets, by our own store: what may be registered, and is there anyway."""

    @staticmethod
    def open(url: str, options: StorageConfig) -> AsyncBaseStore:
        """The store of ``s3://bucket/prefix?region=...&endpoint_url=...``."""
        from .._async.backends.s3.store import AsyncBucketStore
        from .._async.backends.s3.urls import options_of

        parsed = StoreURL.parse(url)
        told = options_of(parsed)
        parsed.finish()
        arguments = {"timeout": options.timeout, **_of_s3(options)}
        return AsyncBucketStore.connect(**{**arguments, **told})


def _of_s3(options: StorageConfig) -> dict[str, Any]:
    """The arguments of ``connect`` that options mean."""
    found: dict[str, Any] = {}
    config = _client_config(options)
    if config:
        from aiobotocore.config import AioConfig

        found["config"] = AioConfig(**config)
    if isinstance(options, S3Options):
        told = {name: getattr(options, name) for name in _SAID_ALIKE}
        found |= {name: value for name, value in told.items() if value is not None}
        found |= {} if options.use_ssl else {"use_ssl": False}
        found |= {"profile": options.profile_name} if options.profile_name else {}
        found["part_size"] = max(MIN_PART, options.multipart_chunksize)
    return found


def _client_config(options: StorageConfig) -> dict[str, Any]:
    """What a client has to be configured with; as a rule it is what it has by itself."""
    config: dict[str, Any] = {}
    if options.max_retries != StorageConfig.max_retries:
        attempts = options.max_retries + 1
        config["retries"] = {"mode": "standard", "total_max_attempts": attempts}
    if isinstance(options, S3Options) and options.max_concurrency > POOL:
        config["max_pool_connections"] = options.max_concurrency
    return config


_DIRECTORIES = ("file", "hashdir", "safe")
_BUILT_IN = frozenset(backend.scheme for backend in BACKENDS)
_registered: dict[str, Any] = {}
"""What users have registered, by scheme."""


def register(scheme: str, backend: Callable[..., Any]) -> None:
    """Let URLs of a scheme be opened by a backend."""
    _registered[scheme.lower()] = backend


def unregister(scheme: str) -> None:
    """Forget what was registered for a scheme."""
    _registered.pop(scheme.lower(), None)


def schemes() -> list[str]:
    """All schemes that are known, sorted."""
    return sorted({*_registered, *_BUILT_IN})


def scheme_of(key: str, others: Collection[str] = ()) -> str:
    """The known scheme with which a full URL begins; empty for any other text.

    Args:
        others: Schemes that are known besides.
    """
    scheme, found, _ = key.partition("://")
    inner = scheme.lower().rpartition("+")[2]  # wrappers stand before it
    known = inner in others or inner in _registered or inner in _BUILT_IN
    return inner if found and known else ""


def directory_of(url: str) -> Path | None:
    """The directory that a URL or a path means; None where it is something else."""
    if "://" not in url:
        return Path(url)
    inner = url.partition("://")[0].lower()
    return Path(path_of(StoreURL.parse(url))) if inner in _DIRECTORIES else None


def open_place(url: str, options: StorageConfig | None, scheme: str) -> AsyncBaseStore:
    """The store of a URL; nothing is touched yet."""
    backend = _registered.get(scheme)
    if backend is S3Backend or (backend is None and isinstance(options, S3Options)):
        url = f"s3{url[url.index('://') :]}"
        return S3Backend.open(url, options) if options else open_async_store(url)
    if backend is None or backend is LocalFileBackend:
        return _timed(open_async_store(url), url, options)
    if hasattr(backend, "from_url"):
        parsed = StoreURL.parse(url)
        store: AsyncBaseStore = backend.from_url(parsed)
        parsed.finish()
        return store
    return AsyncForeignStore(ThreadedStore(_BackendStore(backend(url, options or StorageConfig()))))


def _timed(store: AsyncBaseStore, url: str, options: StorageConfig | None) -> AsyncBaseStore:
    """A store with the time limit that was asked for, unless its URL says another one."""
    if options is not None and "timeout=" not in url:
        store._timeout = options.timeout
    return store
