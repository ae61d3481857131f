"""The backends that pyStorageBackend has, under its names and by its settings."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from ..._core import calls
from ..._core.errors import ConfigError, CorruptStore
from ..backends.db.errors import translate
from ..backends.db.store import AsyncSqliteStore
from ..backends.fs import AsyncFilesystemStore
from ..base import AsyncBaseStore
from .backend import checked
from .keyed import AsyncObjectBackend
from .onefile import AsyncFileBackend
from .words import UID, InvalidUIDException

B = TypeVar("B", AsyncFileBackend, AsyncObjectBackend)

FOR_ALL = ("max_key_length", "max_data_length")
"""Settings of `AsyncStorage` itself."""
CONVERTED = 7205
"""``user_version`` of a database whose upgrade was interrupted."""


class AsyncLocalJsonBackend(AsyncFileBackend):
    """A collection in a JSON file of this machine.

    Args:
        settings: ``path``, and the options of `AsyncFileBackend`: ``codec``, ``lock``,
            ``lock_wait``, ``copies``.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        options = _options(settings)
        directory, name = os.path.split(os.fspath(options.pop("path")))
        super().__init__(
            AsyncFilesystemStore(directory or "."), name, **checked(AsyncFileBackend, options)
        )


class AsyncFtpJsonBackend(AsyncFileBackend):
    """A collection in a JSON file on an FTP server.

    Args:
        settings: ``url`` (the host, perhaps with a port), ``username``, ``password``, ``path``
            (from the top of what the server shows), and the options of `AsyncFileBackend`. The
            connection is encrypted, unless ``tls`` is ``"none"``, which with a password takes
            ``allow_plaintext``, too; ``ca_file`` is a file of certificates to trust.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        from ..backends.ftp.store import AsyncFtpStore

        options = _options(settings)
        host, port = _host_and_port(options.pop("url", None))
        directory, name = os.path.split(options.pop("path"))
        login = ("username", "password", "tls", "allow_plaintext", "ca_file")
        taken = {each: options.pop(each) for each in login if each in options}
        remake = partial(AsyncFtpStore, host, f"/{directory.strip('/')}", port=port, **taken)
        super().__init__(remake(), name, **checked(AsyncFileBackend, options))
        self._home.remake = remake


class AsyncSqlite3Backend(AsyncObjectBackend):
    """Documents in an SQLite database, each value durable at once.

    A database of pyStorageBackend's is made one of ours when it is opened, in one transaction;
    that package cannot read it any more.

    Args:
        settings: ``path``, and perhaps ``copies``.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        options = _options(settings)
        self._path = os.fspath(options.pop("path"))
        remake = partial(AsyncSqliteStore, self._path)
        super().__init__(remake(), **checked(AsyncObjectBackend, options))
        self._home.remake = remake

    async def create(self) -> None:
        """Open it; the first value makes the file, and its table."""
        await self.open()

    async def open(self) -> None:
        """Open the database, and take over what pyStorageBackend has left there."""
        legacy = await calls.call(_take_over, self._path, self._key)
        await super().open()
        if legacy:
            await self._store.upgrade()

    @property
    def _store(self) -> AsyncSqliteStore:
        assert isinstance(self._home.store, AsyncSqliteStore)
        return self._home.store


def owning(backend: B, remake: Callable[[], AsyncBaseStore]) -> B:
    """A backend that closes the store which was made for it, and makes it anew to open again."""
    backend._home.remake = remake
    return backend


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "path" not in settings:
        raise ConfigError("the settings have no 'path'")
    if not isinstance(settings["path"], str | os.PathLike):
        raise ConfigError("the setting 'path' is a path")
    return {name: value for name, value in settings.items() if name not in FOR_ALL}


def _host_and_port(url: object) -> tuple[str, int | None]:
    text = url if isinstance(url, str) else ""
    found = re.fullmatch(r"(?:ftp://)?([^:/@\s]+)(?::(\d{1,5}))?/?", text)
    if not found:  # it is not shown: there may be a password in it
        raise ConfigError("the setting 'url' is a host, perhaps with a port: 'host:21'")
    return found[1], int(found[2]) if found[2] else None


def _take_over(path: str, key_of: Callable[[UID, str], str]) -> bool:
    """`_convert`, with a store's errors."""
    try:
        return _convert(path, key_of)
    except sqlite3.Error as error:
        raise translate(error) from error
    except (InvalidUIDException, TypeError) as error:
        raise CorruptStore(f"a row of pyStorageBackend's table is no value: {error}") from error


def _convert(path: str, key_of: Callable[[UID, str], str]) -> bool:
    """Make pyStorageBackend's table, if it is there, one that our store can upgrade.

    It is one transaction. Returns whether the upgrade is still to be done.
    """
    if not os.path.exists(path):
        return False
    with closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute("PRAGMA user_version").fetchone() == (CONVERTED,):
            return True
        if not _is_legacy(connection):
            return False
        connection.execute("BEGIN IMMEDIATE")
        if not _is_legacy(connection):  # somebody else was faster
            return True
        rows = connection.execute("SELECT uid, dkey, data FROM hiddil").fetchall()
        connection.execute("CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)")
        connection.executemany(
            "INSERT INTO objects VALUES (?, ?)",
            [(key_of(UID(uid), key), _as_bytes(data)) for uid, key, data in rows],
        )
        connection.execute("DROP TABLE hiddil")
        connection.execute(f"PRAGMA user_version = {CONVERTED}")
        return True


def _is_legacy(connection: sqlite3.Connection) -> bool:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return "hiddil" in names and "objects" not in names


def _as_bytes(data: bytes | str) -> bytes:
    if not isinstance(data, bytes | str):  # bytes(5) would be five zeros
        raise TypeError(f"{type(data).__name__} instead of bytes")
    return data.encode() if isinstance(data, str) else data
