"""The store class that all stores on files derive from."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from time import monotonic, sleep
from typing import Any, ParamSpec, TypeVar

from ...._core import calls
from ...._core.closing import closing
from ...._core.errors import ConfigError, StoreError, from_oserror
from ...._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ...._core.urls import StoreURL
from ...._core.values import batches
from ...._core.window import finish_all
from ...base import AsyncBaseStore
from ...streams import Body, Sink
from .layout import Layout
from .objects import Objects, OpenFile
from .pending import Pending, describe
from .tree import PATIENCE, Tree, is_exhausted
from .walk import Listed, Walk

T = TypeVar("T")
P = ParamSpec("P")

PIECE = 512 * 1024
"""Bytes that streams are read and written by."""
PAGE = 512
"""Keys that a listing fetches at a time."""


class AsyncFileTreeStore(AsyncBaseStore):
    """Objects as files under a root directory.

    Args:
        root_path: The root directory; the first put makes it. It may be a symbolic link itself.
            A relative one is relative to the working directory at the time of each call.
        durable: Whether an object survives a power cut once ``put`` has returned (and stays gone
            once ``delete`` has): files and directories are synced. Without, it still survives the
            death of the process, and is never half there.
        follow_symlinks: Whether symbolic links below the root are followed, wherever they lead.
            Without, a key whose path holds one is refused with `AccessDenied`, and listings leave
            it out.
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
        return await _patiently(lambda: calls.call(function, *args, **kwargs))

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

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._do(self._objects.copy, source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._do(self._objects.move, source, target, if_absent)

    # -- pieces -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        file = await _patiently(lambda: calls.acquire(OpenFile.close, self._objects.open, key))
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
        pending = await _patiently(lambda: calls.acquire(Pending.close, begin, key))
        sink = _FileSink(self, pending)
        try:
            yield sink
            await sink.publish(options)
        finally:
            if not pending.closed:
                await _surely(pending.close)

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


def path_of(url: StoreURL) -> str:
    """The path that a URL means: ``file:///absolute`` or ``file://relative/to/here``.

    Raises:
        ConfigError: It has none, or a user.
    """
    if url.user is not None or url.password is not None:
        raise ConfigError(f"a {url.scheme} URL has no user: write '@' in a path as %40")
    path = url.path if url.host in ("", "localhost") else url.host + url.path
    if not path:
        raise ConfigError(f"a {url.scheme} URL has a path: {url.scheme}:///absolute/directory")
    return path


class _FileSink:
    """Takes an object's pieces; small ones are collected, so that each hop writes much."""

    def __init__(self, store: AsyncFileTreeStore, pending: Pending) -> None:
        self.info: ObjectInfo | None = None
        self._store = store
        self._pending = pending
        self._collected = bytearray()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        if self._collected or len(data) < PIECE:
            self._collected += data
            if len(self._collected) < PIECE:
                return
            data, self._collected = memoryview(self._collected), bytearray()
        await self._store._do(self._pending.write, data)

    async def publish(self, options: WriteOptions) -> None:
        """Make the object of all pieces."""
        self.info = await self._store._do(self._finish, options)

    def _finish(self, options: WriteOptions) -> ObjectInfo:
        self._pending.write(self._collected)
        self._collected = bytearray()
        info = self._pending.publish(options)
        self._pending.close()
        return info


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again while the process has as many files open as it may."""
    end, pause = 0.0, 0.005
    while True:
        try:
            return await attempt()
        except StoreError:
            raise
        except OSError as error:
            end = end or monotonic() + PATIENCE
            if not is_exhausted(error) or monotonic() >= end:
                raise from_oserror(error) from error
        # A call of its own, so that those who can close files get their turn.
        await calls.call(sleep, pause)
        pause = min(pause * 2, 0.05)


async def _surely(function: Callable[[], None]) -> None:
    """Call a function that cleans up, however often the call itself is cancelled."""
    if calls.direct():
        function()
    else:
        await finish_all([calls.call(function)])
