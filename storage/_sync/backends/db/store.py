# Generated from storage/_async/backends/db/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects in a SQLite file."""

from __future__ import annotations

import os
from typing import ClassVar, Self

from ...._async.backends.db.check import CheckReport
from ...._async.backends.db.store import AsyncSqliteStore
from ...._core.urls import StoreURL
from ...base import BaseStore


class SqliteStore(BaseStore):
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
    ) -> None:
        self._hold(
            self._async_type(
                db_path,
                durable=durable,
                timeout=timeout,
                busy_timeout=busy_timeout,
                upgrade=upgrade,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``sqlite:///absolute/path`` or ``sqlite:relative/path``.

        Options: ``durable``, ``timeout``, ``busy_timeout``, ``upgrade``.
        """
        return cls.around(cls._async_type.from_url(url))

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))

    def check(self) -> CheckReport:
        """Look through the whole file, as it is at this moment; all else goes on meanwhile.

        Returns:
            What was found: damage of the file, objects whose bytes are not all there, and values
            that belong to none.

        Raises:
            CorruptStore: The file is so damaged that SQLite cannot read through it.
        """
        return self._run(self._async.check())

    def vacuum(self) -> int:
        """Give the room of what was deleted back to the file system.

        The file is written anew, which takes its size again in free space. Those who read go on;
        those who write wait, for ``busy_timeout`` at most. If somebody reads all the while, the
        file gets shorter when they are done.

        Returns:
            How many bytes it is shorter.

        Raises:
            StoreTimeout: Somebody else writes for longer than ``busy_timeout``.
        """
        return self._run(self._async.vacuum())

    def upgrade(self) -> bool:
        """Make a file that amplify-storage-utils wrote one of ours, which can be written.

        It is one transaction: whoever is killed meanwhile leaves the old file. Keys and bytes
        stay; amplify-storage-utils cannot read the file any more.

        Returns:
            Whether it was such a file.

        Raises:
            CorruptStore: It has keys or data that no store of amplify-storage-utils puts there.
            NotSupported: It has other tables too.
        """
        return self._run(self._async.upgrade())
