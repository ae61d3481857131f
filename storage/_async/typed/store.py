"""A store of values: what its user calls."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from ..._core.closing import closing
from ..._core.globs import Globs
from ..._core.protocol import AsyncObjectStore
from ..._formats.base import DataHandler
from ..._formats.registry import Handlers
from ..base import AsyncBaseStore
from .objects import TypedObjects
from .wanted import FileMetadata, Wanted


class AsyncTypedStore(TypedObjects):
    """Keeps values of any form as objects of any store: frames, arrays, images, models, texts.

    The extension of a key says what form its object has: ``"report.csv"``, ``"a.pydantic.json"``
    (of several that are known the longest). A key without one, such as ``"report"`` or
    ``"v1.2"``, gets it from the type of the value, and the object has both: ``"report.parquet"``.
    It can be asked for by either key, and is listed by its own. To find it takes one listing.

    Storing a value of another type under ``"report"`` removes the object that was meant by it,
    once the new one stands, unless somebody has written to it meanwhile. Where two objects differ
    in their extensions only (``"report.csv"`` and ``"report.html"``, each written by that key;
    or what a process left that was killed between the two steps), ``"report"`` means the one that
    was written last, or, where the times do not tell, that which this store wrote itself, or that
    of the handler with the higher priority. Storing to it then removes neither, and deleting it
    is refused.

    A key that ends with ``/`` is a set of parts: what is read is made of all values below it, in
    the order of their keys; what is written is an iterable of values, one for each part.

    Frames of any library are read as a LazyFrame of Polars where that is installed; ``as_`` of
    `read` is the class to give them back as, such as ``pandas.DataFrame``, or a model's.

    Options may stand at the end of a key: ``"table.dat?format=csv"``, ``"a?ignore_cache"``.

    Objects above 8 MiB pass through a temporary file; no more of them is in memory than the
    form itself needs. Handlers work in worker threads. The store is closed with this one.

    Args:
        store: A store of ours, or any object with the five async verbs.
        handlers: The forms that are known.
    """

    def __init__(self, store: AsyncObjectStore, handlers: Handlers) -> None:
        super().__init__(store, handlers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"

    # -- values -----------------------------------------------------------------------------

    async def read(
        self,
        key: str,
        format: str | None = None,
        as_: type[Any] | None = None,
        *,
        ignore_cache: bool = False,
    ) -> Any:
        """The value of an object, or of a set of parts.

        Args:
            key: With or without its extension; with a ``/`` at its end for a set.
            format: The extension of another form to read it in, such as ``"csv"``. Where there is
                no such object, ``key`` itself is read, or else the set of parts below it.
            as_: The type to give it back as, such as a model's class.
            ignore_cache: Read from the store itself, whatever the cache has.

        Raises:
            ObjectNotFound: There is no such object.
            NotSupported: No handler knows its form.
            ValueError: It is not of its form.
        """
        wanted = self._wanted(key, format, ignore_cache)
        return await self._on(wanted.store, self._read(wanted, as_))

    async def write(self, key: str, value: Any, format: str | None = None) -> str:
        """Store a value; readers see the old one or the new one.

        Args:
            key: With or without an extension; with a ``/`` at its end for a set, whose parts are
                written one by one, and replace those that are there in the end.
            value: What a handler knows; of a set, an iterable of such.
            format: The extension of the form to write it in, such as ``"csv"``; it is added to
                a key that has none.

        Returns:
            The object's own key, with its extension.

        Raises:
            NotSupported: No handler knows such a value or form.
            TypeError: The form cannot hold this value.
        """
        wanted = self._wanted(key, format)
        work = self._write_parts if wanted.is_set else self._write
        return await self._on(wanted.store, work(wanted, value))

    async def read_pieces(
        self,
        key: str,
        format: str | None = None,
        as_: type[Any] | None = None,
    ) -> AsyncIterator[Any]:
        """The value of an object piece by piece, in bounded memory, if its form has pieces.

        Those of Parquet are batches of rows, of JSON Lines values; a form without pieces is given
        whole. Those of a set come one part after the other. Arguments are `read`'s.
        """
        wanted = self._wanted(key, format)
        async with closing(self._each(wanted.store, self._pieces(wanted, as_))) as pieces:
            async for piece in pieces:
                yield piece

    async def write_pieces(
        self,
        key: str,
        values: Iterable[Any] | AsyncIterable[Any],
        format: str | None = None,
    ) -> str:
        """Store an object of pieces such as `read_pieces` gives, in bounded memory.

        Args:
            key: With an extension, unless there is a ``format``.
            values: The pieces; nothing is stored if this raises.
            format: The extension of the form, such as ``"jsonl"``.

        Returns:
            The object's own key.

        Raises:
            NotSupported: The form has no pieces.
        """
        wanted = self._wanted(key, format)
        return await self._on(wanted.store, self._write_pieces(wanted, values))

    # -- objects ----------------------------------------------------------------------------

    async def exists(self, key: str) -> bool:
        """Whether there is a value under a key; of a set, whether it has parts."""
        wanted = self._wanted(key)
        return await self._on(wanted.store, self._exists(wanted))

    async def find_file_fuzzy(self, key: str) -> str | None:
        """The own key of the object that a key means, with its extension; None without one."""
        wanted = self._wanted(key)
        return await self._on(wanted.store, self._found_key(wanted))

    async def delete(self, key: str, *, missing_ok: bool = False) -> None:
        """Remove the object that a key means, or all parts of a set.

        Raises:
            ObjectNotFound: There is none, and not ``missing_ok``.
            InvalidKey: Several objects differ in their extensions only.
        """
        wanted = self._wanted(key)
        await self._on(wanted.store, self._delete(wanted, missing_ok))

    async def get_metadata(self, key: str) -> FileMetadata:
        """What is known of an object. Raises `ObjectNotFound` where there is none."""
        wanted = self._wanted(key)
        return await self._on(wanted.store, self._metadata(wanted))

    async def get_size(self, key: str) -> int:
        """The object's length in bytes; where the store does not know it, it is read."""
        wanted = self._wanted(key)
        return await self._on(wanted.store, self._size(wanted))

    async def copy(self, src_key: str, dst_key: str) -> str:
        """Copy a value; without an extension the copy gets that of the source.

        Where the extensions differ, the value is written in the other form.

        Returns:
            The copy's own key.

        Raises:
            ObjectNotFound: There is no such value.
        """
        source, target = self._wanted(src_key), self._wanted(dst_key)
        return await self._on(_needier(source, target), self._copy(source, target))

    async def move(self, src_key: str, dst_key: str) -> str:
        """Give a value another key; as `copy`, after which the source is removed."""
        source, target = self._wanted(src_key), self._wanted(dst_key)
        return await self._on(_needier(source, target), self._move(source, target))

    # -- listing ----------------------------------------------------------------------------

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """The own keys of all objects that hold values, each with its extension.

        Args:
            prefix: What they begin with.
        """
        store, base, below = self._listed(prefix)
        async with closing(self._each(store, self._keys(store, below))) as keys:
            async for key in keys:
                yield f"{base}{key.replace('%', '%25')}" if base else key

    async def list_files(self, pattern: str = "*", recursive: bool = True) -> AsyncIterator[str]:
        """The keys that a pattern matches.

        Args:
            pattern: As in a ``.gitignore``: ``"*.csv"`` matches at any depth, ``"logs/*.csv"``
                in one folder, ``"logs/**"`` all below it.
            recursive: Whether to look deeper than the pattern's own folder.
        """
        globs = Globs([pattern])
        depth = pattern.strip("/").count("/")
        prefixes = globs.prefixes()
        async with closing(self.keys(prefixes[0] if len(prefixes) == 1 else "")) as keys:
            async for key in keys:
                if globs.matches(key) and (recursive or key.count("/") == depth):
                    yield key

    async def count(self) -> int:
        """How many values there are; all keys are listed for it."""
        number = 0
        async with closing(self.keys()) as keys:
            async for _ in keys:
                number += 1
        return number

    # -- handlers ---------------------------------------------------------------------------

    def register_handler(self, handler: DataHandler) -> None:
        """Let this store know another form; among equals it goes first."""
        self._handlers.register(handler)

    def unregister_handler(self, handler_class: type[DataHandler]) -> None:
        """Let this store forget the handlers of a class."""
        self._handlers.unregister(handler_class)


def _needier(source: Wanted, target: Wanted) -> AsyncBaseStore:
    """The store of the two that needs a loop, if one does."""
    return target.store if source.store.inline else source.store
