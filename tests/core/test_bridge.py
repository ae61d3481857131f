# pyright: reportIncompatibleVariableOverride=false
"""The twins: how blocking calls reach the async store behind them."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._core import calls, runner
from storage._core.adapt import ThreadedStore, to_async, to_async_function, to_async_values
from storage._core.bridge import Twin
from storage._core.info import ObjectInfo
from storage._core.urls import StoreURL
from storage._core.values import Data
from storage.aioutils import AsyncFanoutStore
from storage.object import (
    AsyncBaseStore,
    AsyncObjectStore,
    BaseStore,
    BulkError,
    ByteRange,
    Capability,
    DictStore,
    ObjectNotFound,
    ObjectStore,
    StoreClosed,
)
from storage.utils import FanoutStore
from tests.core.conftest import Script
from tests.core.stores import AsyncLoopPieces, LoopPieces, Pieces
from tests.core.waiting import wait_until


class LoopStore(DictStore):
    """A dict whose twin goes through the loop."""

    class _Async(AsyncDictStore):
        inline = False

    _async_type: ClassVar[Any] = _Async


@pytest.fixture(params=[DictStore, LoopStore])
def store(request: pytest.FixtureRequest) -> DictStore:
    made: DictStore = request.param({"a": b"1", "b": b"22", "c/d": b"333"})
    return made


# -- the verbs ------------------------------------------------------------------------------


def test_reading(store: DictStore) -> None:
    assert store.get("a") == b"1"
    assert store.get_range("c/d", 1) == b"33"
    assert store.get_ranges("c/d", [(0, 1), ByteRange(-1)]) == [b"3", b"3"]
    assert store.head("b").size == 2
    assert store.exists("a") is True
    assert store.exists("nothing") is False
    assert list(store.stream("b")) == [b"22"]
    assert list(store.get_many(["a", "b", "nothing"], missing_ok=True)) == [
        ("a", b"1"),
        ("b", b"22"),
    ]
    with pytest.raises(ObjectNotFound) as caught:
        store.get("nothing")
    assert isinstance(caught.value, KeyError)


def test_writing(store: DictStore) -> None:
    info = store.put("new", b"data")
    assert info == store.head("new")
    assert store.put("pieces", (bytes([n]) for n in range(3))).size == 3
    items: dict[str, Data] = {"x": b"1", "y": iter([b"2", b"3"])}
    assert store.put_many(items) == 2
    assert store.get("y") == b"23"
    assert store.copy("x", "z").size == 1
    store.move("z", "w")
    assert (store.exists("z"), store.get("w")) == (False, b"1")
    assert store.delete("w") is None  # type: ignore[func-returns-value]
    assert store.delete_many(["x", "y", "nothing"]) == 3
    assert store.clear() == 5
    assert store.objects == {}


def test_listing(store: DictStore) -> None:
    assert list(store.keys()) == ["a", "b", "c/d"]
    assert list(store.keys("c", start_after="c")) == ["c/d"]
    assert [info.key for info in store.list()] == ["a", "b", "c/d"]
    level = store.list_with_delimiter()
    assert level.prefixes == ("c/",)
    assert [info.key for info in level.objects] == ["a", "b"]


def test_attributes_and_classmethods_are_the_async_stores(store: DictStore) -> None:
    assert store.capabilities == ~Capability.NONE
    store.objects["a"] = b"by hand"
    assert store.get("a") == b"by hand"
    made = type(store).from_url(StoreURL.parse("memory://?timeout=3"))
    assert type(made) is type(store)
    assert made._async._timeout == 3


def test_closing(store: DictStore) -> None:
    with store as same:
        assert same is store
    with pytest.raises(StoreClosed):
        store.get("a")
    with pytest.raises(StoreClosed):
        store.__enter__()
    store.close()


def test_a_block_leaves_with_its_error(store: DictStore) -> None:
    with pytest.raises(ZeroDivisionError), store:
        raise ZeroDivisionError
    assert store._async._closed


# -- twins as objects -----------------------------------------------------------------------


def test_a_twin_names_itself() -> None:
    class Mine(DictStore):
        pass

    assert repr(DictStore({"a": b""})) == "DictStore(1 objects)"
    assert repr(Mine()) == "Mine(0 objects)"
    nested = BaseStore.around(AsyncPassing(AsyncPassing(AsyncDictStore())))
    assert repr(nested) == "BaseStore(Passing(DictStore(0 objects)))"


def test_a_twin_is_a_blocking_store_and_nothing_else() -> None:
    store = DictStore()
    assert isinstance(store, ObjectStore)
    assert store != DictStore()
    assert {store: 1}[store] == 1
    # `isinstance` sees names only, so it is the kind of `get` that tells the two apart.
    assert not asyncio.iscoroutinefunction(store.get)
    assert not issubclass(DictStore, AsyncBaseStore)


def test_the_base_of_all_stores_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseStore()


class AsyncPlain(AsyncDictStore):
    """A store of plain state, which can be pickled."""

    def __getstate__(self) -> dict[str, Any]:
        return {"objects": dict(self.objects)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["objects"])  # type: ignore[misc]


class Plain(DictStore):
    _async_type: ClassVar[Any] = AsyncPlain


def test_a_twin_is_pickled_where_its_store_is() -> None:
    copy = pickle.loads(pickle.dumps(Plain({"a": b"1"})))
    assert type(copy) is Plain
    assert copy.get("a") == b"1"
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(DictStore())


def test_around_makes_any_async_store_blocking() -> None:
    store = BaseStore.around(AsyncLoopPieces())
    store.put("a", b"123456")
    assert list(store.stream("a")) == [b"1234", b"56"]
    assert type(store) is BaseStore
    with pytest.raises(TypeError, match="DictStore is the twin of AsyncDictStore and cannot"):
        DictStore.around(object())


# -- stores within stores -------------------------------------------------------------------


class AsyncPassing(AsyncDictStore):
    """Hands everything on to another store."""

    def __init__(self, inner: AsyncObjectStore) -> None:
        super().__init__()
        self._inner = inner
        self.inline = getattr(inner, "inline", False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inner!r})"

    async def get(self, key: str, **options: Any) -> bytes:
        return await self._inner.get(key)

    async def keys(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[str]:
        async for key in self._inner.keys():
            yield key


class Passing(BaseStore):
    """Its twin, as the generator would write it."""

    _async: AsyncPassing
    _async_type: ClassVar[Any] = AsyncPassing

    def __init__(self, inner: ObjectStore) -> None:
        self._hold(self._async_type(to_async(inner)))


class Users:
    """Somebody's own blocking store, which uses another blocking store of ours."""

    def __init__(self, within: ObjectStore) -> None:
        self.within = within
        self.threads: set[str] = set()

    def get(self, key: str) -> bytes:
        self.threads.add(threading.current_thread().name)
        return self.within.get(key).upper()

    def put(self, key: str, data: Any) -> None:
        self.within.put(key, data)

    def exists(self, key: str) -> bool:
        return self.within.exists(key)

    def delete(self, key: str) -> None:
        self.within.delete(key)

    def keys(self) -> Iterator[str]:
        return iter([*self.within.keys(), "one more"])


class Shouting(DictStore):
    """Somebody's subclass of a twin."""

    def get(self, key: str, **options: Any) -> bytes:
        return super().get(key, **options).upper()


def test_our_own_twins_are_unwrapped() -> None:
    inner = DictStore({"a": b"x"})
    outer = FanoutStore([FanoutStore([inner])])
    assert outer.get("a") == b"x"
    (between,) = outer._async._children
    assert isinstance(between, AsyncFanoutStore)
    assert between._children == (inner._async,)


@pytest.mark.parametrize("within", [DictStore, LoopStore])
def test_users_own_blocking_stores_work_inside(within: type[DictStore]) -> None:
    users = Users(within({"a": b"x"}))
    outer = Passing(users)
    assert isinstance(outer._async._inner, ThreadedStore)
    assert outer.get("a") == b"X"
    assert list(outer.keys()) == ["a", "one more"]
    assert users.threads == {"storage-worker"}


def test_a_subclass_of_a_twin_is_heard_when_wrapped() -> None:
    store = Shouting({"a": b"x"})
    assert store.get("a") == b"X"
    assert Passing(store).get("a") == b"X"


def test_async_stores_are_refused_with_the_way_out() -> None:
    with pytest.raises(TypeError, match="Async classes"):
        Passing(AsyncDictStore())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no store"):
        Passing(object())  # type: ignore[arg-type]


def test_mappings_and_functions_are_adapted_too() -> None:
    store = DictStore()
    assert to_async_values({"a": store}) == {"a": store._async}

    def where(word: str, *, suffix: str = "") -> str:
        return word + suffix + threading.current_thread().name

    assert runner.run(to_async_function(where)("on ", suffix="a ")) == "on a storage-worker"
    assert calls.drive(to_async_function(where)("in ")) == "in MainThread"


# -- where calls run ------------------------------------------------------------------------


@pytest.mark.allow_blocking("blocking calls within a loop block it; here they must work")
async def test_calls_work_within_a_running_loop() -> None:
    for kind in (DictStore, LoopStore):
        store = kind({"a": b"1"})
        assert store.get("a") == b"1"
        assert list(store.keys()) == ["a"]
        with store.open_reader("a") as file:
            assert file.read() == b"1"


def test_calls_on_the_loop_of_the_twins_name_the_way_out() -> None:
    async def call(store: DictStore) -> bytes:
        return store.get("a")

    assert runner.run(call(DictStore({"a": b"1"}))) == b"1"
    with pytest.raises(runner.BlockingCallError, match="AsyncX instead of X"):
        runner.run(call(LoopStore({"a": b"1"})))


def test_a_store_that_is_wrongly_inline_is_told() -> None:
    class Suspending(Pieces):
        class _Async(AsyncLoopPieces):
            inline = True

        _async_type: ClassVar[Any] = _Async

    store = Suspending()
    with pytest.raises(RuntimeError, match="must not be inline"):
        store.get("a")


# -- iterators ------------------------------------------------------------------------------


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


# -- other shapes of async objects ----------------------------------------------------------


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


# -- the end of the process -----------------------------------------------------------------


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
