"""What is done to objects that hold values, without looking into them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ..._core.closing import closing
from ..._core.errors import InvalidKey, ObjectNotFound
from ..._core.info import ObjectInfo
from ..base import AsyncBaseStore
from .finding import find_siblings, remove_replaced
from .sets import TypedSets
from .wanted import FileMetadata, Found, Wanted


class TypedObjects(TypedSets):
    """Finds, lists, removes, copies and moves what a key means."""

    async def _keys(self, store: AsyncBaseStore, prefix: str) -> AsyncGenerator[str, None]:
        async with closing(store.keys(prefix)) as keys:
            async for key in keys:
                if self._handlers.extension_of(key):
                    yield key

    async def _exists(self, wanted: Wanted) -> bool:
        return await self._found_key(wanted) is not None

    async def _found_key(self, wanted: Wanted) -> str | None:
        try:
            if wanted.is_set:
                async with closing(self._parts(wanted)) as parts:
                    return (await anext(parts)).key
            found = await self._found(wanted)
        except ObjectNotFound:
            return None
        there = found.listed is not None or await found.store.exists(found.key)
        return found.key if there else None

    async def _told(self, wanted: Wanted) -> tuple[Found, ObjectInfo]:
        found = await self._found(wanted)
        return found, await found.store.head(found.key)

    async def _metadata(self, wanted: Wanted) -> FileMetadata:
        found, info = await self._told(wanted)
        return FileMetadata.of(info, found.extension)

    async def _size(self, wanted: Wanted) -> int:
        found, info = await self._told(wanted)
        if info.size is None:
            return len(await found.store.get(found.key))
        return info.size

    async def _delete(self, wanted: Wanted, missing_ok: bool) -> None:
        try:
            found = await self._doomed(wanted)
        except ObjectNotFound:
            if missing_ok:
                return
            raise
        for each in found:
            await wanted.store.delete(each.key, missing_ok=missing_ok or wanted.is_set)

    async def _doomed(self, wanted: Wanted) -> list[Found]:
        """What goes with a key."""
        if wanted.is_set:
            return [part async for part in self._parts(wanted)]
        if wanted.format or self._handlers.extension_of(wanted.key):
            return [await self._found(wanted)]
        siblings = await find_siblings(wanted.store, wanted.key, self._handlers)
        if len(siblings) > 1:
            names = " and ".join(sorted(repr(each.key) for each in siblings))
            reason = f"it may mean {names}: say the extension"
            raise InvalidKey(reason, operation="delete", store=repr(wanted.store), key=wanted.key)
        return siblings or [await self._found(wanted)]

    async def _copy(self, source: Wanted, target: Wanted) -> str:
        if source.is_set or target.is_set:
            await self._copy_parts(source, target)
            return target.key
        return await self._copy_found(await self._found(source), target)

    async def _copy_found(self, found: Found, target: Wanted) -> str:
        extension = target.format or self._handlers.extension_of(target.key) or found.extension
        if extension != found.extension:
            return await self._write(target, await self._load(found, None))
        key = self._named(target, extension)
        old = await self._replaced(target, key)
        await self._copy_object(found, target, key)
        self._note(Found(target.store, key, extension))
        if old is not None:
            await remove_replaced(old)
        return key

    async def _move(self, source: Wanted, target: Wanted) -> str:
        if source.is_set or target.is_set:
            parts, key = await self._copy_parts(source, target), target.key
            if (source.store, source.key) == (target.store, target.key):
                return key
        else:
            parts = [await self._found(source)]
            key = await self._copy_found(parts[0], target)
        for found in parts:
            if (found.store, found.key) != (target.store, key):
                await found.store.delete(found.key, missing_ok=True)
        return key
