"""The backends that pyStorageBackend has, under its names and by its settings."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from ..._core import calls
from ..._core.errors import ConfigError, ObjectExists
from ..backends.db.store import AsyncSqliteStore
from ..backends.fs import AsyncFilesystemStore
from ..base import AsyncBaseStore
from .backend import checked
from .keyed import AsyncObjectBackend
from .onefile import AsyncFileBackend
from .words import UID

B = TypeVar("B", AsyncFileBackend, AsyncObjectBackend)

FOR_ALL = ("max_key_length", "max_data_length")
"""Settings of `AsyncStorage` itself."""


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
        host, _, port = options.pop("url").removeprefix("ftp://").partition(":")
        directory, name = os.path.split(options.pop("path"))
        login = ("username", "password", "tls", "allow_plaintext", "ca_file")
        taken = {each: options.pop(each) for each in login if each in options}
        number = int(port) if port else None
        remake = partial(AsyncFtpStore, host, f"/{directory.strip('/')}", port=number, **taken)
        super().__init__(remake(), name, **checked(AsyncFileBackend, options))
        self._home.remake = remake


class AsyncSqlite3Backend(AsyncObjectBackend):
    """Documents in an SQLite database, each value durable at once.

    What a table of pyStorageBackend's has is taken over when the database is opened; the table is
    then called ``hiddil_imported``.

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
        await super().open()
        rows = await calls.call(_legacy_rows, self._path)
        if rows is None:
            return
        for uid, key, data in rows:
            value = data.encode() if isinstance(data, str) else bytes(data)
            try:
                await self._store.put(self._key(UID(uid), key), value, if_absent=True)
            except ObjectExists:
                pass  # an import that was interrupted
        await calls.call(_retire_legacy, self._path)


def owning(backend: B, remake: Callable[[], AsyncBaseStore]) -> B:
    """A backend that closes the store which was made for it, and makes it anew to open again."""
    backend._home.remake = remake
    return backend


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "path" not in settings:
        raise ConfigError("the settings have no 'path'")
    return {name: value for name, value in settings.items() if name not in FOR_ALL}


def _legacy_rows(path: str) -> list[tuple[str, str, Any]] | None:
    """What pyStorageBackend's table has, if there is one."""
    if not os.path.exists(path):
        return None
    with closing(sqlite3.connect(path)) as connection:
        table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hiddil'"
        if connection.execute(table).fetchone() is None:
            return None
        return connection.execute("SELECT uid, dkey, data FROM hiddil").fetchall()


def _retire_legacy(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS hiddil_imported")
        connection.execute("ALTER TABLE hiddil RENAME TO hiddil_imported")
