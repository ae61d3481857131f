"""Any store of this package, or of anybody's with the five verbs, as a key-value store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, BinaryIO, Self, cast

from .._async.base import AsyncBaseStore
from .._core.errors import NotSupported, StoreError
from .._registry import open_store
from .._sync.base import BaseStore
from .._sync.wrappers.identity import IdentityStore
from .base import KeyValueStore, Readable
from .mixins import FOREVER, NOT_SET, CopyMixin, TimeToLive, valid_ttl


class StorageFailure(StoreError, OSError):
    """The storage failed; the cause is what this package raises for it elsewhere."""


@contextmanager
def failures() -> Iterator[None]:
    """Raise as users of key-value stores know it: ``KeyError``, ``ValueError`` or ``OSError``."""
    try:
        yield
    except (KeyError, ValueError, OSError, NotImplementedError, ImportError):
        raise
    except StoreError as error:
        raise StorageFailure(str(error)) from error


class ObjectKeyValueStore(CopyMixin, KeyValueStore):
    """The values are a store's objects; made by ``KeyValueStore(store)``.

    Args:
        store: A blocking or async store of this package, the URL of one, or any object with the
            five blocking verbs.

    Where the store knows lifetimes (``ttl_support``), values may have a time to live, as
    `TimeToLiveMixin` says; its own hooks know nothing of it.
    """

    default_ttl_secs: TimeToLive = NOT_SET

    def __init__(self, store: Any) -> None:
        self.store: BaseStore = _blocking(store)
        """The store that has the objects."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"

    @property
    def ttl_support(self) -> bool:
        """Whether values can have a time to live."""
        return hasattr(self.store, "with_ttl")

    def put(self, key: str, data: bytes, ttl_secs: TimeToLive = None) -> str:
        """Store a value, for some time if there is one; see `TimeToLiveMixin`."""
        return super(ObjectKeyValueStore, self._living(ttl_secs)).put(key, data)

    def put_file(
        self, key: str, file: str | os.PathLike[str] | Readable, ttl_secs: TimeToLive = None
    ) -> str:
        """Store what is in a file, for some time if there is one; see `TimeToLiveMixin`."""
        return super(ObjectKeyValueStore, self._living(ttl_secs)).put_file(key, file)

    def _living(self, ttl_secs: TimeToLive) -> Self:
        """This store, for values that live so long."""
        ttl = valid_ttl(self.default_ttl_secs if ttl_secs is None else ttl_secs)
        if ttl == NOT_SET or (ttl == FOREVER and not self.ttl_support):
            return self
        if not self.ttl_support:
            raise NotSupported("values of this store have no time to live", operation="put")
        living = object.__new__(type(self))
        vars(living).update(vars(self))
        store: Any = self.store
        living.store = store.with_ttl(None if ttl == FOREVER else ttl)
        return living

    def close(self) -> None:
        """Close the store that has the objects."""
        self.store.close()

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`; the listing streams."""
        with self._failures():
            yield from self.store.keys(prefix)

    def iter_prefixes(self, delimiter: str, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`; the storage itself does it where it can."""
        with self._failures():
            level = self.store.list_with_delimiter(prefix, delimiter)
        yield from level.prefixes
        yield from (info.key for info in level.objects)

    def size(self, key: str) -> int:
        """The length of a value in bytes."""
        self._check_valid_key(key)
        with self._failures():
            size = self.store.head(key).size
        return len(self._get(key)) if size is None else size

    def _failures(self) -> AbstractContextManager[None]:
        return failures()

    def _get(self, key: str) -> bytes:
        with self._failures():
            return self.store.get(key)

    def _open(self, key: str) -> BinaryIO:
        with self._failures():
            return cast(BinaryIO, self.store.open_reader(key))

    def _put(self, key: str, data: bytes) -> str:
        with self._failures():
            self.store.put(key, data)
        return key

    def _put_file(self, key: str, file: BinaryIO) -> str:
        with self._failures():
            self.store.put(key, file)
        return key

    def _delete(self, key: str) -> None:
        with suppress(KeyError), self._failures():
            self.store.delete(key, missing_ok=True)

    def _has_key(self, key: str) -> bool:
        with suppress(KeyError), self._failures():
            return self.store.exists(key)
        return False

    def _copy(self, source: str, dest: str) -> None:
        with self._failures():
            self.store.copy(source, dest)

    def _move(self, source: str, dest: str) -> None:
        with self._failures():
            self.store.move(source, dest)


KeyValueStore._over_a_store = ObjectKeyValueStore  # noqa: SLF001 - its own package


def _blocking(store: Any) -> BaseStore:
    if isinstance(store, str | os.PathLike):
        return open_store(store)
    if isinstance(store, BaseStore):
        return store
    if isinstance(store, AsyncBaseStore):
        return BaseStore.around(store)
    return IdentityStore(store)
