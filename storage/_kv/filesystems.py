"""Values in the file systems of fsspec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any, BinaryIO, cast

from .._core.errors import InvalidKey, ObjectNotFound, StoreUnavailable
from .base import KeyValueStore
from .pumping import pump


class FSSpecStore(KeyValueStore):
    """Values in the files of a file system of fsspec, whichever it is.

    A value is whole in memory when it is stored. Whether readers may see half of one is up to the
    file system. A subclass may write ``_create_filesystem``, which is called at the first use.

    Args:
        prefix: What stands before each key, exactly so: with a slash at its end, a directory.
        mkdir_prefix: Whether directories (or a bucket) are made for what is put.
        write_kwargs: What the file system is told with each value.
        custom_fs: The file system; None for what ``_create_filesystem`` makes.
    """

    def __init__(
        self,
        prefix: str = "",
        mkdir_prefix: bool = True,
        write_kwargs: Mapping[str, Any] | None = None,
        custom_fs: Any = None,
    ) -> None:
        self._prefix = prefix
        self._mkdir_prefix = mkdir_prefix
        self._write_kwargs = dict(write_kwargs or {})
        self._custom_fs = custom_fs
        self._made: Any = None

    def _create_filesystem(self) -> Any:
        raise NotImplementedError("a file system is the argument custom_fs, or made by a subclass")

    @property
    def _fs(self) -> Any:
        if self._custom_fs is not None:
            return self._custom_fs
        if self._made is None:
            self._made = self._create_filesystem()
        return self._made

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_made": None}

    def _place(self) -> tuple[str, str]:
        """The directory of all values, and what their paths begin with."""
        # Of a path, not of a directory, which would lose the slash at its end.
        begin = self._fs._strip_protocol(self._prefix + "x")[:-1]  # noqa: SLF001 - nothing else does
        return begin.rpartition("/")[0] or self._fs.root_marker, begin

    def _path(self, key: str) -> str:
        if not {"", ".", ".."}.isdisjoint(key.split("/")):
            raise InvalidKey(f"the key {key!r} is no path of a file")
        return self._place()[1] + key

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`."""
        directory, begin = self._place()
        with _failures(), suppress(FileNotFoundError):
            self._fs.invalidate_cache()  # others may have put something since
            for path in self._fs.find(directory):
                if path.startswith(begin + prefix):
                    yield path[len(begin) :]

    def _get(self, key: str) -> bytes:
        with _failures(key):
            return cast(bytes, self._fs.cat_file(self._path(key)))

    def _open(self, key: str) -> BinaryIO:
        with _failures(key):
            return cast(BinaryIO, self._fs.open(self._path(key), "rb"))

    def _put(self, key: str, data: bytes) -> str:
        path = self._path(key)
        with _failures():
            if self._mkdir_prefix:
                self._fs.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
            self._fs.pipe_file(path, data, **self._write_kwargs)
        return key

    def _put_file(self, key: str, file: BinaryIO) -> str:
        whole = BytesIO()
        pump(file.read, whole.write)
        return self._put(key, whole.getvalue())

    def _delete(self, key: str) -> None:
        with suppress(KeyError), _failures(key):
            self._fs.rm_file(self._path(key))

    def _has_key(self, key: str) -> bool:
        with _failures():
            self._fs.invalidate_cache()
            return bool(self._fs.isfile(self._path(key)))


@contextmanager
def _failures(key: str | None = None) -> Iterator[None]:
    """Tell what is not there, for a key, and what is no ``OSError`` though it should be."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError) as error:
        if key is None:
            raise
        raise ObjectNotFound("there is no value under this key", key=key) from error
    except (OSError, ValueError, KeyError, NotImplementedError):
        raise
    except Exception as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
