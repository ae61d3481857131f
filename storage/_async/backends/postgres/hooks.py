"""The hooks that write, remove and copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ...._core.closing import closing
from ...._core.errors import ObjectExists, ObjectNotFound, PreconditionFailed, StoreNotFound
from ...._core.info import ObjectInfo, WriteOptions, check_delete
from ...pieces import Sink
from .errors import UNIQUE, code_of
from .reads import AsyncPostgresReads
from .rows import condition, info_of, new_etag
from .tables import INLINE
from .writing import Upload, put_row, standing


class AsyncPostgresHooks(AsyncPostgresReads):
    """What `AsyncPostgresStore` does to write."""

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if len(data) > INLINE:
            async with self._create(key, options) as sink:
                await sink.write(data)
            assert sink.info is not None
            return sink.info
        database, row = self._database, (new_etag(), len(data), data)
        try:
            found = await database.run(
                lambda it: put_row(it, database, key, row, options),
                creates=options.if_match is None,
            )
        except StoreNotFound:
            options.check(key, None)
            raise
        if found is None or found.etag != row[0]:
            options.check(key, found)
            raise PreconditionFailed("the object changed meanwhile", key=key)
        return found

    async def _standing(self, key: str) -> ObjectInfo | None:
        return await self._database.run(lambda it: standing(it, self._database, key))

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = Upload(self._database, self._put, key, options)
        try:
            yield sink
            await sink.publish()
        except BaseException:
            await sink.drop()
            raise

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        again = missing_ok and if_match is None
        gone = await self._database.run(lambda it: self._deleted(it, key, if_match), again=again)
        if gone or again:
            return
        if if_match is None:
            raise ObjectNotFound("there is no object under this key")
        check_delete(key, await self._standing(key), if_match)
        raise PreconditionFailed("the object changed meanwhile", key=key)

    async def _deleted(self, connection: Any, key: str, if_match: str | None) -> bool:
        if if_match is None:
            return await connection.fetchval(self._tables.delete, key) is not None
        statement = self._tables.delete_match
        return await connection.fetchval(statement, key, condition(if_match)) is not None

    # -- copying ----------------------------------------------------------------------------

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        done = await self._run("copy", source, self._copied(source, target, if_absent))
        if done.key == target:
            return done
        return await self._copy_chunks(done, target, if_absent)

    async def _copied(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Copy what is one row and tell what the copy is; else tell what the source is."""
        info = await self._head(source)
        if (source == target and not if_absent) or (info.size or 0) > INLINE:
            return info
        statement = self._tables.copy_absent if if_absent else self._tables.copy
        etag = new_etag()
        row = await self._row(statement, source, target, etag)
        if row is not None:
            return info_of(target, row)
        if if_absent:
            found = await self._standing(target)
            if found is not None and found.etag == etag:
                return found  # whose answer was lost
            if found is not None:
                raise ObjectExists("there is an object under this key", key=target)
        # It has gone, or grown, since we looked.
        return await self._copied(source, target, if_absent)

    async def _copy_chunks(self, info: ObjectInfo, target: str, if_absent: bool) -> ObjectInfo:
        options = WriteOptions(if_absent, None, info.content_type, info.metadata)
        upload = Upload(self._database, self._put, target, options)
        try:
            async with closing(self._steps("copy", upload.take_over(info))) as steps:
                async for _ in steps:
                    pass
            return await self._run("copy", info.key, upload.appear())
        except BaseException:
            await upload.drop()
            raise

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if source == target:
            return await self._copy(source, target, if_absent)
        work = self._database.run(
            lambda it: self._renamed(it, source, target, if_absent), again=False
        )
        row = await self._run("move", source, work)
        if row is None:
            raise ObjectNotFound("there is no object under this key", key=source)
        return info_of(target, row)

    async def _renamed(self, connection: Any, source: str, target: str, if_absent: bool) -> Any:
        try:
            async with connection.transaction():
                if not if_absent:
                    if await connection.fetchval(self._tables.head, source) is None:
                        return None
                    await connection.execute(self._tables.delete, target)
                return await connection.fetchrow(self._tables.rename, source, target)
        except Exception as error:
            if code_of(error) != UNIQUE:
                raise
            if if_absent:
                raise ObjectExists("there is an object under this key", key=target) from error
        # Somebody put it between our two statements.
        return await self._renamed(connection, source, target, if_absent)
