"""Stores on Redis and Valkey servers, async and blocking."""

from ._async.backends.redis.store import AsyncRedisStore
from ._sync.backends.redis.store import RedisStore

__all__ = ["AsyncRedisStore", "RedisStore"]
