"""Cancelled calls, lost answers, servers that fail, hang, restart, are full or lie."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("redis")

from storage._core.errors import (
    AccessDenied,
    BulkError,
    MalformedResponse,
    NoSpace,
    ObjectExists,
    StoreTimeout,
    StoreUnavailable,
)
from storage.redis import AsyncRedisStore, RedisStore
from tests.backends.redises import below, connected, raw
from tests.faults.relay import Relay, Wire
from tests.services.process import RedisService
from tests.services.valkey import Valkey


@pytest.fixture
async def relay(valkey: RedisService) -> AsyncIterator[Relay]:
    async with Relay(valkey.host, valkey.port) as made:
        yield made


def through(relay: Relay, service: RedisService, **options: Any) -> Any:
    """A store behind the relay."""
    return connected(service, port=relay.port, **options)


def swallowing(times: int = 1) -> Any:
    """An answer is lost, and the connection with it."""
    left = [times]

    async def change(data: bytes, wire: Wire) -> bytes:
        if left[0]:
            left[0] -= 1
            wire.reset()
            return b""
        return data

    return change


# -- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["own", "client"])
async def test_cancelled_between_sending_and_the_answer(valkey: RedisService, whose: str) -> None:
    """The next call never gets the answer that was meant for the cancelled one."""
    import redis.asyncio

    client = redis.asyncio.Redis(
        host=valkey.host, port=valkey.port, password=valkey.password, max_connections=1
    )
    own = connected(valkey, max_connections=1)
    made = own if whose == "own" else AsyncRedisStore(client, prefix=own._prefix.decode())
    async with client, own, made as store:
        await asyncio.gather(*(store.put(f"key{n}", b"%d" % n) for n in range(20)))
        for number in range(20):
            slow = (b"BLPOP", store._prefix + b"never", 1)
            waiting = asyncio.create_task(store._ask([slow]))
            late = asyncio.create_task(store.get("key0"))
            await asyncio.sleep(0 if number % 2 else 0.003)
            waiting.cancel()
            late.cancel()
            outcomes = await asyncio.gather(waiting, late, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in outcomes)
            got = await asyncio.gather(*(store.get(f"key{n}") for n in range(number, 20)))
            assert got == [b"%d" % n for n in range(number, 20)]
        await store.clear()


async def test_cancelled_at_random(valkey: RedisService, relay: Relay) -> None:
    """No call gets another's answer; what is left running is nothing. `ROUNDS` may be set."""
    rng = random.Random(5)

    async def slowly(data: bytes, wire: Wire) -> bytes:
        await asyncio.sleep(rng.random() * 0.004)
        return data

    relay.answered = slowly
    before = asyncio.all_tasks()
    async with through(relay, valkey, max_connections=3) as store:
        keys = [f"key{n}" for n in range(8)]
        await store.put_many({key: key.encode() * 500 for key in keys})
        for _ in range(int(os.environ.get("ROUNDS", "25"))):
            gets = [(key, asyncio.create_task(store.get(key))) for key in keys]
            puts = [asyncio.create_task(store.put(key, key.encode() * 500)) for key in keys]
            await asyncio.sleep(rng.random() * 0.006)
            for _, task in rng.sample(gets, 4):
                task.cancel()
            for task in rng.sample(puts, 4):
                task.cancel()
            for key, task in gets:
                try:
                    assert await task == key.encode() * 500
                except asyncio.CancelledError:
                    pass
            await asyncio.gather(*puts, return_exceptions=True)
        relay.answered = None
        assert {key: data async for key, data in store.get_many(keys)} == {
            key: key.encode() * 500 for key in keys
        }
        pool = store._server._turns.peek().send.args[0]
        assert len(pool._available_connections) <= 3
        assert not pool._in_use_connections
        await store.clear()
    assert not {task for task in asyncio.all_tasks() - before if "_Batch" in repr(task)}


async def test_calls_of_one_turn_share_a_connection(valkey: RedisService, relay: Relay) -> None:
    async with through(relay, valkey) as store:
        await store.put("key", b"x" * 100)
        writes: list[bytes] = []

        async def count(data: bytes, wire: Wire) -> bytes:
            writes.append(data)
            return data

        relay.asked = count
        assert await asyncio.gather(*(store.get("key") for _ in range(200))) == [b"x" * 100] * 200
        assert relay.connections == 1
        assert len(writes) < 5
        await store.clear()


# -- lost connections -----------------------------------------------------------------------------


async def test_lost_answers_of_reads_and_puts(valkey: RedisService, relay: Relay) -> None:
    async with through(relay, valkey) as store:
        await store.put("key", b"old")
        relay.answered = swallowing()
        assert await store.get("key") == b"old"
        relay.answered = swallowing()
        assert await store.get_range("key", 1, 2) == b"l"
        relay.answered = swallowing()
        assert await store.exists("key")
        relay.answered = swallowing()
        info = await store.put("key", b"new", if_match=(await store.head("key")).etag)
        relay.answered = swallowing()
        assert (await store.put("other", b"1", if_absent=True)).etag
        assert await store.get("other") == b"1"
        relay.answered = swallowing()
        assert (await store.put("other", b"2" * 9_000)).size == 9_000
        relay.answered = swallowing()
        await store.put("long", bytes(3_000_000), if_absent=True)
        assert (await store.head("key")).etag == info.etag
        with pytest.raises(ObjectExists):
            await store.put("long", b"", if_absent=True)
        assert not [n for n in below(valkey, store._prefix.decode()) if b"upload" in n]
        await store.clear()


async def test_what_is_not_known_is_not_claimed(valkey: RedisService, relay: Relay) -> None:
    """A delete or a move whose answer is lost is not done again, which would find nothing."""
    async with through(relay, valkey) as store:
        await store.put("first", b"x")
        await store.move("first", "key")  # the server has to know the scripts
        await store.delete("first", missing_ok=True)
        relay.answered = swallowing()
        with pytest.raises(StoreUnavailable):
            await store.delete("key")
        assert not await store.exists("key")
        await store.put("key", b"x")
        relay.answered = swallowing()
        with pytest.raises(StoreUnavailable):
            await store.move("key", "moved")
        assert await store.get("moved") == b"x"
        relay.answered = swallowing()
        await store.delete("moved", missing_ok=True)
        assert not await store.exists("moved")


async def test_a_connection_that_breaks_amid_a_value(valkey: RedisService, relay: Relay) -> None:
    left = [3]

    async def cut(data: bytes, wire: Wire) -> bytes:
        if left[0] and len(data) > 20_000:
            left[0] -= 1
            wire.send(data[:10_000])
            await asyncio.sleep(0.005)
            wire.reset()
            return b""
        return data

    async with through(relay, valkey) as store:
        value = os.urandom(2_500_000)
        await store.put("key", value)
        relay.answered = cut
        assert await store.get("key") == value
        left[0] = 3
        assert b"".join([piece async for piece in store.stream("key")]) == value
        assert left[0] == 0
        await store.clear()


async def test_a_server_that_hangs(valkey: RedisService, relay: Relay) -> None:
    """The deadline holds, and the connection that hangs is not used again."""
    hold = asyncio.Event()

    async def hang(data: bytes, wire: Wire) -> bytes:
        await hold.wait()
        return data

    async with through(relay, valkey, timeout=0.15) as store:
        twin = through(relay, valkey, kind=RedisStore, timeout=0.15)
        await store.put("key", b"x")
        await asyncio.to_thread(twin.put, "key", b"x")
        relay.answered = hang
        begin = time.monotonic()
        with pytest.raises(StoreTimeout, match=r"0\.15 s"):
            await store.get("key")
        with pytest.raises(StoreTimeout, match=r"0\.15 s"):
            await asyncio.to_thread(twin.get, "key")
        assert time.monotonic() - begin < 5
        relay.answered = None
        assert await store.get("key") == b"x"
        assert await asyncio.to_thread(twin.get, "key") == b"x"
        hold.set()
        await store.clear()
        await asyncio.to_thread(twin.clear)
        await asyncio.to_thread(twin.close)


async def test_the_wait_for_a_connection_counts(valkey: RedisService) -> None:
    """Who comes while the only connection is busy waits for it, within the deadline."""
    async with connected(valkey, max_connections=1, timeout=0.1) as store:
        patient = connected(valkey, prefix=store._prefix.decode())
        patient._server = store._server
        slow = asyncio.create_task(patient._ask([(b"BLPOP", store._prefix + b"never", 10)]))
        await asyncio.sleep(0.02)
        for _ in range(2):
            with pytest.raises(StoreTimeout):
                await store.get("key")
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        with pytest.raises(KeyError):
            await store.get("key")
        patient._closed = True


async def test_nobody_listens(valkey: RedisService) -> None:
    async with AsyncRedisStore.connect("127.0.0.1", 1, patience=0.05) as store:
        with pytest.raises(StoreUnavailable):
            await store.get("key")
        with pytest.raises(BulkError) as caught:
            await store.put_many({"a": b"", "b": b""})
        assert {type(each) for each in caught.value.errors.values()} == {StoreUnavailable}
        assert set(caught.value.errors) == {"a", "b"}
    twin = RedisStore.connect("127.0.0.1", 1, patience=0.05)
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(twin.get, "key")
    await asyncio.to_thread(twin.close)
    async with AsyncRedisStore.connect("127.0.0.1", 1, timeout=0.05) as store:
        with pytest.raises(StoreTimeout):
            await store.get("key")


async def test_a_restart(own_valkey: Valkey) -> None:
    """Operations ride through it, and what was acknowledged is there."""
    service = own_valkey.service
    async with connected(service) as store:
        twin = connected(service, RedisStore, prefix=store._prefix.decode())
        await store.put("key", b"x" * 9_000, metadata={"k": "v"})
        await asyncio.to_thread(twin.get, "key")
        own_valkey.kill()
        waiting = [asyncio.create_task(store.put(f"key{n}", b"1")) for n in range(5)]
        others = [asyncio.create_task(asyncio.to_thread(twin.get, "key"))]
        await asyncio.sleep(0.01)
        own_valkey.start()
        await asyncio.gather(*waiting)
        assert await asyncio.gather(*others) == [b"x" * 9_000]
        assert (await store.head("key")).metadata == {"k": "v"}
        assert len([key async for key in store.keys()]) == 6
        await asyncio.to_thread(twin.close)


# -- what servers say -----------------------------------------------------------------------------


async def test_a_full_server(own_valkey: Valkey) -> None:
    """What does not fit is refused, leaves nothing behind, and what is there can be removed."""
    service = own_valkey.service
    async with connected(service) as store:
        await store.put("old", b"old" * 1_000, metadata={"k": "v"})
        with raw(service) as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"] + 200_000)
            client.config_set("maxmemory-policy", "noeviction")
        for value in (bytes(900_000), bytes(3_000_000), iter([bytes(3_000_000)] * 4)):
            with pytest.raises(NoSpace):
                for number in range(20):
                    await store.put(f"new{number}", value)
        with pytest.raises(NoSpace):
            await asyncio.to_thread(_fill, service)
        assert await store.get("old") == b"old" * 1_000
        assert not [n for n in below(service, store._prefix.decode()) if b"upload" in n]
        await store.clear()
        with raw(service) as client:
            client.config_set("maxmemory", 0)
        await store.put("new", b"x")


def _fill(service: RedisService) -> None:
    import redis

    with redis.Redis(service.host, service.port, password=service.password) as client:
        RedisStore(client).put("theirs", bytes(900_000))


async def test_a_replica(own_valkey: Valkey) -> None:
    async with connected(own_valkey.service, patience=0.05) as store:
        await store.put("key", b"x" * 9_000)
        with raw(own_valkey.service) as client:
            client.replicaof("127.0.0.1", 1)
            for attempt in (
                store.put("key", b"y"), store.delete("key"), store.copy("key", "c"),
                store.put("key", bytes(2_000_000)), store.put("s", iter([bytes(5_000_000)])),
            ):  # fmt: skip
                with pytest.raises(AccessDenied, match="replica"):
                    await attempt
            assert await store.get("key") == b"x" * 9_000
            assert (await store.head("key")).size == 9_000
            client.config_set("replica-serve-stale-data", "no")
            with pytest.raises(StoreUnavailable, match="MASTERDOWN"):
                await store.get("key")
            client.execute_command("REPLICAOF", "NO", "ONE")
        await store.delete("key")


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (b"-CLUSTERDOWN Hash slot not served\r\n", StoreUnavailable),
        (b"-MISCONF Errors writing to disk\r\n", StoreUnavailable),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", NotImplementedError),
        (b"-NOPERM no permissions to run the 'get' command\r\n", AccessDenied),
        (b"-ERR max number of clients reached\r\n", StoreUnavailable),
        (b"-ERR something new\r\n", RuntimeError),
        (b"?what\r\n", MalformedResponse),
        (b"$99999999999999999999999\r\n", StoreTimeout),  # and it waits for them
        (b"*1\r\n" * 20, StoreTimeout),
        (b":1x\r\n", MalformedResponse),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", MalformedResponse),
    ],
)
async def test_odd_answers(
    valkey: RedisService, relay: Relay, says: bytes, kind: type[Exception]
) -> None:
    """Typed errors; and a stream that means nothing is not read on."""
    from storage._core.errors import StoreError

    left = [1000]

    async def say(data: bytes, wire: Wire) -> bytes:
        left[0] -= 1
        return says if left[0] >= 0 else data

    patient = {"patience": 0.0, "timeout": 0.2 if kind is StoreTimeout else 30.0}
    async with through(relay, valkey, **patient) as store:
        await store.put("key", b"value")
        prefix = store._prefix.decode()
        twin = connected(valkey, RedisStore, port=relay.port, prefix=prefix, **patient)
        await asyncio.to_thread(twin.get, "key")
        relay.answered = say
        for attempt in (store.get("key"), asyncio.to_thread(twin.get, "key")):
            with pytest.raises(StoreError if kind is RuntimeError else kind):
                await attempt
        relay.answered = None
        assert await store.get("key") == b"value"
        assert await asyncio.to_thread(twin.get, "key") == b"value"
        await asyncio.to_thread(twin.close)
        await store.clear()


async def test_a_server_that_is_loading(valkey: RedisService, relay: Relay) -> None:
    """It is asked again for a while."""
    left = [3]

    async def say(data: bytes, wire: Wire) -> bytes:
        left[0] -= 1
        return b"-LOADING the dataset in memory\r\n" if left[0] >= 0 else data

    async with through(relay, valkey) as store:
        await store.put("key", b"value")
        relay.answered = say
        assert await store.get("key") == b"value"
        assert left[0] < 0
        left[0] = 10**6
    async with through(relay, valkey, patience=0.03) as store:
        with pytest.raises(StoreUnavailable, match="LOADING"):
            await store.get("key")


def test_ctrl_c_gives_the_connection_up(valkey: RedisService) -> None:
    """An interrupted blocking call leaves no answer behind for the next one."""
    import signal

    with connected(valkey, RedisStore) as store:
        store.put("key", b"value")
        main = threading.main_thread().ident
        assert main is not None
        for _ in range(3):
            timer = threading.Timer(0.03, signal.pthread_kill, (main, signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                store._run(store._async._ask([(b"BLPOP", b"never", 1)]))
            timer.join()
            assert store.get("key") == b"value"
        store.clear()


async def test_cancelled_while_connecting(valkey: RedisService, relay: Relay) -> None:
    """A place in the pool is never lost, at whatever step its call was cancelled."""
    async with through(relay, valkey, max_connections=2, db=3) as store:
        await store.exists("key")
        for steps in range(40):
            calls = [asyncio.create_task(store.exists("key")) for _ in range(3)]
            for _ in range(steps):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            if steps % 4 == 3:
                pool = store._server._turns.peek().send.args[0]
                assert not pool._in_use_connections
                await pool.disconnect()  # so that the next ones connect anew
        slow = [store._ask([(b"BLPOP", b"never", 0.01)]) for _ in range(4)]
        assert await asyncio.gather(*slow) == [[None]] * 4
