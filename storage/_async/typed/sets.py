"""Sets of parts: written, copied and moved as a whole."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, Iterator
from typing import Any

from ..._core import calls
from ..._core.closing import closing
from ..._core.errors import InvalidKey, ObjectNotFound, StoreNotFound
from ..._core.window import each
from ..._formats.base import DataHandler
from . import folders
from .finding import remove_replaced
from .values import TypedValues
from .wanted import Found, Wanted, attributes


class TypedSets(TypedValues):
    """Writes the values of many objects that are one value to their reader."""

    async def _write_parts(self, wanted: Wanted, values: Any) -> str:
        """Write the parts of a set; those that were there go when all of the new ones stand."""
        handler = folders.writer(self._handlers, values)
        if handler is not None:
            return await self._write_folder(wanted, handler, values)
        if not isinstance(values, list | tuple | Iterator | AsyncIterable):
            kind = type(values).__name__
            raise TypeError(f"a set is written from a list or an iterator of values, not a {kind}")
        old, new = await self._parts_there(wanted), list[str]()
        run = uuid.uuid4().hex[:12]
        try:
            async with closing(each(values)) as items:
                async for value in items:
                    name = f"{wanted.key}part-{run}-{len(new):06}"
                    part = Wanted(wanted.store, name, wanted.format)
                    new.append(await self._write(part, value, replaces=False))
        except BaseException:
            await wanted.store.delete_many(new)
            raise
        for found in old:
            await remove_replaced(found)
        return wanted.key

    async def _write_folder(self, wanted: Wanted, handler: DataHandler, value: Any) -> str:
        """Write what a handler makes files of; a file replaces the one of its name."""
        old, new = await self._parts_there(wanted), set[str]()
        async with folders.directory() as root:
            await calls.call_user(handler.write_dataset, value, root)
            for path in await calls.call(lambda: list(folders.files(root))):
                extension = self._handlers.extension_of(path.name)
                new.add(await folders.send(wanted, root, path, extension))
        for found in old:
            if found.key not in new:
                await remove_replaced(found)
        return wanted.key

    async def _parts_there(self, wanted: Wanted) -> list[Found]:
        try:
            return [found async for found in self._parts(wanted)]
        except (ObjectNotFound, StoreNotFound):
            return []

    async def _copy_parts(self, source: Wanted, target: Wanted) -> list[Found]:
        """Copy each part under the name that it has within the set; gives what was copied."""
        if not (source.is_set and target.is_set):
            reason = f"a set is copied to a set, and {source.key!r} and {target.key!r} are not both"
            raise InvalidKey(reason, operation="copy", store=repr(source.store), key=source.key)
        parts = [part async for part in self._parts(source)]
        for part in parts:
            await self._copy_object(part, target, target.key + part.key[len(source.key) :])
        return parts

    async def _copy_object(self, found: Found, target: Wanted, key: str) -> None:
        """Copy an object as it is."""
        if target.store is found.store:
            await found.store.copy(found.key, key)
            return
        options = attributes(target.store, found.extension)
        async with (
            found.store.open_reader(found.key) as reader,
            target.store._writer(key, options) as writer,
        ):
            async for chunk in reader:
                await writer.write(chunk)
