# Generated from storage/_async/documents/ready.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The backends that pyStorageBackend has, under its names and by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..._async.documents.ready import (
    AsyncFtpJsonBackend,
    AsyncLocalJsonBackend,
    AsyncSqlite3Backend,
)
from .keyed import ObjectBackend
from .onefile import FileBackend


class LocalJsonBackend(FileBackend):
    """A collection in a JSON file of this machine.

    Args:
        settings: ``path``, and the options of `FileBackend`: ``codec``, ``lock``,
            ``lock_wait``, ``copies``.
    """

    _async: AsyncLocalJsonBackend
    _async_type: ClassVar[type[AsyncLocalJsonBackend]] = AsyncLocalJsonBackend

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._hold(self._async_type(settings))


class FtpJsonBackend(FileBackend):
    """A collection in a JSON file on an FTP server.

    Args:
        settings: ``url`` (the host, perhaps with a port), ``username``, ``password``, ``path``
            (from the top of what the server shows), and the options of `FileBackend`. The
            connection is encrypted, unless ``tls`` is ``"none"``, which with a password takes
            ``allow_plaintext``, too; ``ca_file`` is a file of certificates to trust.
    """

    _async: AsyncFtpJsonBackend
    _async_type: ClassVar[type[AsyncFtpJsonBackend]] = AsyncFtpJsonBackend

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._hold(self._async_type(settings))


class Sqlite3Backend(ObjectBackend):
    """Documents in an SQLite database, each value durable at once.

    A database of pyStorageBackend's is made one of ours when it is opened, in one transaction;
    that package cannot read it any more.

    Args:
        settings: ``path``, and perhaps ``copies``.
    """

    _async: AsyncSqlite3Backend
    _async_type: ClassVar[type[AsyncSqlite3Backend]] = AsyncSqlite3Backend

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._hold(self._async_type(settings))

    def create(self) -> None:
        """Open it; the first value makes the file, and its table."""
        self._run(self._async.create())

    def open(self) -> None:
        """Open the database, and take over what pyStorageBackend has left there."""
        self._run(self._async.open())
