"""Fan-out: all children are written at once, and the first that has it is read."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._async.wrappers.fanout import AsyncFanoutStore, AsyncMirroringStore
from storage._core.errors import FanoutError, ObjectNotFound, StoreUnavailable
from storage._core.info import Capability
from tests.stores import FlakyStore, ForeignStore, numbered


async def test_all_children_hold_what_is_put_and_lose_what_is_deleted() -> None:
    first, second, third = AsyncDictStore(), ForeignStore(), AsyncDictStore()
    children: list[Any] = [first, second, third]
    store = AsyncFanoutStore(children)
    await store.put("a", b"1")
    await store.put("b", iter([b"1", b"2"]))
    assert [child.objects for child in children] == [{"a": b"1", "b": b"12"}] * 3
    del first.objects["a"]
    await store.delete("a")
    assert not any("a" in child.objects for child in children)
    with pytest.raises(ObjectNotFound):
        await store.delete("a")
    await store.delete("a", missing_ok=True)


async def test_reads_come_from_the_first_child_that_has_it() -> None:
    store = AsyncFanoutStore([AsyncDictStore(), ForeignStore(a=b"1"), AsyncDictStore({"a": b"2"})])
    assert await store.get("a") == b"1"
    assert await store.exists("a")
    assert b"".join([chunk async for chunk in store.stream("a")]) == b"1"
    with pytest.raises(KeyError):
        await store.get("b")
    assert not await store.exists("b")


async def test_a_child_that_is_down_does_not_fail_a_read() -> None:
    down, up = FlakyStore(), FlakyStore({"a": b"1"})
    down.failing = {"get"}
    store = AsyncFanoutStore([down, up])
    assert await store.get("a") == b"1"
    with pytest.raises(FanoutError, match="not all could say") as caught:
        await store.get("b")
    assert isinstance(next(iter(caught.value.errors.values())), StoreUnavailable)


async def test_a_write_names_the_children_that_failed() -> None:
    down, up = FlakyStore(), FlakyStore()
    down.failing = {"put"}
    store = AsyncFanoutStore([up, down])
    with pytest.raises(FanoutError) as caught:
        await store.put("a", b"1")
    assert [name[:2] for name in caught.value.errors] == ["1:"]
    assert up.objects == {"a": b"1"}
    with pytest.raises(FanoutError):
        await store.put("b", iter([b"1"]))


async def test_a_stream_that_breaks_is_published_nowhere() -> None:
    children: list[Any] = [AsyncDictStore(), ForeignStore()]
    store = AsyncFanoutStore(children)
    with pytest.raises(ZeroDivisionError):
        async with store.open_writer("a") as writer:
            await writer.write(b"1")
            raise ZeroDivisionError
    assert not any(child.objects for child in children)


async def test_keys_are_the_union_in_order_without_repeats() -> None:
    store = AsyncFanoutStore(
        [AsyncDictStore({"a": b"", "c": b""}), AsyncDictStore({"b": b"", "c": b"", "d": b""})]
    )
    assert Capability.ORDERED in store.capabilities
    assert [key async for key in store.keys()] == ["a", "b", "c", "d"]
    assert [key async for key in store.keys(start_after="b")] == ["c", "d"]
    mixed = AsyncFanoutStore([ForeignStore(b=b"", a=b""), ForeignStore(a=b"", c=b"")])
    assert Capability.ORDERED not in mixed.capabilities
    assert sorted([key async for key in mixed.keys()]) == ["a", "b", "c"]


async def test_children_work_at_once() -> None:
    store = AsyncFanoutStore([FlakyStore(delay=0.05) for _ in range(10)])
    start = time.perf_counter()
    await store.put("a", b"1")
    assert time.perf_counter() - start < 0.25


async def test_contexts_are_entered_and_left_also_when_one_fails() -> None:
    first, flaky, last = ForeignStore(), FlakyStore(), ForeignStore()
    async with AsyncFanoutStore([first, flaky, last]):
        assert (first.entered, last.entered) == (1, 1)
    assert (first.entered, last.entered) == (0, 0)
    flaky = FlakyStore()
    flaky.failing = {"enter"}
    with pytest.raises(StoreUnavailable):
        async with AsyncFanoutStore([first, flaky, last]):
            pass
    assert (first.entered, last.entered) == (0, 0)


async def test_a_cancelled_write_leaves_no_task() -> None:
    store = AsyncFanoutStore([FlakyStore(delay=5) for _ in range(3)])
    task = asyncio.create_task(store.put("a", b"1"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_subclass_that_overrides_a_verb_is_heard() -> None:
    class Shouting(AsyncDictStore):
        async def get(self, key: str, **options: str | None) -> bytes:
            return (await super().get(key)).upper()

    store = AsyncFanoutStore([Shouting({"a": b"x"})])
    assert await store.get("a") == b"X"
    assert b"".join([chunk async for chunk in store.stream("a")]) == b"X"


def test_the_same_store_twice_and_no_store_at_all() -> None:
    child = AsyncDictStore(numbered(1))
    assert repr(child) in repr(AsyncMirroringStore([child, child]))
    with pytest.raises(ValueError, match="at least one"):
        AsyncFanoutStore([])
    with pytest.raises(TypeError, match="no store"):
        AsyncFanoutStore([object()])  # type: ignore[list-item]
