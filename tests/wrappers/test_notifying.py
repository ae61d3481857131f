"""A store that tells of its changes, and what it does when handlers go wrong."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from storage.aioutils import AsyncIdentityStore, AsyncNotifyingStore
from storage.object import AsyncDictStore, BulkError, DictStore, ObjectNotFound, StoreUnavailable
from storage.utils import FanoutStore, IdentityStore, NotifyingStore
from tests.stores import BlockingStore, FlakyStore


class Heard(list[tuple[str, str, str | None]]):
    """What a handler was told: action, key, error."""

    def __call__(self, store: object, action: str, key: str, error: Exception | None) -> None:
        self.append((action, key, type(error).__name__ if error else None))


async def test_every_change_is_told() -> None:
    heard, store = Heard(), AsyncNotifyingStore(AsyncDictStore())
    store.on_change(heard)
    await store.put("a", b"1")
    await store.put("b", iter([b"2"]))
    async with store.open_writer("c") as writer:
        await writer.write(b"3")
    await store.copy("a", "d")
    await store.move("d", "e")
    await store.put_many({"f": b"4"})
    assert heard == [
        ("put", "a", None),
        ("put", "b", None),
        ("put", "c", None),
        ("put", "d", None),
        ("put", "e", None),
        ("delete", "d", None),
        ("put", "f", None),
    ]
    heard.clear()
    await store.delete("a")
    await store.delete_many(["b"])
    await AsyncIdentityStore(store).clear()
    assert sorted(heard) == [("delete", key, None) for key in "abcef"]


async def test_failures_are_told_and_raised() -> None:
    child = FlakyStore({"a": b"1"})
    heard, store = Heard(), AsyncNotifyingStore(child)
    store.on_change(heard)
    child.failing = {"put", "delete"}
    with pytest.raises(StoreUnavailable):
        await store.put("a", b"2")
    with pytest.raises(StoreUnavailable):
        await store.put("a", iter([b"2"]))
    with pytest.raises(StoreUnavailable):
        await store.delete("a")
    with pytest.raises(ObjectNotFound):
        await store.move("nothing", "b")
    with pytest.raises(BulkError):
        await store.delete_many(["a"])
    assert heard == [
        ("put", "a", "StoreUnavailable"),
        ("put", "a", "StoreUnavailable"),
        ("delete", "a", "StoreUnavailable"),
        ("put", "b", "ObjectNotFound"),
        ("delete", "nothing", "ObjectNotFound"),
        ("delete", "a", "StoreUnavailable"),
    ]


async def test_an_aborted_write_is_no_change() -> None:
    heard, store = Heard(), AsyncNotifyingStore(AsyncDictStore())
    store.on_change(heard)
    with pytest.raises(ZeroDivisionError):
        async with store.open_writer("a"):
            raise ZeroDivisionError
    assert heard == [("put", "a", "ZeroDivisionError")]


async def test_handlers_by_action_and_their_first_argument() -> None:
    child = AsyncDictStore()
    store = AsyncNotifyingStore(child)
    puts: list[Any] = []
    store.on_put(lambda *what: puts.append(what))
    store.on_delete(lambda *what: puts.append(what))
    await store.put("a", b"1")
    with pytest.raises(ObjectNotFound) as caught:
        await store.delete("b")
    assert puts == [(child, "a", None), (child, "b", caught.value)]
    with pytest.raises(TypeError):
        store.on_put("print")  # type: ignore[arg-type]


async def test_an_async_handler_may_await() -> None:
    store = AsyncNotifyingStore(AsyncDictStore())
    heard = Heard()

    async def copy(target: Any, action: str, key: str, error: Exception | None) -> None:
        await asyncio.sleep(0)
        heard(target, action, key, error)

    store.on_change(copy)
    await store.put("a", b"1")
    assert heard == [("put", "a", None)]
    blocking = IdentityStore.around(AsyncIdentityStore(store))
    await asyncio.to_thread(blocking.put, "b", b"2")
    assert heard[1:] == [("put", "b", None)]


async def test_a_failing_handler_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    heard, store = Heard(), AsyncNotifyingStore(AsyncDictStore())

    def fail(*what: Any) -> None:
        raise ZeroDivisionError

    store.on_change(fail)
    store.on_change(heard)
    assert (await store.put("a", b"1")).size == 1
    with pytest.raises(ObjectNotFound):
        await store.delete("b")
    assert heard == [("put", "a", None), ("delete", "b", "ObjectNotFound")]
    assert [record.name for record in caplog.records] == ["storage.notifying"] * 2
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.parametrize("child", [DictStore(), BlockingStore(), FanoutStore([DictStore()])])
def test_blocking_handlers_get_blocking_stores(child: Any) -> None:
    store = NotifyingStore(child)
    found = []

    def read_back(inner: Any, key: str, error: Exception | None) -> None:
        found.append((inner is child, inner.get(key), error))

    store.on_put(read_back)
    store.put("a", b"1")
    store.put("b", iter([b"2"]))
    assert found == [(True, b"1", None), (True, b"2", None)]
    assert (NotifyingStore.PUT, NotifyingStore.DELETE) == ("put", "delete")
