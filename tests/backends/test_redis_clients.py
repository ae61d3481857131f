"""How a Redis store is made: with users' clients, by connecting, and by URL; and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis")

import redis
import redis.asyncio

from storage import open_async_store, open_store
from storage._core.errors import (
    AccessDenied,
    ConfigError,
    StoreClosed,
    StoreNotFound,
    StoreUnavailable,
)
from storage.redis import AsyncRedisStore, RedisStore
from tests.backends.redises import blocking, connected, raw
from tests.faults.relay import Relay
from tests.services.process import RedisService


def options(service: RedisService, **more: Any) -> dict[str, Any]:
    """What redis-py's clients are made of."""
    return {"host": service.host, "port": service.port, "password": service.password, **more}


async def works(store: Any) -> None:
    """The verbs, each of which sends something else."""
    await store.put("a", b"\xff\0", content_type="x/y")
    await store.put("a", b"1" * 2_000_000, metadata={"k": "v"})
    assert await store.get("a") == b"1" * 2_000_000
    assert (await store.head("a")).metadata == {"k": "v"}
    await store.put("b", iter([b"2" * 3_000_000] * 2))
    assert await store.get_range("b", -2) == b"22"
    await store.copy("a", "c")
    assert sorted([key async for key in store.keys()]) == ["a", "b", "c"]
    assert sorted([info.size async for info in store.list()]) == [2_000_000, 2_000_000, 6_000_000]
    with pytest.raises(KeyError):
        await store.delete("missing")
    await store.put_many({f"m{n}": b"\xfe%d" % n for n in range(70)})
    got = {key: data async for key, data in store.get_many([f"m{n}" for n in range(70)])}
    assert got == {f"m{n}": b"\xfe%d" % n for n in range(70)}
    assert await store.clear() == 73


def works_blocking(store: Any) -> None:
    """The same, blocking."""
    store.put("a", b"1", metadata={"k": "v"})
    assert store.get("a") == b"1"
    assert store.head("a").metadata == {"k": "v"}
    store.put("b", iter([b"2" * 3_000_000] * 2))
    assert sorted(store.keys()) == ["a", "b"]
    with pytest.raises(KeyError):
        store.delete("missing")
    assert store.clear() == 2


# -- users' clients -------------------------------------------------------------------------------


@pytest.mark.parametrize("decodes", [False, True])
@pytest.mark.parametrize("protocol", [2, 3])
async def test_an_asyncio_client(valkey: RedisService, decodes: bool, protocol: int) -> None:
    made = options(valkey, db=5, decode_responses=decodes, protocol=protocol)
    async with redis.asyncio.Redis(**made) as client:
        async with AsyncRedisStore(client, prefix=f"{decodes}{protocol}") as store:
            await works(store)
        assert await client.ping()  # it was not closed


@pytest.mark.parametrize("decodes", [False, True])
async def test_a_blocking_client(valkey: RedisService, decodes: bool) -> None:
    with redis.Redis(**options(valkey, db=6, decode_responses=decodes)) as client:
        async with AsyncRedisStore(client, prefix=f"{decodes}") as store:
            await works(store)
        twin = RedisStore(client, prefix=f"{decodes}")
        await asyncio.to_thread(works_blocking, twin)
        assert client.ping()


def test_as_users_of_the_name_wrote_it(valkey: RedisService) -> None:
    client = redis.Redis(**options(valkey, db=7))
    with RedisStore(client) as store:
        store.put("key", b"value")
        assert client.get("key") == b"value"
        client.set("other", b"theirs")
        assert store.get("other") == b"theirs"
        assert store.exists("key")
        assert sorted(store.keys()) == ["key", "other"]
        store.delete("key")
        with pytest.raises(KeyError):
            store.get("key")
        store.clear()
    client.close()


def test_an_asyncio_client_in_the_blocking_store(valkey: RedisService) -> None:
    client = redis.asyncio.Redis(**options(valkey, db=8))
    with RedisStore(client) as store:
        works_blocking(store)
    assert not client.connection_pool._available_connections


def test_an_asyncio_client_on_other_loops(valkey: RedisService) -> None:
    """It lives on the loop that it was first used on; others are served all the same."""

    async def main() -> None:
        client = redis.asyncio.Redis(**options(valkey, db=9))
        async with client, AsyncRedisStore(client, prefix="loops") as store:
            await works(store)
            await asyncio.to_thread(lambda: asyncio.run(works(store)))
            await works(store)

    asyncio.run(main())


async def test_many_at_once_share_pipelines(valkey: RedisService) -> None:
    """An asyncio client of few connections serves any number of calls."""
    client = redis.asyncio.Redis(max_connections=2, **options(valkey))
    async with client, AsyncRedisStore(client, prefix="many:") as store:
        await asyncio.gather(*(store.put(f"key{n}", b"%d" % n) for n in range(300)))
        got = await asyncio.gather(*(store.get(f"key{n}") for n in range(300)))
        assert got == [b"%d" % n for n in range(300)]
        await store.clear()


@pytest.mark.parametrize("what", [None, object(), "redis://localhost", {}])
def test_what_is_no_client(what: Any) -> None:
    with pytest.raises(TypeError, match="no client of redis-py"):
        AsyncRedisStore(what)


# -- URLs, connecting -----------------------------------------------------------------------------


def test_urls(valkey: RedisService) -> None:
    with open_store(f"{valkey.url}?prefix=a%2Fb:&ttl=100&max_connections=2&timeout=5") as store:
        assert repr(store) == f"RedisStore('127.0.0.1:{valkey.port}/0', prefix='a/b:')"
        works_blocking(store)
    for url, shown in {
        "redis://": "localhost:6379/0",
        "redis://example.com/3": "example.com:6379/3",
        "rediss://user:pw@example.com:1/3": "example.com:1/3",
        "redis://pw@[::1]:7/": "::1:7/0",
        "redis://?path=/run/redis.sock": "/run/redis.sock/0",
    }.items():
        made = open_async_store(url)
        assert repr(made) == f"AsyncRedisStore({shown!r})"
        assert "pw" not in repr(made)


@pytest.mark.parametrize(
    "url",
    [
        "redis://host/x", "redis://host:x", "redis://host?nonsense=1", "redis://host:0",
        "redis://host?max_connections=0", "redis://host?ttl=-1", "rediss://host?path=/x",
    ],
)  # fmt: skip
def test_urls_that_make_no_sense(url: str) -> None:
    with pytest.raises(ConfigError):
        open_store(url)


async def test_a_unix_socket(own_valkey: Any) -> None:
    from tests.services.valkey import Valkey

    assert isinstance(own_valkey, Valkey)
    own_valkey.kill()
    path = str(own_valkey.directory / "s")
    own_valkey._options = ("--unixsocket", path)
    own_valkey.start()
    password = own_valkey.service.password
    async with AsyncRedisStore.connect(path=path, password=password) as store:
        await works(store)

    def use() -> None:
        with RedisStore.connect(path=path, password=password) as twin:
            works_blocking(twin)

    await asyncio.to_thread(use)


async def test_tls(valkey: RedisService, tmp_path: Path) -> None:
    """The server's certificate is checked, by those that are trusted and no others."""
    pytest.importorskip("cryptography")
    from tests.backends.certificates import Authority

    authority, stranger = Authority(tmp_path), Authority(tmp_path)
    trusted, other = tmp_path / "trusted.pem", tmp_path / "other.pem"
    trusted.write_bytes(authority.pem())
    other.write_bytes(stranger.pem())
    context = authority.server("127.0.0.1")
    async with Relay(valkey.host, valkey.port, context) as relay:
        made = {"port": relay.port, "tls": True, "patience": 0.0}
        for verify in (str(trusted), False):
            async with connected(valkey, verify=verify, **made) as store:
                await asyncio.gather(*(store.put(f"key{n}", b"x") for n in range(9)))
                assert await store.clear() == 9
        for verify in (True, str(other)):
            async with connected(valkey, verify=verify, **made) as store:
                with pytest.raises(StoreUnavailable, match=r"(?i)certificate"):
                    await store.get("key")
        async with connected(valkey, verify=str(tmp_path / "missing"), **made) as store:
            with pytest.raises(ConfigError, match="certificates"):
                await store.get("key")


async def test_wrong_credentials_and_databases(valkey: RedisService) -> None:
    canary = "canary-of-the-wrong-password"
    for wrong in ({"password": canary}, {"password": None}, {"username": "x", "password": canary}):
        async with connected(valkey, **wrong) as store:
            twin = blocking(valkey, **wrong)
            for attempt in (store.get("key"), asyncio.to_thread(twin.get, "key")):
                with pytest.raises(AccessDenied) as caught:
                    await attempt
                assert canary not in "".join(traceback.format_exception(caught.value))
            await asyncio.to_thread(twin.close)
    async with connected(valkey, db=9999) as store:
        with pytest.raises(StoreNotFound):
            await store.exists("key")


async def test_the_password_is_nowhere(
    valkey: RedisService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with connected(valkey) as store:
        await store.put("key", b"x")
        shown = [repr(store), str(store), repr(vars(store)), repr(vars(store._server))]
        with pytest.raises(TypeError, match="password") as caught:
            pickle.dumps(store)
        shown += ["".join(traceback.format_exception(caught.value)), caplog.text]
        with redis.Redis(**options(valkey)) as client:
            shown.append(repr(AsyncRedisStore(client)))
        assert not [text for text in shown if valkey.password in text]


def test_pickling() -> None:
    store = AsyncRedisStore.connect("example.com", 7, db=3, prefix="a", ttl=5, timeout=9)
    again = pickle.loads(pickle.dumps(store))
    assert repr(again) == repr(store) == "AsyncRedisStore('example.com:7/3', prefix='a')"
    assert (again._ttl, again._timeout) == (5, 9)
    assert (
        pickle.loads(pickle.dumps(RedisStore.connect("example.com").with_ttl(3)))._async._ttl == 3
    )
    with pytest.raises(TypeError, match="client of yours"):
        pickle.dumps(AsyncRedisStore(redis.Redis()))


# -- loops, threads, processes --------------------------------------------------------------------


def test_loops_in_turn_and_the_end(valkey: RedisService) -> None:
    store = connected(valkey)
    for _ in range(2):
        asyncio.run(works(store))
    asyncio.run(store.aclose())
    with pytest.raises(StoreClosed):
        asyncio.run(store.get("key"))


def test_an_unclosed_store_warns(valkey: RedisService) -> None:
    store = blocking(valkey)
    store.put("key", b"x")
    stores = [store]
    del store
    with pytest.warns(ResourceWarning, match="unclosed AsyncRedisStore"):
        stores.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blocking(valkey)  # never used
        view = blocking(valkey).with_ttl(3)
        view.put("key", b"x")
        twin = view._async._server
        view._run(twin.aclose())
        del view, twin
        gc.collect()


def test_threads_share_few_connections(valkey: RedisService) -> None:
    with raw(valkey) as client:
        before = len(client.client_list())
    with blocking(valkey, max_connections=3) as store:

        def use(name: str) -> None:
            for number in range(30):
                store.put(name, b"%d" % number)
                assert store.get(name) == b"%d" % number

        threads = [threading.Thread(target=use, args=(f"t{n}",)) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with raw(valkey) as client:
            assert len(client.client_list()) <= before + 3
        assert len(list(store.keys())) == 10
        store.clear()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork(valkey: RedisService) -> None:
    """The child has connections of its own; the parent's go on."""

    async def once(store: Any) -> bytes:
        return await store.get("key")  # type: ignore[no-any-return]

    with blocking(valkey) as store, raw(valkey) as client:
        store.put("key", b"x")
        ears, mouth = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(mouth, store.get("key") + asyncio.run(once(store._async)))
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert os.read(ears, 10) == b"xx"
        assert store.get("key") == b"x"
        os.close(ears)
        os.close(mouth)
        client.delete(store._async._prefix + b"key")


async def test_closing(valkey: RedisService) -> None:
    store = connected(valkey)
    view = store.with_ttl(10)
    await view.aclose()  # does not close what it lives on
    await store.put("key", b"x")
    going = asyncio.create_task(store._ask([(b"BLPOP", store._prefix + b"never", 10)]))
    await asyncio.sleep(0.02)
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreClosed):
        await going
    with pytest.raises(StoreClosed):
        await store.get("key")
