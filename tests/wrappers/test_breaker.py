"""The circuit breaker: when it opens, what it says, and how it closes again."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from storage.aioutils import AsyncCircuitBreakerStore, AsyncRetryStore
from storage.object import (
    AccessDenied,
    AsyncDictStore,
    BulkError,
    ConfigError,
    DictStore,
    ObjectNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from storage.utils import CircuitBreakerStore
from tests.wrappers.clocks import FakeClock
from tests.wrappers.faulty import ScriptedStore, down


def broken(child: Any, **options: Any) -> tuple[AsyncCircuitBreakerStore, FakeClock]:
    clock = FakeClock()
    options = {"failures": 3, "window": 10.0, "reset": 30.0, "clock": clock, **options}
    return AsyncCircuitBreakerStore(child, **options), clock


async def fail(store: Any, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(StoreUnavailable):
            await store.get("a")


async def listed(store: Any) -> list[str]:
    return [key async for key in store.keys()]


async def collected(store: Any) -> bytes:
    return b"".join([piece async for piece in store.stream("a")])


VERBS: dict[str, Callable[[AsyncCircuitBreakerStore], Any]] = {
    "get": lambda store: store.get("a"),
    "get_ranges": lambda store: store.get_ranges("a", [(0, 1)]),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
    "put": lambda store: store.put("a", b"1"),
    "stream in": lambda store: store.put("a", iter([b"1"])),
    "stream out": collected,
    "delete": lambda store: store.delete("a"),
    "copy": lambda store: store.copy("a", "b"),
    "move": lambda store: store.move("a", "b"),
    "keys": listed,
    "list_with_delimiter": lambda store: store.list_with_delimiter(),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_open_it_fails_at_once_and_says_until_when(verb: str) -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 3
    store, clock = broken(child)
    await fail(store, 3)
    calls = child.calls.total()
    clock.now += 10
    with pytest.raises(StoreUnavailable, match="tried again in 20 s") as caught:
        await VERBS[verb](store)
    assert caught.value.retry_after == 20
    assert child.calls.total() == calls
    assert store.state == "open"
    clock.now += 20
    assert store.state == "half-open"
    await VERBS[verb](store)
    assert store.state == "closed"


@pytest.mark.parametrize("call", ["get", "put", "open", "piece", "create", "keys", "copy"])
async def test_failures_of_any_call_are_counted(call: str) -> None:
    verbs = {"open": "stream out", "piece": "stream out", "create": "stream in"}
    child = ScriptedStore(a=b"1")
    child.before[call] = [down, lambda: StoreTimeout("late"), down]
    store, _ = broken(child)
    for _ in range(3):
        assert store.state == "closed"
        with pytest.raises((StoreUnavailable, StoreTimeout)):
            await VERBS[verbs.get(call, call)](store)
    assert store.state == "open"


async def test_a_publish_that_fails_is_counted_and_undone() -> None:
    child = ScriptedStore()
    child.before["put"] = [down]
    store, _ = broken(child, failures=1)
    with pytest.raises(StoreUnavailable):
        await store.put("a", iter([b"1"]))
    assert (store.state, child.objects) == ("open", {})


async def test_bulk_deletes_are_counted_key_by_key() -> None:
    child = ScriptedStore(**{f"{n}": b"" for n in range(5)})
    child.before["delete"] = [down] * 3
    store, _ = broken(child)
    with pytest.raises(BulkError):
        await store.delete_many([str(n) for n in range(5)])
    assert store.state == "open"
    with pytest.raises(StoreUnavailable):
        await store.delete_many(["0"])


async def test_only_failures_of_the_store_count() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [lambda: AccessDenied("no")] * 9
    store, _ = broken(child, failures=1)
    for _ in range(9):
        with pytest.raises(AccessDenied):
            await store.get("a")
    with pytest.raises(ObjectNotFound):
        await store.get("gone")
    with pytest.raises(StoreUnavailable, match="another"):
        async with store.open_writer("a") as writer:
            await writer.write(b"2")
            raise StoreUnavailable("another store's")
    assert store.state == "closed"
    assert child.objects == {"a": b"1"}


async def test_failures_that_lie_far_apart_do_not_open_it() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 9
    store, clock = broken(child)
    for _ in range(6):
        await fail(store)
        clock.now += 6
    assert store.state == "closed"
    await fail(store)
    clock.now += 1
    await fail(store)
    assert store.state == "open"


async def test_half_open_one_call_is_let_through() -> None:
    class Held(ScriptedStore):
        async def _head(self, key: str) -> Any:
            await gate.wait()
            return await super()._head(key)

    gate = asyncio.Event()
    child = Held(a=b"1")
    child.before["get"] = [down] * 4
    store, clock = broken(child)
    await fail(store, 3)
    clock.now += 30
    await fail(store)
    assert store.state == "open", "the one that was let through has failed"
    clock.now += 30
    probe = asyncio.create_task(store.head("a"))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="being tried again") as caught:
        await store.get("a")
    assert caught.value.retry_after == 0
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await store.get("a") == b"1", "who is cancelled leaves it to the next"
    assert store.state == "closed"


async def test_a_probe_that_never_ends_is_not_waited_for_for_ever() -> None:
    class Hung(ScriptedStore):
        async def _head(self, key: str) -> Any:
            await asyncio.Event().wait()

    child = Hung(a=b"1")
    child.before["get"] = [down] * 3
    store, clock = broken(child)
    await fail(store, 3)
    clock.now += 30
    probe = asyncio.create_task(store.head("a"))
    await asyncio.sleep(0)
    clock.now += 31
    assert await store.get("a") == b"1"
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert store.state == "closed"


async def test_that_an_answer_is_no_error_closes_it() -> None:
    child = ScriptedStore()
    child.before["get"] = [down] * 3
    store, clock = broken(child)
    await fail(store, 3)
    clock.now += 30
    with pytest.raises(ObjectNotFound):
        await store.get("a")
    assert store.state == "closed"


async def test_a_late_failure_does_not_open_it_again() -> None:
    """It belongs to the time before."""
    child = ScriptedStore(a=b"12345678")
    store, clock = broken(child, failures=1)
    async with store.open_reader("a") as reader:
        await reader.read(1)
        child.before["get"] = [down]
        await fail(store)
        clock.now += 5
        child.before["piece"] = [down]
        with pytest.raises(StoreUnavailable, match="it is down"):
            await reader.read()
    clock.now += 25
    assert await store.get("a") == b"12345678"


async def test_retries_around_it_wait_until_it_tries_again() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down]
    store, clock = broken(child, failures=1)
    patient = AsyncRetryStore(store, clock=clock, sleep=clock.sleep, rng=lambda: 0.0)
    assert await patient.get("a") == b"1"
    assert clock.slept == [0.0, 30.0]


def test_threads_share_one_state() -> None:
    child = DictStore({"a": b"1"})
    store = CircuitBreakerStore(child, failures=8)
    circuit = store._async._circuit

    def fail() -> None:
        with pytest.raises(StoreUnavailable), circuit.call():
            raise StoreUnavailable("down")

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.state == "open"
    with pytest.raises(StoreUnavailable):
        store.get("a")
    copied = pickle.loads(pickle.dumps(circuit))
    assert copied.state == "closed", "another process finds out by itself"


def test_settings_that_make_no_sense() -> None:
    wrong: list[dict[str, Any]] = [{"failures": 0}, {"window": 0}, {"reset": -1}]
    for options in wrong:
        with pytest.raises(ConfigError):
            AsyncCircuitBreakerStore(AsyncDictStore(), **options)
