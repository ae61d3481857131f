"""The stores by the names that users of minimalkv know."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from .._core.errors import ObjectNotFound, StoreNotFound
from .._sync.backends import fs, memory
from .keys import ExtendedKeyspaceMixin
from .mixins import UrlMixin
from .objects import ObjectKeyValueStore, failures

Prefix: TypeAlias = str | Callable[["FilesystemStore", str], str]


@contextmanager
def _no_root() -> Iterator[None]:
    """Take a directory that is not there for an empty one."""
    try:
        with failures():
            yield
    except StoreNotFound as error:
        raise ObjectNotFound(str(error)) from error


class DictStore(ObjectKeyValueStore):
    """Values in a dict.

    Args:
        d: The dict itself, which is used and not copied; None for a new one.
    """

    def __init__(self, d: MutableMapping[str, bytes] | None = None) -> None:
        super().__init__(memory.DictStore(d))

    @property
    def d(self) -> MutableMapping[str, bytes]:
        """The dict that holds the values."""
        assert isinstance(self.store, memory.DictStore)
        return self.store.objects

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self.d),)


class FilesystemStore(UrlMixin, ObjectKeyValueStore):
    """Values in files under a directory, which the first one makes.

    ``put_file`` with a path moves that file in. Every put is atomic.

    Args:
        root: The directory.
        perm: The permissions that files get, such as ``0o640``; None: those of the umask.
        durable: Whether what was put survives a loss of power.
    """

    def __init__(
        self, root: str | os.PathLike[str], perm: int | None = None, *, durable: bool = True
    ) -> None:
        super().__init__(fs.FilesystemStore(root, durable=durable, file_mode=perm))
        self.root = os.fspath(root)
        self.perm = perm

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`; a directory that is not there yet holds nothing."""
        with suppress(KeyError):
            yield from super().iter_keys(prefix)

    def iter_prefixes(self, delimiter: str, prefix: str = "") -> Iterator[str]:
        """See `KeyValueStore`; a directory that is not there yet holds nothing."""
        with suppress(KeyError):
            yield from super().iter_prefixes(delimiter, prefix)

    def _failures(self) -> AbstractContextManager[None]:
        return _no_root()

    def _put_filename(self, key: str, filename: str) -> str:
        super()._put_filename(key, filename)
        if not os.path.samefile(filename, self._path(key)):
            os.unlink(filename)
        return key

    def _url_for(self, key: str) -> str:
        return Path(self._path(key)).absolute().as_uri()

    def _path(self, key: str) -> str:
        return os.path.join(self.root, key)


class WebFilesystemStore(FilesystemStore):
    """Files that a web server gives out.

    Args:
        root: The directory.
        url_prefix: What stands before a key in its URL, slash included; or a function of the store
            and the key that gives it.
        perm: See `FilesystemStore`.
        durable: See `FilesystemStore`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        url_prefix: Prefix,
        perm: int | None = None,
        *,
        durable: bool = True,
    ) -> None:
        super().__init__(root, perm, durable=durable)
        self.url_prefix = url_prefix

    def _url_for(self, key: str) -> str:
        prefix = self.url_prefix(self, key) if callable(self.url_prefix) else self.url_prefix
        return prefix + quote(key, safe="")


class HDictStore(ExtendedKeyspaceMixin, DictStore):
    """A `DictStore` whose keys may have slashes and spaces."""


class HFilesystemStore(ExtendedKeyspaceMixin, FilesystemStore):
    """A `FilesystemStore` whose keys may have slashes, which make directories, and spaces."""
