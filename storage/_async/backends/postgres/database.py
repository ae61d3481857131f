"""The database, as the store works with it: tries again what can be, and gives typed errors."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from ...._core.errors import StoreClosed, StoreError, StoreNotFound
from ...._core.window import finish_all
from .errors import MADE_MEANWHILE, MISSING_TABLE, Done, code_of, outcome, translated
from .pools import GRACE, Source
from .tables import Tables

T = TypeVar("T")
Work: TypeAlias = Callable[[Any], Awaitable[T]]
"""Something to be done on a connection; it may be called again."""

PATIENCE = 5.0
"""Seconds for which a server that cannot be reached is asked again."""


class Failure(Exception):
    """Some work failed.

    Args:
        error: With this error.
        sent: Whether the server may have heard of it.
    """

    def __init__(self, error: Exception, *, sent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.done = outcome(error, sent=sent)


class Database:
    """Runs work on connections.

    Args:
        source: Where they come from.
        tables: What is to be there.
        create: Whether the first write makes the tables.
        patience: Seconds for which a server that cannot be reached is asked again.
    """

    def __init__(self, source: Source, tables: Tables, create: bool, patience: float) -> None:
        self.source = source
        self.tables = tables
        self.closed = False
        self._create = create
        self._patience = patience

    async def run(self, work: Work[T], *, creates: bool = False, again: bool = True) -> T:
        """Do some work.

        Args:
            work: What; it is done as often as it takes.
            creates: Whether it may make the tables where they are missing.
            again: Whether it may be done twice where nobody knows what became of it.

        Raises:
            StoreError: Whatever went wrong, in our words.
        """
        until, pause = time.monotonic() + self._patience, 0.02
        while True:
            try:
                return await self._once(work)
            except Failure as failure:
                if self.closed:
                    raise StoreClosed("the store was closed") from failure.error
                if code_of(failure.error) == MISSING_TABLE:
                    if not (creates and self._create):
                        raise self._missing(failure.error) from failure.error
                    creates = False  # once is enough
                    await self._make()
                    continue
                unsure = failure.done is Done.UNKNOWN and not again
                if unsure or failure.done is Done.REFUSED or time.monotonic() >= until:
                    raise translated(failure.error) from failure.error
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, 0.5)

    async def _once(self, work: Work[T]) -> T:
        if self.closed:
            raise StoreClosed("the store was closed")
        pool = await self.source.pool()
        try:
            connection = await pool.acquire()
        except StoreError:
            raise
        except Exception as error:
            raise Failure(error, sent=False) from error
        try:
            result = await work(connection)
        except StoreError:
            await _released(pool, connection)
            raise
        except Exception as error:
            await _released(pool, connection)
            raise Failure(error, sent=True) from error
        except BaseException:
            await finish_all([_ended(pool, connection)])
            raise
        await _released(pool, connection)
        return result

    async def _make(self) -> None:
        """Make the tables, unless somebody is faster."""

        async def make(connection: Any) -> None:
            async with connection.transaction():
                await connection.execute(self.tables.create)

        for _ in range(5):
            try:
                await self._once(make)
            except Failure as failure:
                if code_of(failure.error) not in MADE_MEANWHILE:
                    raise translated(failure.error) from failure.error
            else:
                return
            await asyncio.sleep(random.uniform(0, 0.05))

    def _missing(self, error: Exception) -> StoreNotFound:
        hint = "; the first write makes it" if self._create else ""
        return StoreNotFound(f"{translated(error)}{hint}")


async def _released(pool: Any, connection: Any) -> None:
    """Give a connection back; a pool closes what cannot be used again."""
    with suppress(Exception):
        await pool.release(connection, timeout=GRACE)


async def _ended(pool: Any, connection: Any) -> None:
    """Cancel what the server does, wait for its answer, and close the connection.

    So nothing happens afterwards; and a wish to cancel that is late hits no other statement.
    """
    with suppress(Exception):
        await asyncio.wait_for(connection.close(timeout=GRACE), GRACE)
    await _released(pool, connection)
