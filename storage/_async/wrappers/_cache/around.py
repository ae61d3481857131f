"""A cache store that fails is no reason to fail."""

from __future__ import annotations

import logging
from types import TracebackType

from ...._core.errors import InvalidKey, ObjectNotFound, StoreNotFound
from ...base import AsyncBaseStore
from .counters import Counters
from .entry import Broken

logger = logging.getLogger("storage.caching")


class GoingAround:
    """Ends a block that has failed, and says so; but lets `Broken` pass."""

    def __init__(self, cache: AsyncBaseStore, counters: Counters, what: str, key: str) -> None:
        self._cache = cache
        self._counters = counters
        self._what = what
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, ObjectNotFound | StoreNotFound | InvalidKey):
            return True
        if isinstance(error, Broken) or not isinstance(error, Exception):
            return False
        self._counters.add("errors")
        logger.warning("%r could not %s %r: %s", self._cache, self._what, self._key, error)
        return True
