# Generated from storage/_async/backends/db/whole.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Verbs on the whole file of `SqliteStore`."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends.db.check import CheckReport
from ...._async.backends.db.whole import AsyncSqliteFile
from ...base import BaseStore


class SqliteFile(BaseStore):
    """What is done to all objects at once, and to the file itself."""

    _async: AsyncSqliteFile
    _async_type: ClassVar[type[AsyncSqliteFile]] = AsyncSqliteFile  # type: ignore[type-abstract]

    def sweep(self) -> int:
        """Remove the objects whose time is over, some hundreds in a transaction.

        Returns:
            How many there were.
        """
        return self._run(self._async.sweep())

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
