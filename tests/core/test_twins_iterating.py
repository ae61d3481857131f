"""Iterators and contexts of the twins, and what nobody closed."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._core.bridge import Twin
from storage._core.info import ObjectInfo
from storage.object import (
    BaseStore,
    BulkError,
)
from tests.core.conftest import Script
from tests.core.stores import LoopPieces, Pieces
from tests.core.waiting import wait_until


@pytest.fixture(params=[Pieces, LoopPieces])
def pieces(request: pytest.FixtureRequest) -> Pieces:
    made: Pieces = request.param()
    made.put_many({f"{n:04}": b"" for n in range(3000)})
    made._async.events.clear()
    return made


def test_an_iterator_gives_everything_and_ends(pieces: Pieces) -> None:
    keys = pieces.keys()
    assert pieces._async.events == []
    assert len(list(keys)) == 3000
    assert pieces._async.events == ["list", "listed"]
    assert list(keys) == []


def test_an_iterator_can_be_closed(pieces: Pieces) -> None:
    keys = pieces.keys()
    assert next(keys) == "0000"
    keys.close()  # type: ignore[attr-defined]
    keys.close()  # type: ignore[attr-defined]
    assert pieces._async.events == ["list", "listed"]
    assert list(keys) == []


def test_an_abandoned_iterator_is_closed(pieces: Pieces) -> None:
    for _ in pieces.keys():
        break
    gc.collect()
    wait_until(lambda: pieces._async.events == ["list", "listed"])
    cycle: list[object] = [pieces.keys()]
    cycle.append(cycle)
    next(cycle[0])  # type: ignore[call-overload]
    del cycle
    gc.collect()
    wait_until(lambda: pieces._async.events == ["list", "listed"] * 2)


def test_an_iterator_that_never_began_needs_no_end(pieces: Pieces) -> None:
    pieces.keys()
    gc.collect()
    assert pieces._async.events == []


def test_an_error_comes_after_what_came_before_it(pieces: Pieces) -> None:
    items = pieces.get_many(["0001", "nothing", "0002"])
    assert [next(items), next(items)] == [("0001", b""), ("0002", b"")]
    with pytest.raises(BulkError) as caught:
        next(items)
    assert list(caught.value.errors) == ["nothing"]
    assert list(items) == []


class AsyncLocking(AsyncDictStore):
    """Holds a lock while it works, as a store of one connection does."""

    def __init__(self) -> None:
        super().__init__({"a": b"1", "b": b"2"})
        self.held = threading.Lock()
        self.ended = threading.Event()

    async def _head(self, key: str) -> ObjectInfo:
        with self.held:
            gc.collect()
            return await super()._head(key)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        try:
            async for key in super()._keys(prefix, start_after):
                yield key
        finally:
            with self.held:
                self.ended.set()


def test_what_is_collected_within_a_call_does_not_wait_for_its_locks() -> None:
    source = AsyncLocking()
    store = BaseStore.around(source)
    cycle: list[object] = [store.keys()]
    cycle.append(cycle)
    next(cycle[0])  # type: ignore[call-overload]
    del cycle
    assert store.head("a").size == 1
    assert source.ended.wait(5)


class AsyncCounter:
    """Counts down, and has a context of its own; it says nothing of where it may run."""

    def __init__(self) -> None:
        self.left = 3
        self.events: list[str] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return self.left

    @asynccontextmanager
    async def held(self, *, suppress: bool = False) -> AsyncIterator[str]:
        try:
            yield "value"
        except ZeroDivisionError as error:
            self.events.append(repr(error))
            if not suppress:
                raise
        self.events.append("left")


def fail() -> None:
    raise ZeroDivisionError


class Counter(Twin):
    def __init__(self, *, inline: bool) -> None:
        source = AsyncCounter()
        if inline:
            vars(source)["inline"] = True
        self._hold(source)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> int:
        return self._step(self._async.__anext__())  # type: ignore[no-any-return]


@pytest.mark.parametrize("inline", [True, False])
def test_async_iterators_and_contexts_of_other_classes(inline: bool) -> None:
    counter = Counter(inline=inline)
    assert list(counter) == [2, 1, 0]
    source = counter._async
    with counter._enter(source.held()) as value:
        assert value == "value"
    with pytest.raises(ZeroDivisionError), counter._enter(source.held()):
        raise ZeroDivisionError
    with counter._enter(source.held(suppress=True)):
        fail()
    assert source.events == ["left", "ZeroDivisionError()", "ZeroDivisionError()", "left"]


def test_a_forgotten_store_of_the_loop_is_closed_at_exit(script: Script) -> None:
    lines = script(
        """
        from storage.object import AsyncDictStore, BaseStore
        class AsyncLoud(AsyncDictStore):
            inline = False
            async def _teardown(self):
                await asyncio.sleep(0.01)
                say("closed")
        store = BaseStore.around(AsyncLoud({"a": b"1"}))
        say(store.get("a"))
        """
    )
    assert lines == ["b'1'", "closed"]


def test_open_files_and_iterators_do_not_hold_up_the_exit(script: Script) -> None:
    lines = script(
        """
        from tests.core.stores import LoopPieces, Pieces
        warnings.simplefilter("ignore", ResourceWarning)
        keep = []
        for kind in (Pieces, LoopPieces):
            store = kind()
            store.put_many({"a": b"1" * 10, "b": b"2"})
            keys, file, new = store.keys(), store.open_reader("a"), store.open_writer("new")
            keep.append((store, keys, file, new, next(keys), file.read(2), new.write(b"x")))
        say("end")
        """
    )
    assert lines == ["end"]


def test_an_interrupted_read_ends_the_file(script: Script) -> None:
    lines = script(
        """
        from contextlib import asynccontextmanager
        from storage.object import *
        class AsyncSlow(AsyncDictStore):
            inline = False
            @asynccontextmanager
            async def _open(self, key, options):
                async def pieces():
                    yield b"first"
                    say("waiting")
                    await asyncio.sleep(60)
                try:
                    yield Body(ObjectInfo(key), pieces())
                finally:
                    say("let go")
        store = BaseStore.around(AsyncSlow())
        with store.open_reader("a") as file:
            say(file.read(5))
            try:
                file.read(5)
            except KeyboardInterrupt:
                say("interrupted")
            try:
                file.read(5)
            except ValueError:
                say("over")
        """,
        interrupt_at="waiting",
    )
    assert lines == ["b'first'", "waiting", "let go", "interrupted", "over"]
