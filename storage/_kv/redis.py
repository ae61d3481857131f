"""Values on servers that speak the protocol of Redis."""

from __future__ import annotations

from typing import Any

from .._sync.base import BaseStore
from .keys import ExtendedKeyspaceMixin
from .mixins import TimeToLiveMixin
from .objects import ObjectKeyValueStore


class RedisStore(ObjectKeyValueStore):
    """Values as plain strings under their keys.

    Args:
        redis: A ``redis.Redis`` (or ``StrictRedis``); it is never closed. Or one of this
            package's Redis stores.
    """

    def __init__(self, redis: Any) -> None:
        from .._sync.backends.redis import store as backend

        super().__init__(redis if isinstance(redis, BaseStore) else backend.RedisStore(redis))
        self.redis = redis
        """What it was made of."""

    @classmethod
    def connect(
        cls,
        host: str = "localhost",
        port: int = 6379,
        db: int = 0,
        username: str | None = None,
        password: str | None = None,
    ) -> RedisStore:
        """A store that connects by itself; close it."""
        from .._sync.backends.redis import store as backend

        made = backend.RedisStore.connect(host, port, db=db, username=username, password=password)
        return cls(made)


# Its hooks take no time to live, so that it is not made of that mixin; but it does what it says.
TimeToLiveMixin.register(RedisStore)


class HRedisStore(ExtendedKeyspaceMixin, RedisStore):
    """A `RedisStore` whose keys may have slashes and spaces."""
