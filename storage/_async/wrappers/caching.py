"""A store with a nearer one in front of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ..._core.closing import closing
from ..._core.errors import ConfigError, NotModified
from ..._core.info import READ_ALL, ByteRange, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..base import Keys, Outcome
from ..pieces import Body, Sink
from ._cache.counters import CacheStats, Counters
from ._cache.entry import Seal
from ._cache.filling import Filling
from ._cache.forks import begin_in_child
from ._cache.parts import Parts
from ._cache.policy import CacheWrites, Policy, Revalidate
from ._cache.reads import Reads
from ._cache.room import Room
from ._cache.shelf import Shelf
from ._cache.traffic import Visit
from ._cache.whole import Whole
from ._cache.writes import Writes
from .children import AsyncParentStore
from .identity import AsyncIdentityStore


class AsyncCachingStore(AsyncIdentityStore):
    """Reads from the cache first, and keeps there what it reads and writes.

    Without options it does what users of that name know: the cache holds plain bytes under the
    objects' own keys, what it holds is served without a question, and writes go to both stores.
    Changes that others make to the main store are then not noticed while the cache has the
    object. With ``revalidate="always"`` nothing stale is ever served, and with ``ttl=`` nothing
    that is older than that.

    What each policy promises:
        ``revalidate="always"``: A read asks the main store whether the entry is still its
        object, in the same request where the main store knows conditional reads. It is one if
        it has its etag (where there are none: its size and its time; what has neither is read
        anew). Never stale, whoever writes, in whatever process, and whatever a process left in
        the cache when it was killed; but for what ``negative_ttl`` and ``stale_if_error`` allow.

        ``revalidate="ttl"``: Nothing is served that the main store was asked for, or confirmed,
        ``ttl`` seconds ago or earlier. What this store itself writes is seen at once. The
        clocks of processes that share a cache have to agree to within what that is to mean;
        an entry from the future counts as old.

        ``revalidate="never"``: What this store itself writes is seen at once; what others
        write only when its entry has gone. A read in another process that overlaps a write
        may leave the old object in the cache.

    Entries are sealed unless ``plain``: an entry is one object of the cache store, under the
    object's own key, published as a whole; behind the bytes stand what is known of the object
    and digests of all of it. So any store can be the cache, several processes can share it, and
    what is damaged, cut short, of another key or somebody else's is found out, removed and read
    again from the main store. A key that the cache store refuses is not cached.

    A plain entry is the object's bytes and nothing else, such as other programs leave or look
    for there; nothing can be verified of it, and streams, conditions and `head` go past it.

    Many reads of one key at a time are one read of the main store (on each event loop), also if
    the first of them is cancelled; ``revalidate="always"`` lets no read join one that was sent
    before it began. A stream fills the cache as it passes, in bounded memory. An entry goes
    before the main store is written, and the new one comes after it, so that a process killed
    in between leaves none. A cache store that fails is logged, counted and gone around; entries
    that it failed to remove are not used by this process until they are removed.

    Args:
        main_store: The store itself.
        cache_store: Any store, for the entries of this main store only: put a prefix in front
            of it to share it with another one.
        revalidate: Whether the main store is asked before an entry is served. None: "ttl" if
            there is a ``ttl``, else "never".
        ttl: Seconds that an entry is served without asking; with ``revalidate="ttl"``.
        negative_ttl: Seconds that the main store is not asked again for an object that it did
            not have, under every policy; known to each process alone, and until it writes the
            object itself.
        stale_if_error: Seconds since an entry was known to be true, up to which it is served if
            the main store is unavailable or too slow (never if it denies access or has no such
            object); ``math.inf``: however old.
        write: What a put does to the cache. "through": the new object is cached. "invalidate":
            the entry is removed. "around": nothing, so that a read may find the old object as
            long as ``revalidate`` allows, in this process too; not with "never". Deletes,
            copies and moves always remove the entries.
        max_bytes: Of all entries together; what was not used for longest is removed. Objects
            that are larger are not cached. Processes that share a cache keep it together, each
            to within a quarter of it.
        max_objects: Entries; likewise.
        max_object_bytes: Objects that are larger are not cached.
        plain: Whether entries are plain. None: if ``revalidate`` is "never".
        timeout: Seconds that one operation may take.

    Raises:
        ConfigError: The options contradict each other.
    """

    def __init__(
        self,
        main_store: AsyncObjectStore,
        cache_store: AsyncObjectStore,
        *,
        revalidate: Revalidate | None = None,
        ttl: float | None = None,
        negative_ttl: float = 0,
        stale_if_error: float = 0,
        write: CacheWrites = "through",
        max_bytes: int | None = None,
        max_objects: int | None = None,
        max_object_bytes: int | None = None,
        plain: bool | None = None,
        timeout: float | None = None,
    ) -> None:
        AsyncParentStore.__init__(self, (main_store, cache_store), timeout=timeout)
        sizes = max_bytes, max_objects, max_object_bytes
        self._policy = Policy(ttl, revalidate, negative_ttl, stale_if_error, write, *sizes, plain)
        if self._children[0] is self._children[1]:
            raise ConfigError("a store cannot be its own cache")
        self._begin()
        begin_in_child(self)

    def _begin(self) -> None:
        """What a process knows by itself; a pickled store begins anew."""
        self._child, cache = self._children
        main, policy = self._child, self._policy
        self._counters = counters = Counters()
        room = Room(cache, policy.max_bytes, policy.max_objects, counters)
        self._shelf = shelf = Shelf(cache, bool(policy.plain), room, counters)
        self._reads = reads = Reads(main, shelf, policy, counters)
        self._whole = Whole(main, shelf, policy, reads, counters)
        self._parts = Parts(main, shelf, reads)
        self._writes = Writes(main, shelf, policy, reads)

    def __getstate__(self) -> dict[str, Any]:
        begun = ("_counters", "_shelf", "_reads", "_whole", "_parts", "_writes")
        return {name: value for name, value in vars(self).items() if name not in begun}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()
        begin_in_child(self)

    async def _teardown(self) -> None:
        try:
            await self._shelf.room.aclose()
        finally:
            await super()._teardown()

    @property
    def main_store(self) -> AsyncObjectStore:
        """The store itself."""
        return self.children[0]

    @property
    def cache_store(self) -> AsyncObjectStore:
        """The store of the entries."""
        return self.children[1]

    @property
    def stats(self) -> CacheStats:
        """What this store has done since it was made; other processes count for themselves."""
        return self._counters.stats()

    async def clear(  # pyright: ignore[reportIncompatibleMethodOverride] - a key, not a prefix
        self, key: str | None = None
    ) -> int:
        """Forget what is cached, of one key or all; the main store keeps everything.

        Returns:
            How many objects were cached.
        """
        self._check_open("clear")
        return await self._place("clear", key, self._writes.clear(key))

    async def get_with_info(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> tuple[bytes, ObjectInfo]:
        """As for every store; past a plain cache, which knows no etags."""
        verb = self._child.get_with_info if self._shelf.plain else super().get_with_info
        return await verb(key, start=start, end=end, if_match=if_match, if_none_match=if_none_match)

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        if options == READ_ALL:
            return await self._whole.get(key)
        if self._policy.plain and not options.conditional:
            found = await self._whole.plain(key)
            if found is not None:
                return options.cut(found[0]), found[1]
        async with self._entry(key, options) as (seal, visit):
            if seal is not None:
                data = await self._parts.part(key, seal, options.byte_range)
                if data is not None:
                    return data, seal.info
            async with self._reads.missing(key, visit):
                return await self._child._read(key, options)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        if self._policy.plain and if_match is None:
            whole = await self._whole.plain(key)
            if whole is not None:
                return [ReadOptions(part).cut(whole[0]) for part in parts]
        async with self._entry(key, ReadOptions(None, if_match)) as (seal, visit):
            found = None if seal is None else await self._parts.parts(key, seal, parts)
            if found is not None:
                return found
            async with self._reads.missing(key, visit):
                return await self._child.get_ranges(key, parts, if_match=if_match)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._reads.head(key)

    async def _exists(self, key: str) -> bool:
        return await self._reads.exists(key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        stored = time.time()
        async with self._entry(key, options) as (seal, visit):
            if seal is not None:
                async with self._parts.opened(key, seal, options.byte_range) as pieces:
                    if pieces is not None:
                        yield Body(seal.info, pieces)
                        return
            reader = self._child._reader(key, options)
            async with self._reads.missing(key, visit):
                await reader.__aenter__()
            async with aclosing(reader):
                size = reader.info.size
                fills = self._shelf.streams(size) and self._policy.takes(size or 0)
                if options == READ_ALL and fills:
                    async with Filling(self._shelf, key, self._policy.takes, stored) as filling:
                        yield Body(reader.info, filling.through(reader, visit))
                        await filling.end(reader, visit)
                else:
                    yield Body(reader.info, reader)

    @asynccontextmanager
    async def _entry(
        self, key: str, options: ReadOptions
    ) -> AsyncIterator[tuple[Seal | None, Visit]]:
        """What an entry tells that may be served and satisfies the conditions, if there is one."""
        with Visit(self._reads.traffic, key) as visit:
            seal = None if self._policy.plain else await self._reads.current(key, visit)
            if seal is not None and options.if_match in (None, seal.info.etag):
                try:
                    options.check(seal.info)
                except NotModified:
                    self._reads.hit(key, 0)
                    raise
            else:
                seal = None
            yield seal, visit

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        return await self._writes.put(key, data, options)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._writes.create(key, options) as sink:
            yield sink

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._writes.delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._writes.copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._writes.move(source, target, if_absent)

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(self._writes.delete_many(keys, missing_ok)) as outcomes:
            async for outcome in outcomes:
                yield outcome
