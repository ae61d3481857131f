"""Values of a slow store kept in a fast one."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, BinaryIO

from .base import Readable, Writable
from .decorators import StoreDecorator


class CacheDecorator(StoreDecorator):
    """Reads from a cache what it has, and fills it with what it has not.

    Every change goes to the backing store first; then the cache forgets the key, also where the
    change failed. Which keys there are, only the backing store knows. A cache that fails
    (``OSError``) is passed by.

    Args:
        cache: The fast store.
        store: The backing store.
    """

    def __init__(self, cache: Any, store: Any) -> None:
        super().__init__(store)
        self.cache = cache

    def get(self, key: str) -> bytes:
        """See `KeyValueStore`."""
        try:
            return self.cache.get(key)  # type: ignore[no-any-return]
        except KeyError:
            data: bytes = self._dstore.get(key)
            self._keep(key, data)
            return data
        except OSError:
            return self._dstore.get(key)  # type: ignore[no-any-return]

    def open(self, key: str) -> BinaryIO:
        """See `KeyValueStore`."""
        return self._from_cache("open", key)  # type: ignore[no-any-return]

    def get_file(self, key: str, file: str | os.PathLike[str] | Writable) -> str:
        """See `KeyValueStore`; what fails while ``file`` is written is raised."""
        try:
            self.cache.get_file(key, file)
        except KeyError:
            self._fill(key)
            source = self.cache if key in self.cache else self._dstore
            source.get_file(key, file)
        return key

    def put(self, key: str, data: bytes, *args: Any, **options: Any) -> str:
        """See `KeyValueStore`."""
        try:
            return self._dstore.put(key, data, *args, **options)  # type: ignore[no-any-return]
        finally:
            self.cache.delete(key)

    def put_file(
        self, key: str, file: str | os.PathLike[str] | Readable, *args: Any, **options: Any
    ) -> str:
        """See `KeyValueStore`."""
        try:
            return self._dstore.put_file(key, file, *args, **options)  # type: ignore[no-any-return]
        finally:
            self.cache.delete(key)

    def delete(self, key: str) -> Any:
        """See `KeyValueStore`."""
        try:
            return self._dstore.delete(key)
        finally:
            self.cache.delete(key)

    def copy(self, source: str, dest: str) -> str:
        """See `CopyMixin`; ``ValueError`` where the backing store does not copy."""
        if not hasattr(self._dstore, "copy"):
            raise ValueError(f"{self._dstore!r} does not copy")
        try:
            return self._dstore.copy(source, dest)  # type: ignore[no-any-return]
        finally:
            self.cache.delete(dest)

    def move(self, source: str, dest: str) -> str:
        """See `CopyMixin`."""
        try:
            return self._dstore.move(source, dest)  # type: ignore[no-any-return]
        finally:
            self.cache.delete(source)
            self.cache.delete(dest)

    def close(self) -> None:
        """Close both stores."""
        try:
            self.cache.close()
        finally:
            super().close()

    def _from_cache(self, verb: str, key: str) -> Any:
        try:
            return getattr(self.cache, verb)(key)
        except KeyError:
            self._fill(key)
        except OSError:
            return getattr(self._dstore, verb)(key)
        try:
            return getattr(self.cache, verb)(key)
        except (KeyError, OSError):  # the cache cannot hold it, or has let go of it already
            return getattr(self._dstore, verb)(key)

    def _fill(self, key: str) -> None:
        with self._dstore.open(key) as source:
            try:
                self.cache.put_file(key, source)
            except OSError:
                self._forget(key)

    def _keep(self, key: str, data: bytes) -> None:
        try:
            self.cache.put(key, data)
        except OSError:
            self._forget(key)

    def _forget(self, key: str) -> None:
        with suppress(OSError):  # it failed to take the value, and now it fails to be asked
            self.cache.delete(key)
