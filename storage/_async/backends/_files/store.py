"""The store class that all stores on files derive from."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from ...._core import calls
from ...._core.closing import closing
from ...._core.errors import ConfigError, StoreError, from_oserror
from ...._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ...._core.urls import StoreURL
from ...._core.values import batches
from ...._core.window import surely
from ...base import AsyncBaseStore, Keys, Outcome
from ...pieces import Body, Sink
from .layout import Layout
from .objects import Objects, OpenFile
from .pending import Pending, describe
from .sink import PIECE, FileSink
from .tree import Tree
from .waiting import patiently
from .walk import Listed, Walk

T = TypeVar("T")
P = ParamSpec("P")

BATCH = 256
"""Objects that are removed in one hop."""
PAGE = 512
"""Keys that a listing fetches at a time."""


class AsyncFileTreeStore(AsyncBaseStore):
    """Objects as files under a root directory.

    Args:
        root_path: The root directory.
        durable: Whether files and directories are synced.
        follow_symlinks: Whether symbolic links below the root are followed.
        timeout: Seconds that one operation may take. None: for ever.
    """

    capabilities = ~Capability.ATTRIBUTES
    inline = True
    _layout = Layout()

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        *,
        durable: bool = True,
        follow_symlinks: bool = False,
        timeout: float | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        self.root_path: str = os.fspath(root_path)
        if not self.root_path or "\0" in self.root_path:
            raise ConfigError(f"no path of a directory: {self.root_path!r}")
        tree = Tree(os.fsencode(self.root_path), follow=follow_symlinks, durable=durable)
        if self._layout.folding_proof:
            tree.folds = False
        self._objects = Objects(tree, self._layout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root_path!r})"

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("file", os.path.join(os.path.realpath(self.root_path), "")),)

    @staticmethod
    def _url_options(url: StoreURL) -> dict[str, Any]:
        return {
            "durable": url.option("durable", bool, True),
            "follow_symlinks": url.option("follow_symlinks", bool, False),
            "timeout": url.option("timeout", float, None),
        }

    def _check_key(self, key: str) -> None:
        self._layout.check(key)

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await patiently(lambda: calls.call(function, *args, **kwargs))

    # -- whole objects ----------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._do(self._objects.read, key, options)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._do(self._objects.stat, key)

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
        file = await patiently(lambda: calls.acquire(OpenFile.close, self._objects.open, key))
        try:
            info = describe(key, file.found)
            options.check(info)
            start, end = 0, file.found.st_size
            if options.byte_range is not None:
                start, end = options.byte_range.resolve(end)
            yield Body(info, self._pieces(file, start, end))
        finally:
            file.close()  # in place: closing what was only read does not wait for any medium

    async def _pieces(self, file: OpenFile, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            data = await self._do(file.read, start, min(end, start + PIECE))
            start += len(data)
            yield data

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        begin = self._objects.begin
        pending = await patiently(lambda: calls.acquire(Pending.close, begin, key))
        sink = FileSink(pending)
        try:
            yield sink
            await sink.publish(options)
        finally:
            if not pending.closed:
                await surely(pending.close)

    # -- listing ----------------------------------------------------------------------------

    def _walk(self, prefix: str, start_after: str, *, facts: bool) -> Walk:
        # What is no text orders as its code points do, and begins no key.
        begin, after = (text.encode(errors="surrogatepass") for text in (prefix, start_after))
        return Walk(self._objects.tree, self._layout, begin, after, facts)

    def _listed(self, prefix: str, start_after: str, facts: bool) -> Iterator[Listed | None]:
        return iter(self._walk(prefix, start_after, facts=facts))

    async def _found(
        self, prefix: str, start_after: str, facts: bool
    ) -> AsyncGenerator[Listed, None]:
        listed = self._listed(prefix, start_after, facts)
        try:
            async with closing(batches(listed, lambda _: 1, PAGE)) as pages:
                async for page in pages:
                    for found in page:
                        if found is not None:
                            yield found
        except StoreError:
            raise
        except OSError as error:
            raise from_oserror(error) from error

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._found(prefix, start_after, False)) as listing:
            async for key, _ in listing:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._found(prefix, start_after, True)) as listing:
            async for key, facts in listing:
                if facts is not None:
                    yield describe(key, facts)
