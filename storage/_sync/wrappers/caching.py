# Generated from storage/_async/wrappers/caching.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store with a nearer one in front of it."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers._cache.counters import CacheStats
from ..._async.wrappers._cache.policy import CacheWrites, Revalidate
from ..._async.wrappers.caching import AsyncCachingStore
from ..._core.adapt import to_async
from ..._core.info import ObjectInfo
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class CachingStore(IdentityStore):
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

    _async: AsyncCachingStore
    _async_type: ClassVar[type[AsyncCachingStore]] = AsyncCachingStore

    def __init__(
        self,
        main_store: ObjectStore,
        cache_store: ObjectStore,
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
        self._hold(
            self._async_type(
                to_async(main_store),
                to_async(cache_store),
                revalidate=revalidate,
                ttl=ttl,
                negative_ttl=negative_ttl,
                stale_if_error=stale_if_error,
                write=write,
                max_bytes=max_bytes,
                max_objects=max_objects,
                max_object_bytes=max_object_bytes,
                plain=plain,
                timeout=timeout,
            )
        )

    @property
    def main_store(self) -> ObjectStore:
        """The store itself."""
        return self._blocking(self._async.main_store)

    @property
    def cache_store(self) -> ObjectStore:
        """The store of the entries."""
        return self._blocking(self._async.cache_store)

    @property
    def stats(self) -> CacheStats:
        """What this store has done since it was made; other processes count for themselves."""
        return self._async.stats

    def clear(  # pyright: ignore[reportIncompatibleMethodOverride] - a key, not a prefix
        self, key: str | None = None
    ) -> int:
        """Forget what is cached, of one key or all; the main store keeps everything.

        Returns:
            How many objects were cached.
        """
        return self._run(self._async.clear(key))

    def get_with_info(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> tuple[bytes, ObjectInfo]:
        """As for every store; past a plain cache, which knows no etags."""
        return self._run(
            self._async.get_with_info(
                key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
            )
        )
