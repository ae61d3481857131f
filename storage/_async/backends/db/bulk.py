"""Verbs on many keys of `AsyncSqliteStore`: a transaction for each group of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...._core.closing import closing
from ...._core.errors import NoSpace
from ...._core.values import STREAM
from ...._core.window import each
from ...base import Items, Keys, Outcome
from . import objects
from .database import CREATE, PLAIN, Database
from .writing import GROUP

if TYPE_CHECKING:
    from .store import AsyncSqliteStore

ROOM = 4 * 1024 * 1024
"""Bytes in a group, about."""
PAUSE = 0.1
"""Seconds after which a group is stored though it is not full: its source is slow."""


class _Group:
    """Objects that are stored together."""

    def __init__(self) -> None:
        self.items: list[objects.Item] = []
        self._size = 0
        self._end = 0.0

    def is_full_with(self, key: str, value: bytes | memoryview) -> bool:
        """Take one more; returns whether it was the last."""
        if not self.items:
            self._end = monotonic() + PAUSE
        self.items.append((key, value))
        self._size += len(value)
        return len(self.items) == GROUP or self._size >= ROOM or monotonic() >= self._end


class Bulk:
    """What a store does with many keys.

    Args:
        store: Checks keys, keeps deadlines, and puts what cannot be put with others.
        database: Its database.
    """

    def __init__(self, store: AsyncSqliteStore, database: Database) -> None:
        self._store = store
        self._database = database

    # -- putting ----------------------------------------------------------------------------

    async def put(self, items: Items) -> AsyncGenerator[Outcome, None]:
        """Store objects; give each key with its error or None."""
        group = _Group()
        try:
            async with closing(each(items)) as source:
                async for key, data in source:
                    try:
                        self._store._check("put", key)
                        value = self._store._as_value(data)
                    except Exception as error:
                        yield key, error
                        continue
                    if value is not STREAM and not group.is_full_with(key, value):
                        continue
                    full, group = group, _Group()
                    for outcome in await self._put_group(full.items):
                        yield outcome
                    if value is STREAM:
                        yield await self._put_one(key, data)
        except Exception:
            await self._put_group(group.items)  # what was pulled before the source failed
            raise
        for outcome in await self._put_group(group.items):
            yield outcome

    async def _put_group(self, group: list[objects.Item]) -> list[Outcome]:
        try:
            if group:
                work = self._database.write(CREATE, objects.put_each, group, self._store._expires())
                await self._store._run("put_many", None, work)
        except NoSpace:  # those that are small enough, then
            return [await self._put_one(key, data) for key, data in group]
        except Exception as error:
            return [(key, error) for key, _ in group]
        return [(key, None) for key, _ in group]

    async def _put_one(self, key: str, data: Any) -> Outcome:
        try:
            await self._store.put(key, data)
        except Exception as error:
            return key, error
        return key, None

    # -- removing ---------------------------------------------------------------------------

    def delete(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        """Remove objects; give each key with its error or None."""
        remove = partial(self._delete_group, missing_ok=missing_ok)
        return self._store._delete_by_pages(keys, GROUP, remove)

    async def _delete_group(self, keys: list[str], missing_ok: bool) -> list[Outcome]:
        try:
            work = self._database.write(PLAIN, objects.delete_each, keys, missing_ok)
            errors = await self._store._run("delete_many", None, work)
        except Exception as error:
            return [(key, error) for key in keys]
        return list(zip(keys, errors, strict=True))
