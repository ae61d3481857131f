# Generated from storage/_async/backends/db/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects in a SQLite file."""

from __future__ import annotations

import os
from typing import ClassVar, Self

from ...._async.backends.db.store import AsyncSqliteStore
from ...._core.urls import StoreURL
from .whole import SqliteFile


class SqliteStore(SqliteFile):
    """Objects in a SQLite file; several processes may use it at the same time.

    The first put makes the file, and the directories above it. It is in WAL mode: readers and the
    one writer do not wait for each other. Puts that wait at the same time share one commit. A
    stream is stored piece by piece, invisible until it is whole; what a killed process leaves of
    one is removed when the file is opened a day later. An object that is replaced or deleted
    while somebody streams it ends that stream with `PreconditionFailed`. If somebody removes or
    replaces the whole file, writers notice it at once, and readers within a millisecond.

    Args:
        db_path: The file.
        durable: Whether what was put survives a power cut (``synchronous=FULL``). If not, the last
            puts before it may be lost (``synchronous=NORMAL``), but nothing is ever torn, and a
            killed process loses nothing.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
        busy_timeout: Seconds to wait while another process has locked the file; then
            `StoreTimeout`.
        upgrade: Make a file of amplify-storage-utils one of ours when it is opened; see `upgrade`.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever. Then it
            is neither read nor listed; its room is free when something else is put under its key,
            or after `sweep`.
    """

    _async: AsyncSqliteStore
    _async_type: ClassVar[type[AsyncSqliteStore]] = AsyncSqliteStore

    def __init__(
        self,
        db_path: str | os.PathLike[str],
        *,
        durable: bool = True,
        timeout: float | None = None,
        busy_timeout: float = 30.0,
        upgrade: bool = False,
        ttl: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                db_path,
                durable=durable,
                timeout=timeout,
                busy_timeout=busy_timeout,
                upgrade=upgrade,
                ttl=ttl,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``sqlite:///absolute/path`` or ``sqlite:relative/path``.

        Options: ``durable``, ``timeout``, ``busy_timeout``, ``upgrade``, ``ttl``.
        """
        return cls.around(cls._async_type.from_url(url))

    def with_ttl(self, ttl: float | None) -> SqliteStore:
        """The same store, where what is put lives for another time.

        ``store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        return SqliteStore.around(self._async.with_ttl(ttl))

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))
