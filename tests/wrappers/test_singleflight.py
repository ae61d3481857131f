"""Single flight: who asks the same at once shares an answer, and never a stale one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from storage._core.info import ObjectInfo, ReadOptions
from storage.aioutils import AsyncSingleflightStore
from storage.object import AsyncDictStore, ObjectNotFound, StoreUnavailable
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from storage.utils import SingleflightStore
from tests.stores import BlockingStore


class Gated(AsyncDictStore):
    """Reads what is there when they begin, and gives it when the gate opens."""

    def __init__(self, **objects: bytes) -> None:
        super().__init__(objects)
        self.gate = asyncio.Event()
        self.reads = 0
        self.cancelled = 0

    async def _held(self, call: Awaitable[Any]) -> Any:
        self.reads += 1
        try:
            result = await call
        except ObjectNotFound as error:
            result = error
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(result, Exception):
            raise result
        return result

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._held(super()._get(key, options))  # type: ignore[no-any-return]

    async def _head(self, key: str) -> ObjectInfo:
        return await self._held(super()._head(key))  # type: ignore[no-any-return]

    async def _exists(self, key: str) -> bool:
        return await self._held(super()._exists(key))  # type: ignore[no-any-return]


async def begun(child: Gated, work: Any, reads: int | None = None) -> asyncio.Task[Any]:
    """A task whose read has begun."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(5):
        while child.reads < (reads or 1):
            await asyncio.sleep(0)
    return task


READS: dict[str, Callable[[AsyncSingleflightStore], Any]] = {
    "get": lambda store: store.get("a"),
    "get_range": lambda store: store.get_range("a", 0, 1),
    "get_ranges": lambda store: store.get_ranges("a", [(0, 1)]),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
}


@pytest.mark.parametrize("verb", READS)
async def test_a_hundred_readers_are_one_call(verb: str) -> None:
    child = Gated(a=b"1")
    store = AsyncSingleflightStore(child)
    readers = [asyncio.create_task(READS[verb](store)) for _ in range(100)]
    await asyncio.sleep(0.01)
    child.gate.set()
    results = await asyncio.gather(*readers)
    assert all(result == results[0] for result in results)
    assert child.reads == 1
    await READS[verb](store)
    assert child.reads == 2, "an answer is not kept"


async def test_other_questions_are_other_calls() -> None:
    child = Gated(a=b"123", b=b"4")
    child.gate.set()
    store = AsyncSingleflightStore(child)
    etag = (await store.head("a")).etag
    child.reads = 0
    answers = await asyncio.gather(
        store.get("a"), store.get("b"), store.get_range("a", 0, 1), store.get_range("a", 1, 2),
        store.get("a", if_match=etag), store.exists("a"),
    )  # fmt: skip
    assert list(answers) == [b"123", b"4", b"1", b"2", b"123", True]
    assert child.reads == 6


async def test_errors_are_shared() -> None:
    child = Gated()
    store = AsyncSingleflightStore(child)
    readers = [asyncio.create_task(store.get("a")) for _ in range(5)]
    await asyncio.sleep(0.01)
    child.gate.set()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(result) for result in results] == [ObjectNotFound] * 5
    assert child.reads == 1


async def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    child = Gated(a=b"1")
    store = AsyncSingleflightStore(child)
    leader = await begun(child, store.get("a"))
    other = asyncio.create_task(store.get("a"))
    await asyncio.sleep(0.01)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    child.gate.set()
    assert await other == b"1"
    assert (child.reads, child.cancelled) == (1, 0)


async def test_when_all_are_cancelled_the_call_is() -> None:
    child = Gated(a=b"1")
    store = AsyncSingleflightStore(child)
    readers = [await begun(child, store.get("a")) for _ in range(3)]
    await asyncio.sleep(0.01)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    assert child.cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    child.gate.set()
    assert await store.get("a") == b"1"


async def _write(store: AsyncSingleflightStore) -> None:
    async with store.open_writer("a") as writer:
        await writer.write(b"new")


WRITES: dict[str, Callable[[AsyncSingleflightStore], Any]] = {
    "put": lambda store: store.put("a", b"new"),
    "writer": _write,
    "delete": lambda store: store.delete("a"),
    "delete_many": lambda store: store.delete_many(["x", "a"]),
    "copy": lambda store: store.copy("b", "a"),
    "move to": lambda store: store.move("b", "a"),
    "move from": lambda store: store.move("a", "c"),
}


@pytest.mark.parametrize("verb", WRITES)
async def test_no_read_is_shared_across_a_write(verb: str) -> None:
    child = Gated(a=b"old", b=b"new")
    store = AsyncSingleflightStore(child)
    before = await begun(child, store.get("a"))
    waiting = asyncio.create_task(WRITES[verb](store))
    await asyncio.sleep(0.005)
    if not waiting.done():  # a copy or a move reads, too
        child.gate.set()
    await waiting
    child.gate.clear()
    reads = child.reads
    after = await begun(child, store.get("a"), reads + 1)
    child.gate.set()
    assert await before == b"old"
    if verb in ("delete", "delete_many", "move from"):
        with pytest.raises(ObjectNotFound):
            await after
    else:
        assert await after == b"new"
    assert child.reads == reads + 1


async def test_a_read_during_a_write_is_not_shared_with_one_after_it() -> None:
    class SlowPut(Gated):
        async def _put(self, key: str, data: Any, options: Any) -> ObjectInfo:
            await publishing.wait()
            return await super()._put(key, data, options)

    publishing = asyncio.Event()
    child = SlowPut(a=b"old")
    store = AsyncSingleflightStore(child)
    writing = asyncio.create_task(store.put("a", b"new"))
    await asyncio.sleep(0)
    during = await begun(child, store.get("a"))
    publishing.set()
    await writing
    after = await begun(child, store.get("a"), 2)
    child.gate.set()
    assert (await during, await after) == (b"old", b"new")


async def test_values_that_can_be_changed_are_each_readers_own() -> None:
    class Lists(AsyncDictStore):
        async def _get(self, key: str, options: ReadOptions) -> Any:
            await asyncio.sleep(0)
            return [1], ObjectInfo(key)

    store = AsyncSingleflightStore(Lists())
    first, second = await asyncio.gather(store.get("a"), store.get("a"))
    assert first == second
    assert first is not second


async def test_a_call_that_the_store_cancels_is_an_error() -> None:
    class Gone(AsyncDictStore):
        async def _get(self, key: str, options: ReadOptions) -> Any:
            await asyncio.sleep(0)
            raise asyncio.CancelledError

    with pytest.raises(StoreUnavailable):
        await AsyncSingleflightStore(Gone()).get("a")


async def test_cancelled_at_every_point() -> None:
    class Yielding(AsyncDictStore):
        running = 0

        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            self.running += 1
            try:
                await asyncio.sleep(0)
                return await super()._get(key, options)
            finally:
                self.running -= 1

    child = Yielding({"a": b"1"})
    store = AsyncSingleflightStore(child)

    async def check() -> None:
        assert child.running == 0
        assert store._flights._by_key.get() == {}

    async def act() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(store.get("a"))

    with nothing_forgotten():
        await interrupt_everywhere(act, check=check, seconds=0.1)


def test_blocking_readers_in_threads_share() -> None:
    reads = []
    begun, gate = threading.Event(), threading.Event()

    class Theirs(BlockingStore):
        def get(self, key: str) -> bytes:
            reads.append(key)
            begun.set()
            gate.wait(5)
            return super().get(key)

    with SingleflightStore(Theirs(a=b"1")) as store:
        found: list[bytes] = []
        threads = [threading.Thread(target=lambda: found.append(store.get("a"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait(5)
        flights = store._async._flights._by_key.all()[0][1]["a"]
        end = time.monotonic() + 5
        while next(iter(flights.values())).waiters < 4 and time.monotonic() < end:
            time.sleep(0.001)
        gate.set()
        for thread in threads:
            thread.join()
    assert found == [b"1"] * 4
    assert reads == ["a"]
