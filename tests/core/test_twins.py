"""The twins: the verbs, and what they are as objects."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any, ClassVar

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._core.urls import StoreURL
from storage._core.values import Data
from storage.object import (
    AsyncBaseStore,
    BaseStore,
    ByteRange,
    Capability,
    DictStore,
    ObjectNotFound,
    ObjectStore,
    StoreClosed,
)
from storage.utils import FanoutStore
from tests.core.stores import AsyncLoopPieces, LoopStore


@pytest.fixture(params=[DictStore, LoopStore])
def store(request: pytest.FixtureRequest) -> DictStore:
    made: DictStore = request.param({"a": b"1", "b": b"22", "c/d": b"333"})
    return made


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


def test_a_twin_names_itself() -> None:
    class Mine(DictStore):
        pass

    assert repr(DictStore({"a": b""})) == "DictStore(1 objects)"
    assert repr(Mine()) == "Mine(0 objects)"
    nested = FanoutStore([FanoutStore([DictStore()]), Mine()])
    assert repr(nested) == "FanoutStore(FanoutStore(DictStore(0 objects)), Mine(0 objects))"


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
