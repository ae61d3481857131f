"""A cache on this machine's disk, in front of a store that is reached by a network."""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .._async.backends.hashdir import AsyncHashdirStore
from .._async.base import AsyncBaseStore
from .._async.wrappers.caching import AsyncCachingStore
from .._core.closing import closing
from .._core.errors import StoreNotFound
from .options import StorageConfig


def cached(store: AsyncBaseStore, options: StorageConfig | None) -> AsyncBaseStore:
    """The store behind a cache, if that was asked for and spares anything.

    What is on this machine already is not copied once more.
    """
    if options is None or not options.cache_enabled or store.inline:
        return store
    directory = Path(options.cache_dir or _default(), _name(store))
    entries = AsyncHashdirStore(directory, durable=False, file_mode=0o600)
    return AsyncCachingStore(store, entries, revalidate="always", max_bytes=options.cache_max_bytes)


def _default() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "storage-typed")


def _name(store: AsyncBaseStore) -> str:
    """A name for the entries of a store: the same in each process, and no other store's."""
    places = store._locations()
    if not places or any(service == "object" for service, _ in places):
        return uuid.uuid4().hex  # nobody else can know it
    told = repr((type(store).__name__, places))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


async def remove_expired(store: AsyncBaseStore, hours: float) -> int:
    """Remove the entries of a cache that are older than so many hours; returns how many."""
    if not isinstance(store, AsyncCachingStore) or not hours:
        return 0
    entries, limit = store._children[1], datetime.now(UTC) - timedelta(hours=hours)
    try:
        async with closing(entries.list()) as infos:
            old = [info.key async for info in infos if info.modified and info.modified < limit]
    except StoreNotFound:
        return 0
    return await entries.delete_many(old)
