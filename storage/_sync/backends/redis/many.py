# Generated from storage/_async/backends/redis/many.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Verbs on many keys, some of them in each request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ...._async.backends.redis.many import AsyncRedisMany
from ...._async.base import Keys
from .hooks import RedisHooks


class RedisMany(RedisHooks):
    """Verbs on many keys."""

    _async: AsyncRedisMany
    _async_type: ClassVar[type[AsyncRedisMany]] = AsyncRedisMany

    def get_many(self, keys: Keys, *, missing_ok: bool = False) -> Iterator[tuple[str, bytes]]:
        """Read many objects, some in each request; all else is as in every store."""
        return self._iterate(self._async.get_many(keys, missing_ok=missing_ok), max_batch=32)
