"""Cancelled at any await: no hidden file, no descriptor, no half object; the next call is right."""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.backends.files import FileStore, descriptors, each_kind, listed, litter

OLD, NEW = b"old" * 1000, b"new" * 500_000


@types.coroutine
def counted(
    coro: Coroutine[Any, Any, Any], awaits: list[None], cancel: Callable[[int], object]
) -> Generator[Any, Any, Any]:
    """Await a coroutine, and have a say whenever it begins to wait.

    Args:
        coro: What to await.
        awaits: Gets an item for each time that it waits.
        cancel: Called with the number of the await, from 0.
    """
    step: Callable[[Any], Any] = coro.send
    value: Any = None
    while True:
        try:
            future = step(value)
        except StopIteration as stop:
            return stop.value
        cancel(len(awaits))
        awaits.append(None)
        try:
            step, value = coro.send, (yield future)
        except BaseException as error:
            step, value = coro.throw, error


async def cancelled_everywhere(
    operation: Callable[[], Coroutine[Any, Any, Any]],
    check: Callable[[], Coroutine[Any, Any, None]],
    *,
    times: int = 1,
) -> None:
    """Run an operation again and again, cancelled at one await after the other; then check.

    Args:
        operation: Makes its coroutine.
        check: Called after each run.
        times: How many awaits in a row are cancelled.
    """
    for delay in (None, 0.0, 0.0005):
        for first in range(100):
            awaits: list[None] = []

            def cancel(number: int, first: int = first, delay: float | None = delay) -> None:
                task = asyncio.current_task()
                assert task is not None
                if not first <= number < first + times:
                    return
                if delay is None:
                    task.cancel()
                else:
                    asyncio.get_running_loop().call_later(delay, task.cancel)

            async def run(awaits: list[None] = awaits, cancel: Any = cancel) -> None:
                await counted(operation(), awaits, cancel)
                await asyncio.sleep(0.002)  # a late cancellation is meant for the operation

            with suppress(asyncio.CancelledError):
                await asyncio.create_task(run())
            await check()
            if len(awaits) <= first:
                break
        else:
            pytest.fail("the operation never ends")


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(NEW), 300_000):
        yield NEW[start : start + 300_000]
        await asyncio.sleep(0)


@pytest.fixture
async def store(kind: type[FileStore], tmp_path: Path) -> FileStore:
    store = kind(tmp_path / "root")
    await store.put("d/k", OLD)
    return store


def checker(store: FileStore, *keys: str) -> Callable[[], Coroutine[Any, Any, None]]:
    """The check that nothing is left behind and that the keys are what they may be."""
    root, before = Path(store.root_path), descriptors()

    async def check() -> None:
        assert litter(root) == []
        assert descriptors() == before
        found = await listed(store)
        assert set(found) <= {"d/k", *keys}
        for key in found:
            assert await store.get(key) in (OLD, NEW)

    return check


@each_kind
async def test_a_put(store: FileStore) -> None:
    await cancelled_everywhere(lambda: store.put("d/k", NEW), checker(store))
    await cancelled_everywhere(lambda: store.put("n/e/w", NEW), checker(store, "n/e/w"))


@each_kind
async def test_a_streamed_put(store: FileStore) -> None:
    await cancelled_everywhere(lambda: store.put("d/k", pieces()), checker(store))
    await store.delete("d/k")
    await cancelled_everywhere(lambda: store.put("n/e/w", pieces()), checker(store, "n/e/w"))


@each_kind
@pytest.mark.allow_blocking("whoever cancels the clean-up itself gets it done at once")
async def test_a_streamed_put_that_is_cancelled_twice(store: FileStore) -> None:
    await cancelled_everywhere(lambda: store.put("d/k", pieces()), checker(store), times=2)


@each_kind
async def test_a_writer(store: FileStore) -> None:
    async def write() -> None:
        async with store.open_writer("d/k") as writer:
            async for piece in pieces():
                await writer.write(piece)

    await cancelled_everywhere(write, checker(store))


@each_kind
async def test_a_writer_whose_block_raises(store: FileStore) -> None:
    check = checker(store)
    for count in range(3):
        with pytest.raises(ZeroDivisionError):
            async with store.open_writer("n/e/w") as writer:
                for _ in range(count):
                    await writer.write(NEW)
                _ = 1 / 0
        await check()
    writer = store.open_writer("n/e/w")
    async with writer:
        await writer.write(NEW)
        await writer.abort()
    await check()


@each_kind
async def test_reads(store: FileStore) -> None:
    await store.put("d/k", NEW)

    async def stream() -> None:
        async with store.open_reader("d/k") as reader:
            await reader.read(10)
            await reader.seek(1_000_000)
            await reader.read()

    await cancelled_everywhere(lambda: store.get("d/k"), checker(store))
    await cancelled_everywhere(stream, checker(store))


@each_kind
async def test_copies_and_moves(store: FileStore) -> None:
    await cancelled_everywhere(lambda: store.copy("d/k", "c/k"), checker(store, "c/k"))

    async def there_and_back() -> None:
        if await store.exists("d/k"):
            await store.move("d/k", "m/k")
        await store.move("m/k", "d/k")

    await cancelled_everywhere(there_and_back, checker(store, "c/k", "m/k"))


@each_kind
async def test_listings(store: FileStore) -> None:
    await store.copy("d/k", "l/k")
    await cancelled_everywhere(lambda: listed(store), checker(store, "l/k"))
    await cancelled_everywhere(lambda: store.clear("l"), checker(store, "l/k"))
