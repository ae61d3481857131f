"""Stores in a tree of files on a server, whatever the protocol."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from ...._core.closing import closing
from ...._core.errors import (
    ConfigError,
    ObjectNotFound,
    PreconditionFailed,
    StoreUnavailable,
)
from ...._core.info import (
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ...pieces import Body, Sink
from .life import AsyncRemoteLife
from .naming import TRIES, rename
from .paths import above, is_temporary
from .pending import Pending
from .session import Facts, Kind, Reading, Refused, Session
from .tree import linked, missing, prune
from .walk import Walk


class AsyncRemoteStore(AsyncRemoteLife):
    """The ground of the stores that speak to a file server."""

    # -- reading ----------------------------------------------------------------------------

    @asynccontextmanager
    async def _opened(self, room: str, key: str, options: ReadOptions) -> AsyncIterator[Reading]:
        async with self._lease(room) as session:
            try:
                async with session.read(self._root, self._root + key, options.byte_range) as found:
                    if found.facts.kind is not Kind.FILE:
                        raise FileNotFoundError
                    yield found
            except FileNotFoundError as error:
                raise await missing(session, self._root, key) from error
            except Refused:
                await self._object(session, key)  # raises where there is none
                raise

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        for _ in range(TRIES):
            try:
                async with self._opened("call", key, options) as found:
                    chunks = [chunk async for chunk in found.chunks]
            except PreconditionFailed:  # replaced just as it was opened
                continue
            return b"".join(chunks), _info(key, found.facts)
        raise StoreUnavailable("the object is replaced again and again")

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._opened("read", key, options) as found:
            yield Body(_info(key, found.facts), found.chunks)

    async def _object(self, session: Session, key: str) -> Facts:
        """What is known of an object."""
        path = self._root + key
        facts = await session.look(path)
        if facts is None or facts.kind in (Kind.DIRECTORY, Kind.OTHER):
            raise await missing(session, self._root, key)
        if facts.kind is Kind.LINK:
            raise linked(path)
        await session.refuse_links(self._root, above(path))
        return facts

    async def _head(self, key: str) -> ObjectInfo:
        async with self._lease("call") as session:
            return _info(key, await self._object(session, key))

    # -- writing ----------------------------------------------------------------------------

    @asynccontextmanager
    async def _pending(self, room: str, key: str, options: WriteOptions) -> AsyncIterator[Pending]:
        pool = await self._pools.get()
        async with self._lease(room) as session:
            pending = Pending(pool, session, self._root, key, options)
            async with pending.undone():
                await pending.begin()
                yield pending

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        async with self._pending("call", key, options) as pending:
            await pending.write(data)
            await pending.publish()
        assert pending.info is not None
        return pending.info

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._pending("write", key, options) as pending:
            yield pending
            await pending.publish()

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        try:
            async with self._lease("call") as session:
                await self._object(session, key)
                await self._remove(session, key)
        except ObjectNotFound:
            if not missing_ok:
                raise

    async def _remove(self, session: Session, key: str) -> None:
        try:
            await session.remove(self._root + key)
        except FileNotFoundError as error:
            raise await missing(session, self._root, key) from error
        await prune(session, self._root, above(self._root + key))

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if source == target and not if_absent:
            return await self._run("copy", source, self._head(source))
        done = await self._copy_there(source, target, WriteOptions(if_absent))
        return done or await super()._copy(source, target, if_absent)

    async def _copy_there(
        self, source: str, target: str, options: WriteOptions
    ) -> ObjectInfo | None:
        """Copy on the server, with the deadline on each step; None where it does not."""
        async with AsyncExitStack() as stack:
            lease = stack.enter_async_context(self._lease("call"))
            session = await self._run("copy", source, lease)
            if not session.copies:
                return None
            facts = await self._run("copy", source, self._object(session, source))
            pending = Pending(await self._pools.get(), session, self._root, target, options)
            await stack.enter_async_context(pending.undone())
            await self._run("copy", target, pending.begin())
            copying = pending.take(self._root + source, facts.size or 0)
            async with closing(self._steps("copy", copying)) as steps:
                async for _ in steps:
                    pass
            await self._run("copy", target, pending.publish())
        return pending.info

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._run("move", source, self._rename(source, target, if_absent))

    async def _rename(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if source == target and not if_absent:
            return await self._head(source)
        async with self._lease("call") as session:
            facts = await self._object(session, source)
            try:
                await rename(session, self._root, source, target, if_absent=if_absent)
            except FileNotFoundError as error:
                raise await missing(session, self._root, source) from error
            await prune(session, self._root, above(self._root + source))
        return _info(target, facts)

    # -- listing ----------------------------------------------------------------------------

    def _walk(self, prefix: str, start_after: str) -> Walk:
        # What is no text orders as its code points do, and begins no key.
        begin, after = (text.encode(errors="surrogatepass") for text in (prefix, start_after))
        return Walk(self._scan, begin, after)

    async def _scan(self, below: str, first: bool = False) -> list[tuple[bytes, Facts]] | None:
        """What a directory holds; links to it are looked for where the walk comes from nowhere."""
        path = (self._root + below).rstrip("/") or ("/" if self._root else ".")
        async with self._lease("call") as session:
            try:
                if first:
                    await session.refuse_links(self._root, self._root + below)
                return await session.scan(path)
            except (Refused, FileNotFoundError) as error:
                facts = await session.look(path) if below else None
                if facts is not None and facts.kind is Kind.DIRECTORY:
                    raise
                gone = await missing(session, self._root)
                if not isinstance(gone, ObjectNotFound):
                    raise gone from error
                return None

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(aiter(self._walk(prefix, start_after))) as infos:
            async for info in infos:
                yield info

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        if delimiter != "/":
            return await super()._list_with_delimiter(prefix, delimiter)
        return await self._walk(prefix, "").one_level()

    # -- upkeep -----------------------------------------------------------------------------

    async def sweep(self, *, older_than: float = 86_400.0) -> int:
        """Remove what killed writers have left behind: hidden files that are no objects.

        Args:
            older_than: Seconds since the last write to what may go, by the server's clock. What
                is still being written is younger, unless its writer has paused for so long.

        Returns:
            How many files were removed.
        """
        if not older_than >= 0:
            raise ConfigError(f"older_than is a number of seconds from 0 on, not {older_than!r}")
        self._check_open("sweep")
        total, waiting, before = 0, [""], time.time() - older_than
        while waiting:
            below = waiting.pop()
            found = await self._run("sweep", None, self._scan(below)) or []
            names = [(name.decode(errors="replace"), facts) for name, facts in found]
            waiting += [f"{below}{name}/" for name, facts in names if _is_below(name, facts)]
            old = [name for name, facts in names if is_temporary(name) and _is_old(facts, before)]
            if old:
                await self._run("sweep", None, self._remove_all(below, old))
            total += len(old)
        return total

    async def _remove_all(self, below: str, names: list[str]) -> None:
        async with self._lease("call") as session:
            for name in names:
                try:
                    await session.remove(f"{self._root}{below}{name}")
                except FileNotFoundError:
                    continue
            await prune(session, self._root, self._root + below)


def _is_below(name: str, facts: Facts) -> bool:
    return facts.kind is Kind.DIRECTORY and name not in (".", "..") and "/" not in name


def _is_old(facts: Facts, before: float) -> bool:
    if facts.kind is not Kind.FILE or facts.modified is None:
        return False
    return facts.modified.timestamp() <= before


def _info(key: str, facts: Facts) -> ObjectInfo:
    return ObjectInfo(key, facts.size, None, facts.modified)
