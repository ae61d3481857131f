"""Key-value stores on Redis, side by side with minimalkv's."""

from __future__ import annotations

from typing import Any

import pytest

redis = pytest.importorskip("redis")

from storage.kv import (  # noqa: E402 - after the check
    HRedisStore,
    RedisStore,
    TimeToLiveMixin,
    get_store,
    get_store_from_url,
)
from storage.object import ConfigError  # noqa: E402
from tests.services.process import RedisService  # noqa: E402

DATABASE = 11


@pytest.fixture
def client(valkey: RedisService) -> Any:
    with redis.Redis(valkey.host, valkey.port, DATABASE, valkey.password) as made:
        yield made


def test_a_users_client(client: Any) -> None:
    with RedisStore(client) as store:
        assert store.redis is client
        assert isinstance(store, TimeToLiveMixin)
        store.put("users-client", b"1", ttl_secs=100)
        assert client.get("users-client") == b"1"
        assert 90 < client.ttl("users-client") <= 100
        store.put("users-client", b"1")
        assert client.ttl("users-client") == -1
        store.delete("users-client")
        store.delete("users-client")
    assert client.ping()


def test_each_reads_what_the_other_wrote(client: Any) -> None:
    original = pytest.importorskip("minimalkv.memory.redisstore")
    ours, theirs = RedisStore(client), original.RedisStore(client)
    for key, value in (("both-a", b""), ("both-b", b"1"), ("both-c", b"x" * 9_000)):
        ours.put(key, value)
        assert theirs.get(key) == value
        theirs.put(key, value + b"!")
        assert ours.get(key) == value + b"!"
        assert ours.size(key) == len(value) + 1
    assert sorted(ours.keys("both-")) == ["both-a", "both-b", "both-c"]
    for key in ours.keys("both-"):
        ours.delete(key)
    assert theirs.keys("both-") == []


@pytest.mark.parametrize(("kind", "made"), [("redis", RedisStore), ("hredis", HRedisStore)])
def test_urls(valkey: RedisService, kind: str, made: type[RedisStore]) -> None:
    place = f"{kind}://:{valkey.password}@{valkey.host}:{valkey.port}/{DATABASE}"
    for store in (
        get_store_from_url(place),
        get_store(kind, host=valkey.host, port=valkey.port, db=DATABASE, password=valkey.password),
    ):
        with store:
            assert type(store) is made
            assert valkey.password not in repr(store)
            assert f"{valkey.port}/{DATABASE}" in repr(store)
            store.put(f"{kind}-url", b"1")
            store.delete(f"{kind}-url")
    with get_store_from_url(f"{place}#wrap:readonly") as store, pytest.raises(AttributeError):
        store.put("a", b"")
    with pytest.raises(ConfigError):
        get_store_from_url(f"{place}?colour=red")


def test_wrong_passwords(valkey: RedisService) -> None:
    url = f"redis://:canary@{valkey.host}:{valkey.port}"
    with (
        get_store_from_url(url) as store,
        pytest.raises(OSError, match="username-password") as caught,
    ):
        store.get("a")
    assert "canary" not in str(caught.value)
