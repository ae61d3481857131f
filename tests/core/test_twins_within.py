# pyright: reportIncompatibleVariableOverride=false
"""Twins within twins, users' own stores within them, and where calls run."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._core import calls, runner
from storage._core.adapt import ThreadedStore, to_async, to_async_function, to_async_values
from storage.aioutils import AsyncFanoutStore
from storage.object import (
    AsyncObjectStore,
    BaseStore,
    DictStore,
    ObjectStore,
)
from storage.utils import FanoutStore
from tests.core.stores import AsyncLoopPieces, LoopStore, Pieces


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
    assert users.threads == {threading.current_thread().name}  # nothing here needs a loop
    store = FanoutStore([users])
    assert store.get("a") == b"X"
    assert len(users.threads) == 1  # the first call is made at home
    assert store.get("a") == b"X"
    assert "storage-worker" in users.threads  # and where there is a loop, it is not blocked


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
