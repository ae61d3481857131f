"""Paths within a store, with the names of pathlib."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from .._async.typed.wanted import FileMetadata
from .._core.errors import ObjectNotFound
from .._core.globs import Globs
from .archives import load_archive, save_archive
from .keypaths import KeyPath, Other

if TYPE_CHECKING:
    from .blocking import AutoStore


class StorePath(KeyPath):
    """A key of a store, or what keys below it begin with.

    Nothing that it does leaves the store it belongs to, but for `download_to` and `upload_from`,
    whose other end is a local file, and for paths that are full URLs.

    Args:
        store: The store.
        path: Its key; slashes around it do not count, and ``.`` is left out.
    """

    _pending: bytearray | None = None
    """What was written and is not stored yet."""

    # -- values -------------------------------------------------------------------------------

    def load(self, format: str | None = None, ignore_cache: bool = False) -> Any:
        """The value; see `AutoStore.read`."""
        return self.store.read(self.path, format, ignore_cache=ignore_cache)

    def save(self, data: Any, format: str | None = None) -> None:
        """Store a value; see `AutoStore.write`."""
        self.store.write(self.path, data, format)

    def savez(self, *values: Any, compress: bool = True, **named: Any) -> None:
        """Store several values as one zip archive, each in its own form.

        Args:
            values: They are called ``arr_0``, ``arr_1`` ...
            compress: Whether they are deflated.
            named: Values with names.
        """
        each = {f"arr_{number}": value for number, value in enumerate(values)} | named
        self._archive().write_bytes(save_archive(self.store, each, compress))

    def loadz(self) -> dict[str, Any]:
        """The values of such an archive, by their names."""
        return load_archive(self.store, self._archive().read_bytes())

    def _archive(self) -> StorePath:
        return self if self.suffix == ".zip" else self._with(PurePosixPath(f"{self._path}.zip"))

    def _key(self, key: str) -> str:
        return (self / key).path if key else self.path

    def __getitem__(self, key: str) -> Any:
        return self.store[self._key(key)]

    def __setitem__(self, key: str, value: Any) -> None:
        self.store[self._key(key)] = value

    def __delitem__(self, key: str) -> None:
        del self.store[self._key(key)]

    def __contains__(self, key: str) -> bool:
        return self._key(key) in self.store

    # -- objects ------------------------------------------------------------------------------

    def exists(self, key: str = "") -> bool:
        """Whether there is a value, an object, or anything below."""
        path = self / key if key else self
        return not path.path or path.path in self.store or path.is_file() or path.is_dir()

    def is_file(self) -> bool:
        """Whether there is an object under this very key."""
        store, key = self._bytes()
        return bool(key) and store.exists(key)

    def is_dir(self) -> bool:
        """Whether there is an object below."""
        store, key = self._bytes()
        return next(iter(store.keys(f"{key}/" if key else "")), None) is not None

    def get_metadata(self, key: str = "") -> FileMetadata:
        """What is known of an object."""
        return self.store.get_metadata(self._key(key))

    def stat(self) -> FileMetadata:
        """The same."""
        return self.get_metadata()

    def read_bytes(self) -> bytes:
        """The object's bytes, whatever they mean."""
        store, key = self._bytes()
        data: bytes = store.get(key)
        return data

    def write_bytes(self, data: bytes) -> None:
        """Store bytes."""
        store, key = self._bytes()
        store.put(key, data)

    def read_text(self, encoding: str = "utf-8") -> str:
        """The object's bytes as text."""
        return self.read_bytes().decode(encoding)

    def write_text(self, data: str, encoding: str = "utf-8") -> None:
        """Store text as bytes."""
        self.write_bytes(data.encode(encoding))

    def write(self, data: bytes) -> int:
        """Add to what `close` makes the object of; returns how many bytes."""
        if self._pending is None:
            self._pending = bytearray()
        self._pending += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: an object appears as a whole."""

    def close(self) -> None:
        """Store what was written since the last time, if anything was."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self.write_bytes(bytes(pending))

    def readable(self) -> bool:
        """It is not: see `read_bytes`."""
        return False

    def writable(self) -> bool:
        """It is, from begin to end."""
        return True

    def seekable(self) -> bool:
        """It is not."""
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self._pending = None
        self.close()

    def upload_from(self, source: Other | StorePath) -> None:
        """Store what is in a local file, or in an object."""
        if isinstance(source, StorePath):
            source.copy_to(self)
            return
        store, key = self._bytes()
        with Path(source).open("rb") as file:
            store.put(key, file)

    def download_to(self, destination: Other) -> Path:
        """Write the object to a local file."""
        store, key = self._bytes()
        target = Path(destination)
        target.parent.mkdir(parents=True, exist_ok=True)
        with store.open_reader(key) as reader, target.open("wb") as file:
            while chunk := reader.read(1024 * 1024):
                file.write(chunk)
        return target

    def copy_to(self, destination: Other | StorePath) -> StorePath:
        """Copy the value to another path, of any store; see `AutoStore.copy`."""
        target = self._other(destination)
        if target.store is self.store:
            return StorePath(self.store, self.store.copy(self.path, target.path))
        found = self.store.find_file_fuzzy(self.path)
        if found is None:
            raise ObjectNotFound("there is no object under this key", key=self.path)
        extension = self.store._async._handlers.extension_of(found)
        if not target.store._async._handlers.extension_of(target.path):
            target = StorePath(target.store, target.path + extension)
        (store, key), (other, name) = StorePath(self.store, found)._bytes(), target._bytes()
        with store.open_reader(key) as reader:
            other.put(name, reader)
        return target

    def move_to(self, destination: Other | StorePath) -> StorePath:
        """Move the value to another path, of any store; see `AutoStore.move`."""
        target = self._other(destination)
        if target.store is self.store:
            return StorePath(self.store, self.store.move(self.path, target.path))
        moved = self.copy_to(target)
        self.delete()
        return moved

    def _other(self, destination: Other | StorePath) -> StorePath:
        if isinstance(destination, StorePath):
            return destination
        return StorePath(self.store, destination)

    def delete(self) -> None:
        """Remove the value."""
        self.store.delete(self.path)

    def unlink(self, missing_ok: bool = False) -> None:
        """The same."""
        self.store.delete(self.path, missing_ok=missing_ok)

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: a store has no directories but in its keys."""

    def rmdir(self) -> None:
        """Do nothing, unless there is something below. Raises ``OSError`` then."""
        if self.is_dir():
            raise OSError(39, "there are objects below", self.path)

    # -- below --------------------------------------------------------------------------------

    def iterdir(self) -> Iterator[StorePath]:
        """What is right below: objects, and what others begin with."""
        store, key = self._bytes()
        found = store.list_with_delimiter(f"{key}/" if key else "")
        names = [*found.prefixes, *(info.key for info in found.objects)]
        for name in sorted(names):
            yield self / name[len(key) :].strip("/")

    def list_files(self, pattern: str = "*", recursive: bool = True) -> Iterator[str]:
        """The keys of values below that a pattern matches, from here on."""
        store, key = self._bytes()
        base = f"{key}/" if key else ""
        globs, known = Globs([pattern]), self.store._async._handlers.extension_of
        for name in store.keys(base):
            rest = name[len(base) :]
            if known(rest) and (recursive or "/" not in rest) and globs.matches(rest):
                yield rest

    def glob(self, pattern: str) -> Iterator[StorePath]:
        """The paths of values below that a pattern matches."""
        return (self / name for name in self.list_files(pattern))

    def _bytes(self) -> tuple[Any, str]:
        """The store of bytes behind, and the key there."""
        store, key = self.store._async._placed(self.path, fresh=False)
        return self.store._blocking(store), key


class AutoPath(StorePath):
    """A `StorePath` that is made path first, and has a store of its own if it is given none.

    Args:
        path: A key, a local path, or a full URL.
        store: The store; None for the local directory or the file system's root.
    """

    def __new__(cls, path: Other, store: AutoStore | None = None) -> StorePath:  # type: ignore[misc]
        """Make the path."""
        if store is None:
            from .blocking import AutoStore

            absolute = os.fspath(path).startswith("/")
            store = AutoStore("/" if absolute else ".")
        return StorePath(store, path)
