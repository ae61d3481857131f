"""Clients that go away or are slow: nothing stays open, and memory does not grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from storage.asgi import StoreApp
from storage.object import AsyncDictStore, Body, ObjectInfo, ReadOptions, Sink
from tests.asgi.client import scope_of

SIZE = 1024 * 1024


class Watched(AsyncDictStore):
    """It counts what is open, and what was read."""

    open = 0
    most = 0
    read = 0
    begun = 0

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        self.open += 1
        self.begun += 1
        self.most = max(self.most, self.open)
        try:
            yield Body(ObjectInfo(key, SIZE, "v1"), self._chunks())
            await asyncio.sleep(0)  # letting go takes a moment
        finally:
            self.open -= 1

    async def _chunks(self) -> AsyncIterator[bytes]:
        for _ in range(16):
            await asyncio.sleep(0)
            self.read += SIZE // 16
            yield bytes(SIZE // 16)


class Exchange:
    """A request whose client takes so many pieces, and then none; it may go away."""

    def __init__(self, app: Any, takes: int, method: str = "GET") -> None:
        self.gone = asyncio.Event()
        self.stuck = asyncio.Event()
        self.taken = 0
        self._takes = takes
        self._asked = False
        self.task = asyncio.ensure_future(app(scope_of(method, "/a"), self._receive, self._send))

    async def _receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.taken == self._takes:
            self.stuck.set()
            await asyncio.get_running_loop().create_future()
        self.taken += 1


@pytest.mark.parametrize("takes", [0, 1, 5])
async def test_a_client_that_goes_away(takes: int) -> None:
    store = Watched()
    exchange = Exchange(StoreApp(store), takes)
    await exchange.stuck.wait()
    assert store.open == 1
    exchange.gone.set()
    await exchange.task
    assert store.open == 0
    assert store.read <= (takes + 1) * SIZE // 16


async def test_one_that_goes_before_the_store_has_answered() -> None:
    class Slow(Watched):
        left = False

        async def _head(self, key: str) -> Any:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.left = True

    store = Slow()
    exchange = Exchange(StoreApp(store), 5, "HEAD")
    await asyncio.sleep(0.01)
    exchange.gone.set()
    await exchange.task
    assert (store.left, exchange.taken) == (True, 0)


async def test_one_that_takes_nothing_for_too_long() -> None:
    store = Watched()
    await Exchange(StoreApp(store, patience=0.01), 3).task
    assert (store.open, store.begun) == (0, 1)


async def test_a_server_that_raises() -> None:
    store = Watched()

    async def receive() -> Any:
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        raise OSError("the connection is closed")

    await StoreApp(store)(scope_of("GET", "/a"), receive, send)
    assert store.open == 0


async def test_a_server_that_ends() -> None:
    store = Watched()
    exchange = Exchange(StoreApp(store), 3)
    await exchange.stuck.wait()
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    assert store.open == 0


async def test_the_server_may_call_it_over_at_the_last_piece() -> None:
    """As uvicorn does: the work that is still to be done is not cut short by that."""
    store = Watched()
    over, sent = asyncio.Event(), list[Any]()

    async def receive() -> Any:
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            assert store.open == 0, "all is closed by then"
            over.set()
            await asyncio.sleep(0.01)
            sent.append({"type": "the server has done its part"})

    await StoreApp(store)(scope_of("GET", "/a"), receive, send)
    assert sent.pop()["type"] == "the server has done its part"
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert sum(len(message.get("body", b"")) for message in sent) == SIZE


async def test_hundreds_of_slow_clients_hold_a_piece_each() -> None:
    store = Watched()
    app = StoreApp(store)
    slow = [Exchange(app, 2) for _ in range(300)]
    for exchange in slow:
        await exchange.stuck.wait()
    assert store.open == 300
    assert store.read <= 300 * 2 * SIZE // 16
    for exchange in slow:
        exchange.gone.set()
    await asyncio.gather(*(exchange.task for exchange in slow))
    assert store.open == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_whole_object_is_sent_in_pieces() -> None:
    """Also where the store gives it in one."""
    store, sizes = AsyncDictStore({"a": bytes(SIZE)}), []

    async def receive() -> Any:
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sizes.append(len(message.get("body", b"")))

    await StoreApp(store)(scope_of("GET", "/a"), receive, send)
    assert sum(sizes) == SIZE
    assert max(sizes) <= 64 * 1024


async def test_others_have_their_turn_between_the_pieces() -> None:
    """Also where neither the store nor the client ever lets the service wait."""
    store, turns, seen = AsyncDictStore({"a": bytes(SIZE)}), 0, []

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def receive() -> Any:
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message.get("body"):
            seen.append(turns)

    task = asyncio.ensure_future(other())
    await StoreApp(store)(scope_of("GET", "/a"), receive, send)
    task.cancel()
    assert len(set(seen)) == len(seen) == 16


async def test_a_put_reads_no_faster_than_the_store_writes() -> None:
    asked, written = 0, 0

    class Slow(AsyncDictStore):
        @asynccontextmanager
        async def _create(self, key: str, options: Any) -> AsyncIterator[Sink]:
            sink = Slowly()
            yield sink
            sink.info = ObjectInfo(key)

    class Slowly:
        info: ObjectInfo | None = None

        async def write(self, data: Any) -> None:
            nonlocal written
            assert asked - written <= 128 * 1024
            await asyncio.sleep(0)
            written += len(data)

    async def receive() -> Any:
        nonlocal asked
        asked += 16 * 1024
        more = asked < SIZE
        return {"type": "http.request", "body": bytes(16 * 1024), "more_body": more}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await StoreApp(Slow(), writable=True)(scope_of("PUT", "/a"), receive, send)
    assert (sent[0]["status"], written) == (201, SIZE)
