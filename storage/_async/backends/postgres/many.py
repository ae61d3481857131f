"""Verbs on many keys, some of them in each statement."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

from ...._core.closing import closing
from ...._core.errors import ObjectNotFound
from ...._core.values import STREAM
from ...._core.window import each, pages
from ...base import Items, Keys, Outcome
from .hooks import AsyncPostgresHooks
from .rows import new_etag
from .tables import INLINE

BULK = 500
"""Keys that go in one statement."""
HEAVY = 4 * 1024 * 1024
"""Bytes after which a statement is full."""
READ = 64
"""Objects that one statement reads, if they are `LIGHT`."""
LIGHT = 64 * 1024


class AsyncPostgresMany(AsyncPostgresHooks):
    """Verbs on many keys."""

    async def get_many(
        self, keys: Keys, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        """Read many objects, some in each statement; all else is as in every store."""
        self._check_open("get_many")
        errors: dict[str, Exception] = {}
        async with closing(pages(keys, READ)) as source:
            async for page in source:
                found = await self._got(page)
                for key in page:
                    result = found.get(key)
                    if result is None:  # it is large, or not there, or no key
                        result = await self._got_one(key)
                    if not isinstance(result, Exception):
                        yield key, result
                    elif not (missing_ok and isinstance(result, ObjectNotFound)):
                        errors[key] = result
        self._raise_bulk("get_many", errors)

    async def _got(self, page: list[str]) -> dict[str, bytes | Exception | None]:
        """What one statement can tell of some keys."""
        found: dict[str, bytes | Exception | None] = {}
        for key in page:
            try:
                self._check("get", key)
            except Exception as error:
                found[key] = error
        fine = [key for key in page if key not in found]
        try:
            work = self._rows(self._tables.get_many, fine, LIGHT)
            rows = await self._run("get_many", None, work)
        except Exception as error:
            return {**found, **dict.fromkeys(fine, error)}
        missing = ObjectNotFound("there is no object under this key")
        found |= dict.fromkeys(fine, missing)
        return found | {row[0]: row[1] for row in rows}

    async def _got_one(self, key: str) -> bytes | Exception:
        try:
            return await self.get(key)
        except Exception as error:
            return error

    async def _put_many(self, items: Items) -> AsyncGenerator[Outcome, None]:
        group: dict[str, Any] = {}
        size = 0
        try:
            async with closing(each(items)) as source:
                async for key, data in source:
                    try:
                        self._check("put", key)
                        value = self._as_value(data)
                    except Exception as error:
                        yield key, error
                        continue
                    alone = value is STREAM or len(value) > INLINE
                    if alone or key in group or len(group) == BULK or size > HEAVY:
                        full, group, size = group, {}, 0
                        for outcome in await self._put_group(full):
                            yield outcome
                    if alone:
                        yield await self._put_one(key, data)
                    else:
                        group[key] = value
                        size += len(value)
        except Exception:
            await self._put_group(group)  # what was pulled before the source failed
            raise
        for outcome in await self._put_group(group):
            yield outcome

    async def _put_group(self, group: dict[str, Any]) -> list[Outcome]:
        if not group:
            return []
        keys = sorted(group)  # so that two groups do not wait for each other
        etags = [new_etag() for _ in keys]
        values = [group[key] for key in keys]
        statement = self._tables.put_many

        async def put(connection: Any) -> None:
            await connection.execute(statement, keys, etags, values)

        try:
            await self._run("put_many", None, self._database.run(put, creates=True))
        except Exception as error:
            return [(key, error) for key in group]
        return [(key, None) for key in group]

    async def _put_one(self, key: str, data: Any) -> Outcome:
        try:
            await self.put(key, data)
        except Exception as error:
            return key, error
        return key, None

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async def remove(page: list[str]) -> Iterable[Outcome]:
            return await self._removed(page, missing_ok)

        return self._delete_by_pages(keys, BULK, remove)

    async def _removed(self, page: list[str], missing_ok: bool) -> list[Outcome]:
        statement = self._tables.delete_many
        work = self._database.run(lambda it: it.fetch(statement, page), again=missing_ok)
        try:
            rows = await self._run("delete_many", None, work)
        except Exception as error:
            return [(key, error) for key in page]
        there = {row[0] for row in rows}
        outcomes: list[Outcome] = []
        for key in page:
            failed = None if missing_ok or key in there else self._no_object(key)
            there.discard(key)  # the second time it is not there any more
            outcomes.append((key, failed))
        return outcomes

    def _no_object(self, key: str) -> Exception:
        error = ObjectNotFound("there is no object under this key")
        return error.located(operation="delete", store=repr(self), key=key)
