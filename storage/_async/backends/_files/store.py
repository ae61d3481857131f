"""The store class that all stores on files derive from."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from ...._core import calls
from ...._core.errors import ConfigError, StoreError, from_oserror
from ...._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ...._core.lifetimes import check_ttl
from ...._core.urls import StoreURL
from ...._core.window import surely
from ...base import Keys, Outcome
from ...pieces import Body, Sink
from .attributes import are_kept
from .layout import Layout
from .listing import FileListing
from .objects import Objects
from .opened import OpenFile
from .pending import Pending
from .room import readers, writers
from .sink import PIECE, FileSink
from .sweeping import Sweep
from .tree import Tree
from .waiting import is_exhausted, patiently

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BATCH = 256
"""Objects that are removed in one hop."""


def _octal(text: str) -> int:
    """Permissions as ``chmod`` takes them, such as 640."""
    return int(text, 8)


class AsyncFileTreeStore(FileListing):
    """Objects as files under a root directory.

    Args:
        root_path: The root directory.
        durable: Whether files and directories are synced.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept.
        file_mode: The permissions of the files.
        ttl: Seconds that an object lives after it was put; None: for ever.
        timeout: Seconds that one operation may take. None: for ever.
    """

    capabilities = ~Capability.NONE
    inline = True
    _layout = Layout()

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        *,
        durable: bool = True,
        follow_symlinks: bool = False,
        attributes: bool = True,
        file_mode: int | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        self.root_path: str = os.fspath(root_path)
        if not self.root_path or "\0" in self.root_path:
            raise ConfigError(f"no path of a directory: {self.root_path!r}")
        root = os.fsencode(self.root_path)
        able = are_kept(root)
        attributes = attributes and able
        if not attributes:
            self.capabilities = self.capabilities & ~Capability.ATTRIBUTES
        if file_mode is not None and not 0 <= file_mode <= 0o777:
            raise ConfigError(f"no permissions of a file: {file_mode!r}")
        tree = Tree(
            root,
            follow=follow_symlinks,
            durable=durable,
            attributes=attributes,
            mode=file_mode,
            ends=able,
        )
        if self._layout.folding_proof:
            tree.folds = False
        self._ttl = check_ttl(ttl)
        self._objects = Objects(tree, self._layout, self._ttl)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root_path!r})"

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("file", os.path.join(os.path.realpath(self.root_path), "")),)

    @staticmethod
    def _url_options(url: StoreURL) -> dict[str, Any]:
        return {
            "durable": url.option("durable", bool, True),
            "follow_symlinks": url.option("follow_symlinks", bool, False),
            "attributes": url.option("attributes", bool, True),
            "file_mode": url.option("file_mode", _octal),
            "ttl": url.option("ttl", float, None),
            "timeout": url.option("timeout", float, None),
        }

    def _check_key(self, key: str) -> None:
        self._layout.check(key)

    async def _do(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        try:
            if calls.direct():  # what `brief` finds out, too, in a frame of its own
                return function(*args)
            return await calls.brief(function, *args)
        except StoreError:
            raise
        except OSError as error:
            if not is_exhausted(error):
                raise from_oserror(error) from error
        return await patiently(lambda: calls.call(function, *args))

    # -- whole objects ----------------------------------------------------------------------

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        if if_match is None and if_none_match is None and calls.direct():
            # A short way: our layers would take a sixth of the time.
            self._check("get", key)
            try:
                return self._objects.data(key, None)
            except StoreError as error:
                error.located(operation="get", store=repr(self), key=key)
                raise
            except OSError:
                pass  # the long way has more patience, and says what it means
        return await super().get(key, if_match=if_match, if_none_match=if_none_match)

    async def _get_data(self, key: str, options: ReadOptions) -> bytes:
        if options.conditional:
            return await super()._get_data(key, options)
        return await self._do(self._objects.data, key, options.byte_range)

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._do(self._objects.read, key, options)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._do(self._objects.head, key)

    async def _exists(self, key: str) -> bool:
        return await self._do(self._objects.exists, key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        return await self._do(self._objects.write, key, data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if missing_ok and if_match is None:
            await self._do(self._objects.delete_if_there, key)
        else:
            await self._do(self._objects.delete, key, if_match)

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        remove = partial(self._delete_batch, missing_ok=missing_ok)
        return self._delete_by_pages(keys, BATCH, remove)

    async def _delete_batch(self, keys: list[str], missing_ok: bool) -> list[Outcome]:
        """Remove objects in one hop; each directory is synced once."""
        outcomes: dict[str, Exception | None]
        try:
            work = self._do(self._objects.delete_many, keys, missing_ok)
            outcomes = await self._run("delete", None, work)
        except StoreError as error:
            outcomes = dict.fromkeys(keys, error)
        for key, outcome in outcomes.items():
            if isinstance(outcome, StoreError):
                outcome.located(operation="delete", store=repr(self), key=key)
        return [(key, outcomes[key]) for key in keys]

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._do(self._objects.copy, source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._do(self._objects.move, source, target, if_absent)

    # -- pieces -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with readers.place():
            file = await patiently(lambda: calls.acquire(OpenFile.close, self._objects.open, key))
            try:
                options.check(file.info)
                start, end = 0, file.found.st_size
                if options.byte_range is not None:
                    start, end = options.byte_range.resolve(end)
                yield Body(file.info, self._pieces(file, start, end, options.if_match is not None))
            finally:
                file.close()  # in place: closing what was only read does not wait for any medium

    async def _pieces(
        self, file: OpenFile, start: int, end: int, pinned: bool
    ) -> AsyncIterator[bytes]:
        while start < end:
            data = await self._do(file.read, start, min(end, start + PIECE))
            start += len(data)
            yield data
        if pinned:
            file.verify()  # in place, since it waits for no medium

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        begin, fresh = self._objects.begin, options.if_absent
        async with writers.place():
            pending = await patiently(lambda: calls.acquire(Pending.close, begin, key, fresh))
            sink = FileSink(pending)
            try:
                yield sink
                await sink.publish(options)
            finally:
                if not pending.closed:
                    await surely(pending.close)

    # -- lifetimes, upkeep ------------------------------------------------------------------

    def _lives(self) -> None:
        objects = self._objects
        self._objects = Objects(objects.tree, objects.layout, self._ttl)

    async def sweep(self, *, older_than: float = 86_400.0) -> int:
        """Remove what killed writers have left behind, hidden files, and objects that are over.

        What somebody is still writing stays, however long that takes: its writer holds a lock on
        it. Where files cannot be locked, as on some network file systems, only the age protects
        it. Most writers leave nothing to sweep, since what they create has no name until it is
        whole; but what replaces an object needs one.

        Args:
            older_than: Seconds since the last write to what killed writers left and may go.

        Returns:
            How many files were removed.
        """
        if not older_than >= 0:
            raise ConfigError(f"older_than is a number of seconds from 0 on, not {older_than!r}")
        self._check_open("sweep")
        steps = iter(Sweep(self._objects.tree, self._layout, older_than))
        return await self._place("sweep", None, self._total(steps))
