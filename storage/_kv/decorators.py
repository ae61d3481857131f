"""Stores around stores: other keys, or fewer verbs."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote_plus, unquote_plus

from .._core.errors import InvalidKey
from .base import KeyValueStore, cut_prefixes


class StoreDecorator:
    """Hands on to a store whatever a subclass does not do itself.

    ``isinstance(decorated, KeyValueStore)`` is true.

    Args:
        store: The store around which this one is.
    """

    def __init__(self, store: Any) -> None:
        self._dstore = store

    def __getattr__(self, name: str) -> Any:
        if name == "_dstore":  # copying and unpickling ask before there is any
            raise AttributeError(name)
        return getattr(self._dstore, name)

    def __contains__(self, key: str) -> bool:
        return key in self._dstore

    def __iter__(self) -> Iterator[str]:
        return iter(self._dstore)

    def close(self) -> None:
        """Close the store."""
        self._dstore.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._dstore!r})"


KeyValueStore.register(StoreDecorator)


class KeyTransformingDecorator(StoreDecorator):
    """Keeps values under other keys; a subclass says how keys are mapped.

    ``_map_key`` and ``_map_key_prefix`` go in, ``_unmap_key`` comes out, and ``_filter`` says
    which of the store's keys are any of ours.
    """

    def _map_key(self, key: str) -> str:
        return key

    def _map_key_prefix(self, key_prefix: str) -> str:
        return key_prefix

    def _unmap_key(self, key: str) -> str:
        return key

    def _filter(self, key: str) -> bool:
        return True

    def __contains__(self, key: str) -> bool:
        return self._map_key(key) in self._dstore

    def __iter__(self) -> Iterator[str]:
        return self.iter_keys()

    def get(self, key: str, *args: Any, **options: Any) -> bytes:
        return self._dstore.get(self._map_key(key), *args, **options)  # type: ignore[no-any-return]

    def get_file(self, key: str, *args: Any, **options: Any) -> str:
        self._dstore.get_file(self._map_key(key), *args, **options)
        return key

    def open(self, key: str) -> BinaryIO:
        return self._dstore.open(self._map_key(key))  # type: ignore[no-any-return]

    def put(self, key: str, *args: Any, **options: Any) -> str:
        return self._unmap_key(self._dstore.put(self._map_key(key), *args, **options))

    def put_file(self, key: str, *args: Any, **options: Any) -> str:
        return self._unmap_key(self._dstore.put_file(self._map_key(key), *args, **options))

    def delete(self, key: str) -> Any:
        return self._dstore.delete(self._map_key(key))

    def copy(self, source: str, dest: str) -> str:
        return self._unmap_key(self._dstore.copy(self._map_key(source), self._map_key(dest)))

    def move(self, source: str, dest: str) -> str:
        return self._unmap_key(self._dstore.move(self._map_key(source), self._map_key(dest)))

    def url_for(self, key: str, *args: Any, **options: Any) -> str:
        return self._dstore.url_for(self._map_key(key), *args, **options)  # type: ignore[no-any-return]

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        found = self._dstore.iter_keys(self._map_key_prefix(prefix))
        return (self._unmap_key(key) for key in found if self._filter(key))

    def keys(self, prefix: str = "") -> list[str]:
        return list(self.iter_keys(prefix))

    def iter_prefixes(self, delimiter: str, prefix: str = "") -> Iterator[str]:
        return cut_prefixes(self.iter_keys(prefix), delimiter, prefix)


class PrefixDecorator(KeyTransformingDecorator):
    """Keeps values under keys that begin with a prefix, and shows no others.

    Args:
        prefix: What stands before each key.
        store: The store.
    """

    def __init__(self, prefix: str, store: Any) -> None:
        super().__init__(store)
        self.prefix = prefix

    def _filter(self, key: str) -> bool:
        return key.startswith(self.prefix)

    def _map_key(self, key: str) -> str:
        self._check_valid_key(key)
        return self.prefix + key

    def _map_key_prefix(self, key_prefix: str) -> str:
        return self.prefix + key_prefix

    def _unmap_key(self, key: str) -> str:
        return key[len(self.prefix) :]

    def iter_prefixes(self, delimiter: str, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`; the delimiter stays what it is."""
        found = self._dstore.iter_prefixes(delimiter, self._map_key_prefix(prefix))
        return (self._unmap_key(name) for name in found if self._filter(name))


class URLEncodeKeysDecorator(KeyTransformingDecorator):
    """Takes keys of any letters, and keeps them percent-encoded (a space as ``+``)."""

    def _map_key(self, key: str) -> str:
        if not isinstance(key, str):
            raise InvalidKey(f"a key is a str, not {type(key).__name__}")
        return quote_plus(key)

    def _map_key_prefix(self, key_prefix: str) -> str:
        return quote_plus(key_prefix)

    def _unmap_key(self, key: str) -> str:
        return unquote_plus(key)


_READS = frozenset({"get", "iter_keys", "keys", "open", "get_file"})


class ReadOnlyDecorator(StoreDecorator):
    """Has only the verbs that read; others are ``AttributeError``.

    It keeps accidents away, and not an attacker: the store is in ``_dstore``.
    """

    def __getattr__(self, name: str) -> Any:
        if name in _READS:
            return super().__getattr__(name)
        raise AttributeError(f"a read-only store has no {name!r}")
