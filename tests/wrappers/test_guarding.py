"""Stores that only read, and stores that are only written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storage.aioutils import AsyncIdentityStore, AsyncReadonlyStore, AsyncWriteonlyStore
from storage.object import (
    AsyncDictStore,
    BulkError,
    Capability,
    DictStore,
    NotSupported,
    StoreClosed,
)
from storage.utils import IdentityStore, ReadonlyStore, WriteonlyStore
from tests.stores import BlockingStore
from tests.wrappers.recording import RecordingStore


async def _all(iterator: Any) -> list[Any]:
    return [item async for item in iterator]


async def _enter(manager: Any) -> None:
    async with manager:
        pass


CHANGES: dict[str, Callable[[Any], Any]] = {
    "put": lambda store: store.put("a", b"2"),
    "put of a stream": lambda store: store.put("a", iter([b"2"])),
    "put of nonsense": lambda store: store.put("a", 7),
    "put if absent": lambda store: store.put("b", b"2", if_absent=True),
    "open_writer": lambda store: _enter(store.open_writer("a")),
    "put_many": lambda store: store.put_many({"a": b"2"}),
    "put_many of nothing": lambda store: store.put_many({}),
    "delete": lambda store: store.delete("a"),
    "delete if there": lambda store: store.delete("nothing", missing_ok=True),
    "delete_many": lambda store: store.delete_many(["a"]),
    "clear": lambda store: store.clear(),
    "clear of nothing": lambda store: store.clear("nothing"),
    "copy": lambda store: store.copy("a", "b"),
    "move": lambda store: store.move("a", "b"),
    "presigned_put": lambda store: store.presigned_put("a"),
}
READS: dict[str, Callable[[Any], Any]] = {
    "get": lambda store: store.get("a"),
    "get_with_info": lambda store: store.get_with_info("a"),
    "get_range": lambda store: store.get_range("a", 0, 1),
    "get_ranges": lambda store: store.get_ranges("a", [(0, 1)]),
    "get_many": lambda store: _all(store.get_many(["a"])),
    "stream": lambda store: _all(store.stream("a")),
    "open_reader": lambda store: _enter(store.open_reader("a")),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
    "keys": lambda store: _all(store.keys()),
    "list": lambda store: _all(store.list()),
    "list_with_delimiter": lambda store: store.list_with_delimiter(),
    "presigned_get": lambda store: store.presigned_get("a"),
}
COPIES = {name: CHANGES[name] for name in ("copy", "move", "clear", "clear of nothing")}


async def _refused(store: Any, child: RecordingStore, act: Callable[[Any], Any]) -> None:
    with pytest.raises(NotSupported, match=r"store is (read|write)-only"):
        await act(store)
    assert child.reached == []
    assert child.objects == {"a": b"1"}


@pytest.mark.parametrize("verb", CHANGES)
async def test_a_readonly_store_changes_nothing(verb: str) -> None:
    child = RecordingStore({"a": b"1"})
    await _refused(AsyncReadonlyStore(child), child, CHANGES[verb])


@pytest.mark.parametrize("verb", [verb for verb in CHANGES if verb != "put_many of nothing"])
async def test_nor_does_it_within_others(verb: str) -> None:
    child = RecordingStore({"a": b"1"})
    store = AsyncIdentityStore(AsyncIdentityStore(AsyncReadonlyStore(child)))
    with pytest.raises((NotSupported, BulkError)):
        await CHANGES[verb](store)
    assert child.objects == {"a": b"1"}


@pytest.mark.parametrize("verb", [*READS, *COPIES])
async def test_a_writeonly_store_tells_nothing(verb: str) -> None:
    child = RecordingStore({"a": b"1"})
    await _refused(AsyncWriteonlyStore(child), child, {**READS, **COPIES}[verb])


@pytest.mark.parametrize("verb", READS)
async def test_a_readonly_store_reads(verb: str) -> None:
    child = RecordingStore({"a": b"1"})
    await READS[verb](AsyncReadonlyStore(child))
    assert child.reached


@pytest.mark.parametrize("verb", sorted({*CHANGES} - {*COPIES, "put of nonsense"}))
async def test_a_writeonly_store_writes(verb: str) -> None:
    child = RecordingStore({"a": b"1"})
    await CHANGES[verb](AsyncWriteonlyStore(child))
    assert child.reached or verb == "put_many of nothing"


async def test_what_they_lack_and_what_they_keep() -> None:
    child = AsyncDictStore()
    reading = AsyncReadonlyStore(child).capabilities
    assert Capability.IF_ABSENT not in reading
    assert Capability.READ_CONDITIONS | Capability.ORDERED | Capability.RANGES in reading
    writing = AsyncWriteonlyStore(child).capabilities
    assert Capability.READ_CONDITIONS not in writing
    assert Capability.IF_ABSENT | Capability.DELETE_IF_MATCH | Capability.STREAMS in writing


async def test_closed_comes_before_refused() -> None:
    store = AsyncReadonlyStore(AsyncDictStore())
    await store.aclose()
    with pytest.raises(StoreClosed):
        await store.delete_many(["a"])


def test_blocking() -> None:
    child = BlockingStore(a=b"1")
    store = ReadonlyStore(child)
    assert store.get("a") == b"1"
    for act in (CHANGES["put"], CHANGES["delete"], CHANGES["clear"], CHANGES["put_many"]):
        with pytest.raises(NotImplementedError):
            act(IdentityStore(store) if act is CHANGES["delete"] else store)
    assert child.objects == {"a": b"1"}
    writing = WriteonlyStore(DictStore())
    writing.put("a", b"1")
    with pytest.raises(NotImplementedError):
        list(writing.keys())
    with pytest.raises(NotImplementedError):
        writing.open_reader("a")
