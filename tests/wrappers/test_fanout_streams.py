"""Streams, copies, bulk and listings of a fan-out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from storage._core.info import Capability, ObjectInfo, ReadOptions
from storage.aioutils import AsyncFanoutStore
from storage.object import (
    AsyncDictStore,
    BulkError,
    FanoutError,
    MalformedResponse,
    ObjectNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from storage.utils import FanoutStore
from tests.stores import BlockingStore, ForeignStore
from tests.wrappers.replicas import Replica, three

LATE = 0.03


async def listed(store: AsyncFanoutStore, *arguments: str) -> list[str]:
    return [key async for key in store.keys(*arguments)]


# -- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["down", "slow"])
async def test_a_replica_lost_in_the_midst_of_a_stream(fault: Any) -> None:
    children = three(a=b"old")
    failures: list[FanoutError] = []
    store = AsyncFanoutStore(
        children, write="quorum", child_timeout=LATE, on_failure=failures.append
    )
    async with store.open_writer("a") as writer:
        await writer.write(b"new")
        children[1].state = fault
        await writer.write(b"er")
        assert children[0].objects == {"a": b"old"}
    assert [child.objects["a"] for child in children] == [b"newer", b"old", b"newer"]
    assert [next(iter(failure.errors))[:1] for failure in failures] == ["1"]
    await store.aclose()
    assert children[1].running == 0, "its half of the object was undone"


async def test_too_many_lost_in_the_midst_publish_nothing() -> None:
    children = three(a=b"old")
    store = AsyncFanoutStore(children, write="quorum", child_timeout=LATE)
    with pytest.raises(FanoutError, match="2 of 3 children failed"):
        async with store.open_writer("a") as writer:
            await writer.write(b"new")
            children[1].state, children[2].state = "down", "slow"
            await writer.write(b"er")
    assert [child.objects for child in children] == [{"a": b"old"}] * 3


async def test_a_writer_of_a_child_is_opened_and_left_in_one_task() -> None:
    tasks: list[Any] = []

    class Bound(AsyncDictStore):
        def _create(self, key: str, options: Any) -> Any:
            return Timed(super()._create(key, options))

    class Timed:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aenter__(self) -> Any:
            tasks.append(asyncio.current_task())
            return await self._inner.__aenter__()

        async def __aexit__(self, *exception: object) -> Any:
            tasks.append(asyncio.current_task())
            return await self._inner.__aexit__(*exception)

    store = AsyncFanoutStore([Bound(), AsyncDictStore()])
    await store.put("a", iter([b"1", b"2"]))
    assert tasks[0] is tasks[1]


@pytest.mark.parametrize("read", ["first", "fastest", "quorum"])
async def test_cancelled_at_every_point_of_a_stream(read: Any) -> None:
    children = three(a=b"12345678")
    store = AsyncFanoutStore(children, read=read, write="quorum", child_timeout=10)

    async def act() -> None:
        await store.put("b", iter([b"123", b"45"]))
        assert b"".join([piece async for piece in store.stream("a")]) == b"12345678"
        await store.delete("b")

    async def check() -> None:
        assert all(child.running == 0 for child in children)

    with nothing_forgotten():
        await interrupt_everywhere(act, check=check, seconds=0.3)
    await store.aclose()
    for child in children:
        assert child.objects.get("b", b"12345") == b"12345"


# -- reading ------------------------------------------------------------------------------------


async def test_a_stream_that_breaks_before_its_first_piece_is_gone_around() -> None:
    class Breaking(Replica):
        async def _may(self, call: str) -> None:
            if call == "get" and self.broken:
                raise StoreUnavailable("it broke")

        broken = True

    children = [Breaking(a=b"12345"), Replica(a=b"12345")]
    store = AsyncFanoutStore(children)
    assert b"".join([piece async for piece in store.stream("a")]) == b"12345"


@pytest.mark.parametrize("fault", ["down", "slow"])
async def test_a_stream_that_breaks_later_is_an_error(fault: Any) -> None:
    children = three(a=b"0123456789")
    store = AsyncFanoutStore(children, child_timeout=LATE)
    async with store.open_reader("a") as reader:
        assert await reader.read(2) == b"01"
        children[0].state = fault
        with pytest.raises(StoreUnavailable if fault == "down" else StoreTimeout):
            await reader.read()
    await store.aclose()
    assert children[0].running == 0


async def test_a_quorum_streams_large_objects_of_one_version() -> None:
    data = bytes(range(256)) * 8192
    children = [AsyncDictStore({"a": data}) for _ in range(3)]
    children[0].objects["a"] = b"x" + data[1:]
    store = AsyncFanoutStore(children, read="quorum")
    assert Capability.STREAMS in store.capabilities
    async with store.open_reader("a") as reader:
        children[2].objects["a"] = b"other"
        await reader.seek(-10, 2)
        with pytest.raises(Exception, match="no majority"):
            await reader.read()
    children[2].objects["a"] = data
    async with store.open_reader("a") as reader:
        assert await reader.read() == data
    foreign: list[Any] = [ForeignStore(a=data), *children[1:]]
    mixed = AsyncFanoutStore(foreign, read="quorum")
    assert Capability.STREAMS not in mixed.capabilities
    assert b"".join([piece async for piece in mixed.stream("a")]) == data


async def test_digests_that_are_told_save_reading_all() -> None:
    class Digesting(Replica):
        async def _head(self, key: str) -> ObjectInfo:
            info = await super()._head(key)
            return ObjectInfo(key, info.size, info.etag, checksum="sha256:ab")

    class Huge(Digesting):
        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            assert options.if_match is not None, "the version is held fast"
            return await super()._get(key, options)

    data = b"1234" * 300_000
    children = [Huge(a=data) for _ in range(3)]
    store = AsyncFanoutStore(children, read="quorum")
    async with store.open_reader("a") as reader:
        assert await reader.read(4) == b"1234"
    assert sum(child.calls.count("get") for child in children) == 1


# -- from key to key, and many ------------------------------------------------------------------


async def test_who_lacks_the_source_is_given_the_copy() -> None:
    children = three(a=b"1")
    del children[1].objects["a"]
    children[1].objects["b"] = b"stale"
    store = AsyncFanoutStore(children)
    await store.copy("a", "b")
    assert [child.objects["b"] for child in children] == [b"1"] * 3
    await store.move("a", "c")
    assert [child.objects for child in children] == [{"b": b"1", "c": b"1"}] * 3
    with pytest.raises(ObjectNotFound):
        await store.copy("gone", "d")
    children[0].state = "down"
    with pytest.raises(FanoutError):
        await store.move("gone", "d")


async def test_bulk_deletes_go_to_each_child_as_a_whole() -> None:
    class Bulky(AsyncDictStore):
        async def _delete_many(
            self, keys: Any, missing_ok: bool
        ) -> AsyncGenerator[tuple[str, Exception | None], None]:
            batches.append(list(keys))
            for key in keys:
                if key == "stuck":
                    yield key, StoreUnavailable("it sticks")
                    continue
                found = self.objects.pop(key, None)
                yield key, None if found or missing_ok else ObjectNotFound("none")

    batches: list[list[str]] = []
    objects = {f"{n:04}": b"1" for n in range(1500)}
    children = [Bulky(dict(objects)), Bulky(dict(objects))]
    store = AsyncFanoutStore(children)
    del children[1].objects["0000"]
    assert await store.delete_many(objects) == 1500
    assert [len(batch) for batch in batches] == [1000, 1000, 500, 500]
    children[1].objects["a"] = b"1"
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a", "gone", "stuck"], missing_ok=False)
    kinds = {key: type(error) for key, error in caught.value.errors.items()}
    assert kinds == {"gone": ObjectNotFound, "stuck": FanoutError}
    by_quorum = AsyncFanoutStore([AsyncDictStore({"stuck": b"1"}), *children], write="any")
    assert await by_quorum.delete_many(["stuck"]) == 1


# -- listings -----------------------------------------------------------------------------------


async def test_listings_of_stores_without_order_are_sorted_on_disk() -> None:
    children: list[Any] = [
        ForeignStore(**{f"k{n}": b"" for n in range(2500, 0, -2)}),
        AsyncDictStore({f"k{n}": b"1" for n in range(0, 2500, 3)}),
    ]
    store = AsyncFanoutStore(children)
    expected = sorted({*children[0].objects, *children[1].objects})
    assert await listed(store) == expected
    infos = [info async for info in store.list("k2", start_after="k21")]
    wanted = [key for key in expected if key.startswith("k2") and key > "k21"]
    assert [info.key for info in infos] == wanted
    assert Capability.ORDERED not in store.capabilities


@pytest.mark.parametrize("fault", ["down", "slow"])
@pytest.mark.parametrize("read", ["first", "fastest"])
async def test_a_part_of_a_listing_is_no_listing(read: Any, fault: Any) -> None:
    children = three(a=b"1")
    children[2].state = fault
    store = AsyncFanoutStore(children, read=read, child_timeout=LATE)
    with pytest.raises(FanoutError, match="1 of 3 children could not be listed") as caught:
        await listed(store)
    assert [name[:1] for name in caught.value.errors] == ["2"]
    with pytest.raises(FanoutError):
        await store.list_with_delimiter()


@pytest.mark.parametrize("fault", ["down", "slow"])
async def test_a_quorum_lists_what_a_majority_has(fault: Any) -> None:
    children = three(**{"a": b"1", "d/x": b"2"})
    del children[0].objects["a"]
    children[0].objects["rest/of a delete"] = b"3"
    failures: list[FanoutError] = []
    store = AsyncFanoutStore(
        children, read="quorum", child_timeout=LATE, on_failure=failures.append
    )
    assert await listed(store) == ["a", "d/x"]
    level = await store.list_with_delimiter()
    assert (level.prefixes, [info.key for info in level.objects]) == (("d/",), ["a"])
    assert not failures
    children[2].state = fault
    assert await listed(store) == ["a", "d/x", "rest/of a delete"], "the third may have it"
    assert len(failures) == 1
    children[1].state = fault
    with pytest.raises(FanoutError):
        await listed(store)


async def test_a_listing_that_breaks_off_or_is_out_of_order() -> None:
    class Broken(AsyncDictStore):
        async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
            yield "b"
            yield "a"

    store = AsyncFanoutStore([AsyncDictStore({"c": b"1"}), Broken()])
    with pytest.raises(FanoutError) as caught:
        await listed(store)
    assert isinstance(caught.value.errors["1: Broken(0 objects)"], MalformedResponse)


async def test_a_listing_that_is_left_early_leaves_nothing() -> None:
    children = [AsyncDictStore({f"{n:05}": b"" for n in range(2000)}) for _ in range(2)]
    store = AsyncFanoutStore(children)
    keys = store.keys()
    assert await anext(keys) == "00000"
    await keys.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_blocking_children_of_others() -> None:
    theirs = BlockingStore(a=b"1")
    with FanoutStore(
        [theirs, BlockingStore()], write="quorum", read="fastest", repair=True
    ) as store:
        assert store.get("a") == b"1"
        store.put("b", b"2")
        store.put("c", iter([b"3", b"4"]))
        assert sorted(store.keys()) == ["a", "b", "c"]
        store.delete("a")
        assert store.exists("c")
    assert theirs.objects == {"b": b"2", "c": b"34"}


async def test_values_that_are_no_bytes() -> None:
    class Anything(ForeignStore):
        async def put(self, key: str, data: Any) -> None:
            self.objects[key] = data

    children: list[Any] = [Anything(), Anything()]
    store = AsyncFanoutStore(children, read="quorum", repair=True)
    text: Any = "text"
    await store.put("a", text)
    assert await store.get("a") == text
    with pytest.raises(TypeError):
        await AsyncFanoutStore([Anything(), AsyncDictStore()]).put("a", text)
