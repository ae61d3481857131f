"""Values on their way between handlers and objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from ..._core import calls
from ..._core.closing import closing
from ..._core.errors import NotSupported, ObjectNotFound, StoreNotFound
from ..._core.values import batches
from ..._formats.base import DataHandler
from . import folders, passing
from .feeding import consume
from .finding import find, find_siblings, remove_replaced
from .joining import joined
from .places import TypedPlaces
from .wanted import Found, Wanted

NOTED = 1024
"""Keys of which it is known under which extension this store wrote them last."""

PIECES = 64
"""Pieces of a value that are read ahead, if that goes quickly."""


class TypedValues(TypedPlaces):
    """Reads and writes values, whole and piece by piece, and sets of them."""

    # -- reading ----------------------------------------------------------------------------

    async def _found(self, wanted: Wanted) -> Found:
        mine = self._mine.get((wanted.store, wanted.key), "")
        return await find(wanted, self._handlers, mine)

    def _reader_of(self, found: Found) -> DataHandler:
        handler = self._handlers.for_extension(found.extension)
        if handler is None:
            raise NotSupported(
                f"no handler knows the form {found.extension}",
                operation="get",
                store=repr(found.store),
                key=found.key,
            )
        return handler

    async def _read(self, wanted: Wanted, as_: type[Any] | None) -> Any:
        if wanted.is_set:
            return await self._read_set(wanted, as_)
        try:
            return await self._load(await self._found(wanted), as_)
        except ObjectNotFound:
            if not wanted.format:
                raise
            try:
                return await self._read(_as_set(wanted), as_)
            except ObjectNotFound:
                pass
            raise

    async def _load(self, found: Found, as_: type[Any] | None) -> Any:
        handler = self._reader_of(found)
        with passing.Spool() as spool:
            await passing.fetch(found, spool)
            return await calls.call_user(passing.load, handler, spool, found.extension, as_)

    async def _pieces(self, wanted: Wanted, as_: type[Any] | None) -> AsyncGenerator[Any, None]:
        if wanted.is_set:
            parts = self._parts(wanted)
        else:
            parts = _one(await self._found(wanted))
        async with closing(parts):
            async for found in parts:
                async with closing(self._pieces_of(found, as_)) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _pieces_of(self, found: Found, as_: type[Any] | None) -> AsyncGenerator[Any, None]:
        handler = self._reader_of(found)
        async with passing.opened(found, handler) as source:
            items = passing.pieces(handler, source, found.extension, as_)
            async with closing(batches(items, lambda _: 1, PIECES)) as lists:
                async for batch in lists:
                    for piece in batch:
                        yield piece

    # -- sets of parts ----------------------------------------------------------------------

    async def _parts(self, wanted: Wanted) -> AsyncGenerator[Found, None]:
        """The parts of a set, in the order of their keys.

        Raises:
            ObjectNotFound: There is none.
        """
        found = []
        async with closing(wanted.store.list(wanted.key)) as infos:
            async for info in infos:
                extension = self._handlers.extension_of(info.key)
                if extension and wanted.format in ("", extension):
                    found.append(Found(wanted.store, info.key, extension, info))
        if not found:
            raise ObjectNotFound(
                "there are no parts under this key",
                operation="get",
                store=repr(wanted.store),
                key=wanted.key,
            )
        for part in sorted(found, key=lambda part: part.key):
            yield part

    async def _read_set(self, wanted: Wanted, as_: type[Any] | None) -> Any:
        able = folders.readers(self._handlers) if as_ is None else []
        if able:
            async with folders.directory() as root, closing(self._parts(wanted)) as parts:
                async for found in parts:
                    await folders.fetch(found, wanted.key, root)
                for handler in able:
                    if await calls.call_user(handler.can_handle_dataset, root):
                        return await calls.call_user(handler.read_dataset, root)
        return joined([value async for value in self._read_parts(wanted, as_)])

    async def _read_parts(self, wanted: Wanted, as_: type[Any] | None) -> AsyncGenerator[Any, None]:
        async with closing(self._parts(wanted)) as parts:
            async for found in parts:
                yield await self._load(found, as_)

    # -- writing ----------------------------------------------------------------------------

    def _target(self, wanted: Wanted, value: Any) -> tuple[Found, DataHandler]:
        """Where a value is written to, and how."""
        known = wanted.format or self._handlers.extension_of(wanted.key)
        if known:
            handler = self._handlers.for_value(value, known) or self._handlers.for_extension(known)
        else:
            handler = self._handlers.for_value(value)
        if handler is None:
            raise self._refusal(wanted, value, known)
        extension = known or handler.extensions[0]
        return Found(wanted.store, self._named(wanted, extension), extension), handler

    def _named(self, wanted: Wanted, extension: str) -> str:
        """The key that an object has, which has the extension if it has none."""
        if self._handlers.extension_of(wanted.key):
            return wanted.key
        return wanted.key + extension

    def _refusal(self, wanted: Wanted, value: Any, extension: str) -> NotSupported:
        what = f"the form {extension}" if extension else f"values of type {type(value).__name__}"
        return NotSupported(
            f"no handler knows {what}: register one, or allow_pickle=True",
            operation="put",
            store=repr(wanted.store),
            key=wanted.key,
        )

    async def _write(self, wanted: Wanted, value: Any, *, replaces: bool = True) -> str:
        target, handler = self._target(wanted, value)
        with passing.Spool() as spool:
            form = target.extension
            short = await calls.call_user(passing.dump, handler, value, spool, form)
            await self._publish(wanted if replaces else None, target, spool, short)
        return target.key

    async def _write_pieces(self, wanted: Wanted, values: Any) -> str:
        form = wanted.format or self._handlers.extension_of(wanted.key)
        handler = self._handlers.for_extension(form) if form else None
        if handler is None:
            raise NotSupported(
                "pieces have no form of their own: give the key an extension",
                operation="put",
                store=repr(wanted.store),
                key=wanted.key,
            )
        target = Found(wanted.store, self._named(wanted, form), form)
        with passing.Spool() as spool:
            await consume(passing.piece_writer(handler, spool, form), values)
            await self._publish(wanted, target, spool, await calls.call(passing.taken, spool))
        return target.key

    async def _publish(
        self, wanted: Wanted | None, target: Found, spool: passing.Spool, short: bytes | None
    ) -> None:
        """Store an object; then what it stands for now goes, if it had another extension."""
        old = await self._replaced(wanted, target.key) if wanted is not None else None
        await passing.send(target.store, target.key, target.extension, spool, short)
        self._note(target)
        if old is not None:
            await remove_replaced(old)

    def _note(self, written: Found) -> None:
        """Remember who wrote last: times of a second, as S3 has, do not tell."""
        if len(self._mine) >= NOTED:
            self._mine.clear()
        name = written.key[: len(written.key) - len(written.extension)]
        self._mine[written.store, name] = written.key

    async def _replaced(self, wanted: Wanted, key: str) -> Found | None:
        """The one object that the key without its extension has meant until now."""
        if key == wanted.key:
            return None
        try:
            siblings = await find_siblings(wanted.store, wanted.key, self._handlers)
        except StoreNotFound:  # the first write creates it
            return None
        # Of several, each may be somebody's own, by its full name.
        if len(siblings) != 1 or siblings[0].key == key:
            return None
        return siblings[0]


def _as_set(wanted: Wanted) -> Wanted:
    return Wanted(wanted.store, f"{wanted.key}/", wanted.format)


async def _one(found: Found) -> AsyncGenerator[Found, None]:
    yield found
