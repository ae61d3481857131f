# Generated from storage/_async/wrappers/caching.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store with a nearer one in front of it."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.caching import AsyncCachingStore
from ..._core.adapt import to_async
from ..._core.info import ObjectInfo
from ..._core.protocol import ObjectStore
from .children import ParentStore


class CachingStore(ParentStore):
    """Reads from the cache first, and keeps there what it reads and writes.

    Writes go to the main store first and then to the cache. Many misses of one key at a time are
    one read of the main store. A cache that fails is logged and gone around; what it may hold no
    longer truly is removed from it. Ranges, conditions and streams go to the main store, unless
    the cache has the object.

    Args:
        main_store: The store itself.
        cache_store: Any store, for this one's use only; changes that others make to the main
            store are not noticed while it holds an object.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncCachingStore
    _async_type: ClassVar[type[AsyncCachingStore]] = AsyncCachingStore

    def __init__(
        self, main_store: ObjectStore, cache_store: ObjectStore, *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(to_async(main_store), to_async(cache_store), timeout=timeout))

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
        """As for every store, and always from the main one: the cache knows no etags."""
        return self._run(
            self._async.get_with_info(
                key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
            )
        )
