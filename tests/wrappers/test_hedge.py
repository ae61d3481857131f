"""Hedged reads: a second request after a while, and never too many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.aioutils import AsyncHedgeStore
from storage.object import (
    AsyncDictStore,
    ByteRange,
    ConfigError,
    DictStore,
    ObjectNotFound,
    StoreUnavailable,
)
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from storage.utils import HedgeStore
from tests.wrappers.clocks import FakeClock


class Slow(AsyncDictStore):
    """Each read waits until its turn is let go; `outcomes` may end it with an error."""

    def __init__(self, **objects: bytes) -> None:
        super().__init__(objects)
        self.gates: list[asyncio.Event] = []
        self.outcomes: dict[int, Exception] = {}
        self.cancelled: list[int] = []
        self.hurry = False

    async def _wait(self) -> None:
        number = len(self.gates)
        self.gates.append(asyncio.Event())
        try:
            if not self.hurry:
                await self.gates[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        if number in self.outcomes:
            raise self.outcomes[number]

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await self._wait()
        return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        await self._wait()
        return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        await self._wait()
        return await super()._exists(key)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


def hedged(child: Any, **options: Any) -> tuple[AsyncHedgeStore, FakeClock]:
    clock = FakeClock()
    return AsyncHedgeStore(child, clock=clock, sleep=clock.sleep, **options), clock


READS: dict[str, Callable[[AsyncHedgeStore], Any]] = {
    "get": lambda store: store.get("a"),
    "get_range": lambda store: store.get_range("a", 0, 1),
    "get_ranges": lambda store: store.get_ranges("a", [ByteRange(0, 1)]),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
}


@pytest.mark.parametrize("verb", READS)
async def test_the_second_request_wins_and_the_first_is_cancelled(verb: str) -> None:
    child = Slow(a=b"1")
    store, clock = hedged(child, delay=0.3)
    reading = asyncio.create_task(READS[verb](store))
    await until(lambda: len(child.gates) == 2)
    child.gates[1].set()
    assert await reading
    await store.aclose()
    assert (clock.slept, child.cancelled) == ([0.3], [0])


async def test_a_first_request_that_comes_after_all_wins() -> None:
    child = Slow(a=b"1")
    store, _ = hedged(child)
    reading = asyncio.create_task(store.get("a"))
    await until(lambda: len(child.gates) == 2)
    child.gates[0].set()
    assert await reading == b"1"
    await store.aclose()
    assert child.cancelled == [1]


async def test_a_fast_answer_costs_no_second_request() -> None:
    child = Slow(a=b"1")
    child.hurry = True
    store = AsyncHedgeStore(child, delay=5)
    assert await store.get("a") == b"1"
    assert len(child.gates) == 1


@pytest.mark.parametrize("failing", [0, 1])
async def test_one_that_fails_leaves_it_to_the_other(failing: int) -> None:
    child = Slow(a=b"1")
    child.outcomes[failing] = StoreUnavailable("down")
    store, _ = hedged(child)
    reading = asyncio.create_task(store.get("a"))
    await until(lambda: len(child.gates) == 2)
    child.gates[failing].set()
    await asyncio.sleep(0.01)
    assert not reading.done()
    child.gates[1 - failing].set()
    assert await reading == b"1"


async def test_both_fail_or_one_knows_that_there_is_nothing() -> None:
    child = Slow()
    child.outcomes = {0: StoreUnavailable("first"), 1: StoreUnavailable("second")}
    store, _ = hedged(child, cap=1)
    reading = asyncio.create_task(store.get("a"))
    await until(lambda: len(child.gates) == 2)
    for gate in child.gates:
        gate.set()
    with pytest.raises(StoreUnavailable, match="first"):
        await reading
    reading = asyncio.create_task(store.get("a"))
    await until(lambda: len(child.gates) == 4)
    child.gates[3].set()
    with pytest.raises(ObjectNotFound):
        await reading


async def test_second_requests_are_capped() -> None:
    child = Slow(a=b"1")
    store, _ = hedged(child, cap=0.1)

    async def read() -> None:
        begun = len(child.gates)
        reading = asyncio.create_task(store.get("a"))
        await until(lambda: len(child.gates) > begun)
        await asyncio.sleep(0.0001)
        for gate in child.gates[begun:]:
            gate.set()
        await reading

    for _ in range(100):
        await read()
    assert 100 + 10 <= len(child.gates) <= 100 + 12
    child = Slow(a=b"1")
    none, _ = hedged(child, cap=0)
    reading = asyncio.create_task(none.get("a"))
    await asyncio.sleep(0.01)
    assert len(child.gates) == 1
    child.gates[0].set()
    await reading


async def test_the_delay_follows_the_latest_reads() -> None:
    class Taking(AsyncDictStore):
        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            clock.now += float(self.objects[key])
            return await super()._get(key, options)

    async def never(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.Event().wait()

    clock, slept = FakeClock(), list[float]()
    child = Taking({f"{n}": b"%d" % n for n in range(1, 101)})
    store = AsyncHedgeStore(child, delay=0.5, percentile=0.9, clock=clock, sleep=never)
    for number, key in enumerate(child.objects):
        await store.get(key)
        assert number > 10 or slept[-1] == 0.5
    assert store._chosen_delay() == pytest.approx(90, abs=3)


async def test_writes_and_streams_are_sent_once() -> None:
    class Counting(AsyncDictStore):
        async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
            calls.append("put")
            await asyncio.sleep(0.01)
            return await super()._put(key, data, options)

    calls: list[str] = []
    store = AsyncHedgeStore(Counting(), delay=0.001, cap=1)
    await store.put("a", b"1")
    assert calls == ["put"]


async def test_cancelled_at_every_point() -> None:
    class Yielding(AsyncDictStore):
        running = 0

        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            self.running += 1
            try:
                for _ in range(4):
                    await asyncio.sleep(0)
                return await super()._get(key, options)
            finally:
                self.running -= 1

    child = Yielding({"a": b"1"})
    clock = FakeClock()
    store = AsyncHedgeStore(child, cap=1, sleep=clock.sleep)

    async def check() -> None:
        await store._losers.settled()
        assert child.running == 0

    with nothing_forgotten():
        await interrupt_everywhere(lambda: store.get("a"), check=check, seconds=0.1)


def test_settings_and_the_blocking_twin() -> None:
    with HedgeStore(DictStore({"a": b"1"}), delay=0.5, percentile=0.95) as store:
        assert store.get("a") == b"1"
    wrong: list[dict[str, Any]] = [{"delay": 0}, {"cap": 2}, {"percentile": 1.0}]
    for options in wrong:
        with pytest.raises(ConfigError):
            AsyncHedgeStore(AsyncDictStore(), **options)
