# Generated from storage/_async/backends/redis/hooks.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The hooks of the store."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends.redis.hooks import AsyncRedisHooks
from ...lifetimes import LifetimeStore


class RedisHooks(LifetimeStore):
    """What `RedisStore` does; it says how it is made."""

    _async: AsyncRedisHooks
    _async_type: ClassVar[type[AsyncRedisHooks]] = AsyncRedisHooks
