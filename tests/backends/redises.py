"""Stores on the Redis server of the tests, and clients to look behind them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.redis import AsyncRedisStore, RedisStore
from tests.services.process import RedisService


def connected(service: RedisService, kind: Any = AsyncRedisStore, **options: Any) -> Any:
    """A store under a prefix of its own."""
    options = {"password": service.password, "prefix": f"{secrets.token_hex(4)}:", **options}
    return kind.connect(service.host, options.pop("port", service.port), **options)


def blocking(service: RedisService, **options: Any) -> Any:
    """The same, blocking."""
    return connected(service, RedisStore, **options)


@contextmanager
def raw(service: RedisService, **options: Any) -> Iterator[Any]:
    """A client of redis-py."""
    import redis

    with redis.Redis(service.host, service.port, password=service.password, **options) as client:
        yield client


def below(service: RedisService, prefix: str) -> set[bytes]:
    """All that is on the server under a prefix, without it."""
    with raw(service) as client:
        return {name[len(prefix) :] for name in client.scan_iter(f"{prefix}*")}
