"""Stores that write a log, and one that carries on where something goes wrong."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from storage.aioutils import AsyncExceptionLoggingStore, AsyncIdentityStore, AsyncLoggingStore
from storage.object import AsyncDictStore, BulkError, DictStore, NotModified, StoreUnavailable
from storage.utils import ExceptionLoggingStore, LoggingStore
from tests.stores import BlockingStore, FlakyStore, ForeignStore


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


async def test_each_operation_is_logged_before_it_is_done(log: pytest.LogCaptureFixture) -> None:
    store = AsyncLoggingStore(AsyncDictStore({"a": b"1"}), "archive")
    await store.get("a")
    await store.put("b\n", iter([b"2"]))
    await store.exists("a")
    await store.delete("a")
    with pytest.raises(KeyError):
        await store.get("a")
    assert [key async for key in store.keys()] == ["b\n"]
    assert log.messages == [
        "archive get a",
        "archive open_writer 'b\\n'",
        "archive exists a",
        "archive delete a",
        "archive get a",
        "archive keys",
    ]


def test_a_logger_of_ones_own(log: pytest.LogCaptureFixture) -> None:
    store = LoggingStore(BlockingStore(a=b"1"), "cellar", logging.getLogger("wine"))
    assert store.get("a") == b"1"
    store.put("b", b"2")
    assert [(record.name, record.message) for record in log.records] == [
        ("wine", "cellar get a"),
        ("wine", "cellar put b"),
    ]
    assert (store.store_name, store.logger.name) == ("cellar", "wine")


@pytest.mark.parametrize("layers", [0, 1])
async def test_failures_are_logged_and_swallowed(
    log: pytest.LogCaptureFixture, layers: int
) -> None:
    child = FlakyStore({"a": b"1"})
    store: Any = AsyncExceptionLoggingStore(child)
    for _ in range(layers):
        store = AsyncIdentityStore(store)
    assert await store.get("a") == b"1"
    child.failing = {"get", "put", "delete"}
    child.list_fails_after = 0
    assert await store.get("a") is None
    assert await store.put("a", b"2") is None
    assert await store.delete("a") in (False, None)
    assert [key async for key in store.keys()] == []
    errors = [record.message for record in log.records if record.levelno == logging.ERROR]
    assert [message.partition(":")[0] for message in errors] == [
        "failed to get a",
        "failed to put a",
        "failed to delete a",
        "failed to get keys",
    ]


async def test_so_are_arguments_that_are_refused(log: pytest.LogCaptureFixture) -> None:
    store = AsyncExceptionLoggingStore(AsyncDictStore())
    assert await store.get("\0") is None
    assert await store.put("a", "text") is None
    assert await store.put("a", b"1", if_absent=True, if_match="x") is None
    assert await store.exists("") is False
    assert await store.delete("nothing") is False
    keyless: Any = 3
    assert await store.get(keyless) is None
    assert [record.levelno for record in log.records].count(logging.ERROR) == 6


async def test_what_cannot_be_told_from_a_result_is_raised() -> None:
    child = FlakyStore({"a": b"1"})
    store = AsyncExceptionLoggingStore(child)
    info = await store.head("a")
    child.failing = {"get", "put"}
    with pytest.raises(StoreUnavailable):
        async with store.open_reader("a"):
            pass
    with pytest.raises(BulkError):
        [pair async for pair in store.get_many(["a"])]
    with pytest.raises(BulkError):
        await store.put_many({"a": b"1"})
    child.failing = set()
    with pytest.raises(NotModified):
        await store.get_with_info("a", if_none_match=info.etag)


async def test_around_somebody_elses_store() -> None:
    store = AsyncExceptionLoggingStore(ForeignStore(a=b"1"))
    assert await store.get("a") == b"1"
    assert await store.get("b") is None
    assert await store.put("a", 7) is None


def test_blocking() -> None:
    class Down:
        """A store that is down."""

        def get(self, key: str) -> bytes:
            raise OSError("down")

        put = exists = delete = keys = get

    store = ExceptionLoggingStore(Down(), "cellar")  # type: ignore[arg-type]
    assert store.get("a") is None
    assert store.put("a", b"1") is None
    assert store.exists("a") is False
    assert store.delete("a") is False
    assert list(store.keys()) == []
    assert ExceptionLoggingStore(DictStore({"a": b"1"})).get("a") == b"1"
