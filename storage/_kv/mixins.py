"""What some stores can do beyond the others."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from .._core.errors import ConfigError
from .base import KeyValueStore, Readable
from .pumping import is_path

FOREVER = "forever"
"""The value never expires."""
NOT_SET = "not_set"
"""Whatever the storage does with a value that says nothing of its time to live."""

TimeToLive: TypeAlias = float | int | str | None


def valid_ttl(ttl: TimeToLive) -> float | int | str:
    """A time to live, if it can be one.

    Raises:
        ConfigError: It is a negative time or none (a ``ValueError``).
    """
    if ttl in (FOREVER, NOT_SET):
        return ttl
    if not isinstance(ttl, int | float):
        raise ConfigError(f"a time to live is a number of seconds, not {ttl!r}")
    if not ttl >= 0:
        raise ConfigError(f"a time to live is not negative, as {ttl!r} is")
    return ttl


class UrlMixin:
    """A store that can give URLs of its values."""

    def url_for(self, key: str) -> str:
        """The URL of the value under a key, whether or not there is one."""
        self._check_valid_key(key)
        return self._url_for(key)

    def _url_for(self, key: str) -> str:
        raise NotImplementedError

    if TYPE_CHECKING:

        def _check_valid_key(self, key: str) -> None: ...


class UrlKeyValueStore(UrlMixin, KeyValueStore):
    """An older name for a store with URLs."""


class CopyMixin:
    """A store that copies and moves values without their passing through this process."""

    def copy(self, source: str, dest: str) -> str:
        """Copy a value; what is under ``dest`` is replaced.

        Returns:
            The key ``dest``.

        Raises:
            KeyError: There is nothing under ``source``.
        """
        self._check_valid_key(source)
        self._check_valid_key(dest)
        self._copy(source, dest)
        return dest

    def move(self, source: str, dest: str) -> str:
        """Move a value; arguments, result and errors are those of `copy`."""
        self._check_valid_key(source)
        self._check_valid_key(dest)
        self._move(source, dest)
        return dest

    def _copy(self, source: str, dest: str) -> Any:
        raise NotImplementedError

    def _move(self, source: str, dest: str) -> Any:
        self._copy(source, dest)
        if source != dest:
            self._delete(source)
        return dest

    if TYPE_CHECKING:  # the store's own

        def _check_valid_key(self, key: str) -> None: ...

        def _delete(self, key: str) -> Any: ...


class TimeToLiveMixin(KeyValueStore):
    """A store whose values may expire; the hooks ``_put...`` take the time as a third argument.

    A time to live is a number of seconds (from 0), `FOREVER`, `NOT_SET`, or None for the store's
    ``default_ttl_secs``.
    """

    ttl_support = True
    default_ttl_secs: TimeToLive = NOT_SET

    def put(self, key: str, data: bytes, ttl_secs: TimeToLive = None) -> str:
        """Store a value for some time.

        Args:
            key: Where.
            data: ``bytes``, and nothing else.
            ttl_secs: Seconds until it is gone; see the class.

        Returns:
            The key.

        Raises:
            ValueError: Also for a negative time, and for what is none.
        """
        self._check_valid_key(key)
        self._check_data(data)
        return self._put(key, data, self._valid_ttl(ttl_secs))

    def put_file(
        self, key: str, file: str | os.PathLike[str] | Readable, ttl_secs: TimeToLive = None
    ) -> str:
        """Store what is in a file for some time; see `put` and `KeyValueStore.put_file`."""
        ttl = self._valid_ttl(ttl_secs)
        self._check_valid_key(key)
        if is_path(file):
            return self._put_filename(key, os.fspath(file), ttl)
        return self._put_file(key, file, ttl)  # type: ignore[arg-type]

    def _valid_ttl(self, ttl_secs: TimeToLive) -> float | int | str:
        return valid_ttl(self.default_ttl_secs if ttl_secs is None else ttl_secs)

    def _put(self, key: str, data: bytes, ttl_secs: TimeToLive = NOT_SET) -> str:
        return self._put_file(key, BytesIO(data), ttl_secs)

    def _put_file(self, key: str, file: BinaryIO, ttl_secs: TimeToLive = NOT_SET) -> str:
        raise NotImplementedError

    def _put_filename(self, key: str, filename: str, ttl_secs: TimeToLive = NOT_SET) -> str:
        with open(filename, "rb") as source:
            return self._put_file(key, source, ttl_secs)
