"""Read repair: what a replica lacks is brought to it, and nothing newer is lost by that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from storage._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from storage.aioutils import AsyncFanoutStore
from storage.object import ObjectNotFound, QuorumError, StoreNotFound
from tests.stores import ForeignStore
from tests.wrappers.replicas import Replica, three


async def test_who_lacks_an_object_is_given_it_with_its_attributes() -> None:
    children = three()
    await children[1].put("a", b"12345", content_type="text/plain", metadata={"k": "v"})
    async with AsyncFanoutStore(children, repair=True) as store:
        assert await store.get("a") == b"12345"
    assert children[0].objects == {"a": b"12345"}
    assert children[2].objects == {}, "it was not asked"
    info = children[0]._shelf.find("a")[1]
    assert (info.content_type, info.metadata) == ("text/plain", {"k": "v"})


async def test_streams_are_repaired_too() -> None:
    children = three()
    children[2].objects["a"] = b"12345"
    async with AsyncFanoutStore(children, repair=True) as store:
        assert b"".join([piece async for piece in store.stream("a")]) == b"12345"
    assert [child.objects for child in children] == [{"a": b"12345"}] * 3


@pytest.mark.parametrize("wrong", [b"1234x", b"", None])
async def test_a_quorum_puts_right_what_differs(wrong: bytes | None) -> None:
    children = three(a=b"12345")
    if wrong is None:
        del children[0].objects["a"]
    else:
        children[0].objects["a"] = wrong
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        assert await store.get("a") == b"12345"
    assert [child.objects for child in children] == [{"a": b"12345"}] * 3


async def test_what_a_replica_finds_corrupt_is_replaced() -> None:
    class Rotten(Replica):
        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            self.state = "corrupt" if self.objects[key] == b"rotten" else "up"
            return await super()._get(key, options)

    children = [Rotten(a=b"rotten"), Replica(a=b"12345"), Replica(a=b"12345")]
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        assert await store.get("a") == b"12345"
    assert children[0].objects == {"a": b"12345"}


async def test_a_replica_that_is_right_is_not_read_again_and_again() -> None:
    children = three(a=b"1")
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        for _ in range(5):
            await store.get("a")
            await store._repairs.aclose()
        reads = [child.calls.count("piece") for child in children]
        assert sum(reads) == 1, "by one repair, of the one that was not waited for"
        slowest = children[reads.index(1)]
        slowest.objects["a"] = b"2"
        await store.get("a")
    assert slowest.objects == {"a": b"1"}


async def test_stores_without_conditions_and_digests_are_repaired_as_well() -> None:
    children: list[Any] = [ForeignStore(a=b"x"), ForeignStore(a=b"1"), ForeignStore(a=b"1")]
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        assert await store.get("a") == b"1"
    assert children[0].objects == {"a": b"1"}


@pytest.mark.parametrize("verb", ["get_range", "head", "exists", "get"])
async def test_a_doubtful_read_repairs_nothing(verb: str) -> None:
    """A part of an object, what is only told of it, and a read without a majority."""
    children = three(a=b"12345")
    del children[0].objects["a"]
    if verb == "get":
        children[1].objects["a"] = b"other"
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        if verb == "get":
            with pytest.raises(QuorumError):
                await store.get("a")
        else:
            await getattr(store, verb)("a")
    assert "create" not in children[0].calls
    assert children[0].objects == {}


async def test_first_replaces_nothing() -> None:
    """The first of all to have the object knows no better than the others."""
    children = [Replica(), Replica(a=b"new"), Replica(a=b"old")]
    async with AsyncFanoutStore(children, repair=True) as store:
        assert await store.get("a") == b"new"
    assert [child.objects["a"] for child in children] == [b"new", b"new", b"old"]


async def test_what_is_no_longer_lacking_is_left_alone() -> None:
    class Filled(Replica):
        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            try:
                return await super()._get(key, options)
            except ObjectNotFound:
                self.objects[key] = b"newer"
                raise

    children = [Filled(), Replica(a=b"12345")]
    async with AsyncFanoutStore(children, repair=True) as store:
        assert await store.get("a") == b"12345"
    assert children[0].objects == {"a": b"newer"}


class Overtaken(Replica):
    """Somebody else writes to it just before a repair is published."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self.objects[key] = b"newer"
        return await super()._put(key, data, options)


@pytest.mark.parametrize("held", [{}, {"a": b"old"}])
async def test_a_newer_write_is_never_overwritten(held: dict[str, bytes]) -> None:
    children = [Overtaken(**held), Replica(a=b"12345"), Replica(a=b"12345")]
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        assert await store.get("a") == b"12345"
    assert children[0].objects == {"a": b"newer"}


@pytest.mark.parametrize("change", ["put", "stream", "delete", "delete_many", "move"])
async def test_a_write_through_the_store_ends_the_repairs_of_its_key(change: str) -> None:
    class Gated(Replica):
        async def _may(self, call: str) -> None:
            if call == "create" and not self.objects.get("a"):
                reached.set()
                await gate.wait()

    reached, gate = asyncio.Event(), asyncio.Event()
    children = [Gated(), Replica(a=b"old"), Replica(a=b"old")]
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        await store.get("a")
        await reached.wait()
        if change == "stream":
            gate.set()
        changes: dict[str, Callable[[], Awaitable[Any]]] = {
            "put": lambda: store.put("a", b"new"),
            "stream": lambda: store.put("a", iter([b"new"])),
            "delete": lambda: store.delete("a"),
            "delete_many": lambda: store.delete_many(["a"]),
            "move": lambda: store.move("a", "b"),
        }
        await changes[change]()
        gate.set()
    expected = {"put": {"a": b"new"}, "stream": {"a": b"new"}, "move": {"b": b"old"}}
    assert [child.objects for child in children] == [expected.get(change, {})] * 3


async def test_a_read_during_a_write_repairs_nothing() -> None:
    """It may see the one half of a delete: to repair that would undo it."""
    gate, reached = asyncio.Event(), asyncio.Event()

    class Late(Replica):
        async def _may(self, call: str) -> None:
            if call == "delete":
                reached.set()
                await gate.wait()

    children = [Replica(a=b"1"), Late(a=b"1"), Late(a=b"1")]
    async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
        deleting = asyncio.create_task(store.delete("a"))
        await reached.wait()
        assert await store.get("a") == b"1"
        await asyncio.sleep(0.01)
        gate.set()
        await deleting
    assert [child.objects for child in children] == [{}] * 3


async def test_what_was_read_is_what_is_written() -> None:
    """The source is another object by the time it is read again."""

    class Changing(Replica):
        async def _get(self, key: str, options: Any) -> Any:
            found = await super()._get(key, options)
            self.objects[key] = b"changed"
            return found

    children = [Replica(), Changing(a=b"1")]
    async with AsyncFanoutStore(children, repair=True) as store:
        assert await store.get("a") == b"1"
    assert children[0].objects == {}


async def test_a_repair_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Forgetful(Replica):
        async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
            return await super()._put(key, b"rotten", options)

    class Lost(Replica):
        async def _get(self, key: str, options: Any) -> Any:
            raise StoreNotFound("the disk is not mounted")

    children = [Lost(), Forgetful(), Replica(a=b"1"), Replica(a=b"1"), Replica(a=b"1")]
    with caplog.at_level(logging.WARNING, "storage.fanout"):
        async with AsyncFanoutStore(children, read="quorum", repair=True) as store:
            assert await store.get("a") == b"1"
    assert "'a' could not be repaired in 1: Forgetful" in caplog.text
    assert "other bytes than it was given" in caplog.text
    assert children[0].objects == {}, "what is not there is not made"


async def test_repairs_are_bounded() -> None:
    most = 0

    class Counting(Replica):
        async def _may(self, call: str) -> None:
            nonlocal most
            self.running += 1
            most = max(most, self.running)
            await asyncio.sleep(0)
            self.running -= 1

    objects = {f"{n}": b"%d" % n for n in range(300)}
    children = [Counting(), Replica(**objects)]
    async with AsyncFanoutStore(children, repair=True) as store:
        for key in objects:
            await store.get(key)
        assert len(asyncio.all_tasks()) < 300
    assert most <= 5
    assert 4 <= len(children[0].objects) <= 300


async def test_without_repair_nothing_is_written() -> None:
    children = [Replica(), Replica(a=b"1")]
    async with AsyncFanoutStore(children) as store:
        await store.get("a")
    assert children[0].objects == {}
    assert Capability.IF_ABSENT not in store.capabilities
