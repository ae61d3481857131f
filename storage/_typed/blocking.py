# What a twin holds is never replaced:
# pyright: reportIncompatibleVariableOverride=false
"""AutoStore: a typed store that is used like a dictionary."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

from .._core.adapt import to_async
from .._core.protocol import ObjectStore
from .._sync.typed.store import TypedStore
from .asynchronous import AsyncAutoStore
from .options import Given
from .paths import StorePath
from .registering import Registering


class AutoStore(TypedStore, Registering):
    """A dictionary of values of any form, over whatever a URL, a path or a store says.

    ``store["df"] = df`` keeps a frame as ``df.parquet``, and ``store["df"]`` gives it back. What
    keys mean is told by `TypedStore`. A key that is a full URL of a known scheme
    (``"s3://bucket/df.parquet"``) means an object elsewhere, in any verb. ``store / "a" / "b"``
    is a `StorePath`. To iterate lists the keys; `len` lists them, too, and Python asks for it in
    ``list(store)``: ``list(store.keys())`` is one listing instead of two.

    Args:
        storage_uri: A URL as for `open_store`, a path, or a store. A directory is made if there
            is none.
        config: A `StorageConfig`, `S3StorageConfig`, `Options` or `S3Options`; or several, each
            for the URLs of its ``scheme``.
        options: The same by its later name.
        allow_pickle: Whether anything may be pickled, and pickles be read. Reading one runs
            whatever code its writer has put into it.
        settings: Single fields of the options, such as ``cache_enabled=True``.

    Raises:
        ConfigError: No such scheme or option.
    """

    _async: AsyncAutoStore
    _async_type: ClassVar[type[AsyncAutoStore]] = AsyncAutoStore

    def __init__(
        self,
        storage_uri: str | os.PathLike[str] | ObjectStore,
        config: Given = None,
        *,
        options: Given = None,
        allow_pickle: bool = False,
        **settings: Any,
    ) -> None:
        place: Any = storage_uri
        if not isinstance(place, str | os.PathLike):
            place = to_async(place)
        self._hold(
            AsyncAutoStore(place, config, options=options, allow_pickle=allow_pickle, **settings)
        )
        if self._async._root is not None:
            self._async._root.mkdir(parents=True, exist_ok=True)

    # -- a dictionary -----------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self.read(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.write(key, value)

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.exists(key)

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> bool:
        return True  # or the question would list all keys

    def __truediv__(self, path: str | os.PathLike[str]) -> StorePath:
        return StorePath(self, path)

    # -- places and caches ------------------------------------------------------------------

    def list_active_backends(self) -> list[str]:
        """The places that are open: the store's own, and those of full URLs."""
        return self._async.list_active_backends()

    def invalidate_backend_cache(self, scheme: str) -> None:
        """Close the stores that were opened for full URLs of a scheme."""
        self._run(self._async.invalidate_backend_cache(scheme))

    def invalidate_cache(self, key: str) -> None:
        """Forget what is cached of an object."""
        self._run(self._async.invalidate_cache(key))

    def cleanup_cache(self) -> None:
        """Remove what is older than ``cache_expiry_hours`` from the disk."""
        self._run(self._async.cleanup_cache())

    def cleanup_expired_cache(self) -> None:
        """The same as `cleanup_cache`."""
        self.cleanup_cache()

    def cleanup(self) -> None:
        """Close the store; there are no temporary files that would be left. See `close`."""
        self.close()
