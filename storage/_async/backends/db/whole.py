"""Verbs on the whole file of `AsyncSqliteStore`."""

from __future__ import annotations

from typing import TypeVar

from ...base import AsyncBaseStore
from . import check, objects, upkeep
from .check import CheckReport
from .database import PLAIN, Chore, Database

T = TypeVar("T")


class AsyncSqliteFile(AsyncBaseStore):
    """What is done to all objects at once, and to the file itself."""

    _database: Database

    async def sweep(self) -> int:
        """Remove the objects whose time is over, some hundreds in a transaction.

        Returns:
            How many there were.
        """
        self._check_open("sweep")
        total = 0
        while True:
            work = self._database.write(PLAIN, objects.sweep)
            count = await self._run("sweep", None, work)
            total += count
            if count < objects.SWEEP:
                return total

    async def check(self) -> CheckReport:
        """Look through the whole file, as it is at this moment; all else goes on meanwhile.

        Returns:
            What was found: damage of the file, objects whose bytes are not all there, and values
            that belong to none.

        Raises:
            CorruptStore: The file is so damaged that SQLite cannot read through it.
        """
        return await self._upkeep("check", check.check)

    async def vacuum(self) -> int:
        """Give the room of what was deleted back to the file system.

        The file is written anew, which takes its size again in free space. Those who read go on;
        those who write wait, for ``busy_timeout`` at most. If somebody reads all the while, the
        file gets shorter when they are done.

        Returns:
            How many bytes it is shorter.

        Raises:
            StoreTimeout: Somebody else writes for longer than ``busy_timeout``.
        """
        return await self._upkeep("vacuum", upkeep.vacuum)

    async def upgrade(self) -> bool:
        """Make a file that amplify-storage-utils wrote one of ours, which can be written.

        It is one transaction: whoever is killed meanwhile leaves the old file. Keys and bytes
        stay; amplify-storage-utils cannot read the file any more.

        Returns:
            Whether it was such a file.

        Raises:
            CorruptStore: It has keys or data that no store of amplify-storage-utils puts there.
            NotSupported: It has other tables too.
        """
        return await self._upkeep("upgrade", upkeep.upgrade)

    async def _upkeep(self, operation: str, unit: Chore[T]) -> T:
        self._check_open(operation)
        return await self._run(operation, None, self._database.chore(unit))
