"""The base class: what users call, and what a backend writes."""

from __future__ import annotations

import os
from abc import ABCMeta
from collections.abc import Iterator
from io import BytesIO
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Protocol, Self

from .keys import check_key
from .pumping import is_path, pump, replacing


class Readable(Protocol):
    """Any file that can be read; a read may give less than it was asked for."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """Any file that takes bytes."""

    def write(self, data: bytes, /) -> Any: ...


def cut_prefixes(keys: Iterator[str], delimiter: str, prefix: str) -> Iterator[str]:
    """What keys begin with, each once; see `KeyValueStore.iter_prefixes`."""
    seen = set()
    for key in keys:
        before, found, _ = key[len(prefix) :].partition(delimiter)
        name = prefix + before + found
        if name not in seen:
            seen.add(name)
            yield name


class KeyValueStore(metaclass=ABCMeta):
    """Values of bytes under keys of ASCII letters, digits and `VALID_NON_NUM`.

    The names and the behaviour are those that users of minimalkv know. A backend of one's own
    writes ``_delete``, ``_open``, ``_put_file`` and ``iter_keys``; the other hooks have defaults
    that are made of these.

    Every method raises ``ValueError`` for what is no key, ``KeyError`` where a value is asked for
    that is not there, and ``OSError`` where the storage failed.

    ``KeyValueStore(store)`` keeps its values in any store of this package: a blocking or an async
    one, the URL of one, or any object with the five blocking verbs.
    """

    _over_a_store: ClassVar[type[Any]]
    """What ``KeyValueStore(store)`` makes; `objects`, which stands above, says it."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        made: Any = cls._over_a_store if cls is KeyValueStore and arguments else cls
        return object.__new__(made)  # type: ignore[no-any-return]

    # -- one value --------------------------------------------------------------------------

    def get(self, key: str) -> bytes:
        """The value under a key."""
        self._check_valid_key(key)
        return self._get(key)

    def put(self, key: str, data: bytes) -> str:
        """Store a value.

        Args:
            key: Where; what is there is replaced.
            data: ``bytes``, and nothing else.

        Returns:
            The key.

        Raises:
            OSError: Also for data of another type.
        """
        self._check_valid_key(key)
        self._check_data(data)
        return self._put(key, data)

    def get_file(self, key: str, file: str | os.PathLike[str] | Writable) -> str:
        """Write a value into a file.

        Args:
            key: Which value.
            file: A path, whose file is replaced when the whole value is there, or an object with
                a ``write``.

        Returns:
            The key.
        """
        self._check_valid_key(key)
        if is_path(file):
            return self._get_filename(key, os.fspath(file))
        return self._get_file(key, file)  # type: ignore[arg-type]

    def put_file(self, key: str, file: str | os.PathLike[str] | Readable) -> str:
        """Store what is in a file.

        Args:
            key: Where.
            file: A path (some stores move that file; open it yourself to keep it), or an object
                with a ``read``.

        Returns:
            The key.
        """
        self._check_valid_key(key)
        if is_path(file):
            return self._put_filename(key, os.fspath(file))
        return self._put_file(key, file)  # type: ignore[arg-type]

    def open(self, key: str) -> BinaryIO:
        """A value as a file to read; whether it is there is known at once."""
        self._check_valid_key(key)
        return self._open(key)

    def delete(self, key: str) -> Any:
        """Remove a value; nothing happens where there is none."""
        self._check_valid_key(key)
        return self._delete(key)

    def __contains__(self, key: str) -> bool:
        self._check_valid_key(key)
        return self._has_key(key)

    # -- all of them ------------------------------------------------------------------------

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with a prefix, in any order."""
        raise NotImplementedError

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with a prefix, in any order."""
        return list(self.iter_keys(prefix))

    def __iter__(self) -> Iterator[str]:
        return self.iter_keys()

    def iter_prefixes(self, delimiter: str, prefix: str = "") -> Iterator[str]:
        """What keys begin with, each once: up to the first delimiter after the prefix.

        Args:
            delimiter: Such as ``"/"``; a key without one comes whole.
            prefix: What the keys begin with.
        """
        return cut_prefixes(self.iter_keys(prefix), delimiter, prefix)

    # -- its life ---------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of connections and files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- what a backend writes --------------------------------------------------------------

    def _check_valid_key(self, key: str) -> None:
        check_key(key)

    def _check_data(self, data: object) -> None:
        if not isinstance(data, bytes):
            raise OSError(f"a value is of type bytes, not {type(data).__name__}")

    def _delete(self, key: str) -> Any:
        raise NotImplementedError

    def _open(self, key: str) -> BinaryIO:
        raise NotImplementedError

    def _put_file(self, key: str, file: BinaryIO) -> str:
        raise NotImplementedError

    def _get(self, key: str) -> bytes:
        buffer = BytesIO()
        self._get_file(key, buffer)
        return buffer.getvalue()

    def _get_file(self, key: str, file: BinaryIO) -> str:
        source = self._open(key)
        try:
            pump(source.read, file.write)
        finally:
            source.close()
        return key

    def _get_filename(self, key: str, filename: str) -> str:
        with replacing(filename) as file:
            return self._get_file(key, file)

    def _put(self, key: str, data: bytes) -> str:
        return self._put_file(key, BytesIO(data))

    def _put_filename(self, key: str, filename: str) -> str:
        with open(filename, "rb") as source:
            return self._put_file(key, source)

    def _has_key(self, key: str) -> bool:
        return any(key == found for found in self.iter_keys(key))
