"""The stores that wrappers are made of, as their users see them again."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path
from typing import Any

import pytest

from storage.aioutils import AsyncFanoutStore, AsyncIdentityStore
from storage.fs import FilesystemStore
from storage.object import AsyncDictStore, DictStore, ObjectStore
from storage.utils import FanoutStore, IdentityStore
from tests.stores import BlockingStore, ForeignStore


class Loud(IdentityStore):
    """A user's subclass."""

    def get(self, key: str, **options: Any) -> bytes:
        return self.store.get(key) + b"!"


class Counting(DictStore):
    """Another one, whose own verb must be heard."""

    gets = 0

    def get(self, key: str, **options: Any) -> bytes:
        self.gets += 1
        return super().get(key, **options)


@pytest.mark.parametrize("make", [DictStore, BlockingStore, Counting, lambda: Loud(DictStore())])
def test_the_very_object_comes_back(make: Any) -> None:
    store = make()
    assert IdentityStore(store).store is store
    other = DictStore()
    assert FanoutStore([store, other]).children == (store, other)
    assert IdentityStore(store).children == (store,)


@pytest.mark.parametrize("make", [AsyncDictStore, ForeignStore])
def test_so_it_does_on_the_async_side(make: Any) -> None:
    store = make()
    assert AsyncIdentityStore(store).store is store
    other = ForeignStore()
    assert AsyncFanoutStore([other, store]).children == (other, store)


def test_it_stays_where_nobody_else_holds_it() -> None:
    wrapped = IdentityStore(Counting({"a": b"1"}))
    tagged: Any = DictStore({"a": b"1"})
    tagged.tag = "mine"
    outer = IdentityStore(IdentityStore(tagged))
    del tagged
    gc.collect()
    wrapped.get("a")
    assert wrapped.store.gets == 1  # type: ignore[attr-defined]
    assert outer.store.store.tag == "mine"  # type: ignore[attr-defined]


def test_two_twins_of_one_store_are_told_apart() -> None:
    one: DictStore = DictStore()
    two = DictStore.around(one._async)
    first, second = IdentityStore(one), IdentityStore(two)
    assert first.store is one
    assert second.store is two


def test_a_twin_of_an_async_wrapper_makes_blocking_ones() -> None:
    child = AsyncDictStore({"a": b"1"})
    wrapped = IdentityStore.around(AsyncIdentityStore(AsyncIdentityStore(child)))
    assert wrapped.store.get("a") == b"1"
    assert wrapped.store is wrapped.store
    assert isinstance(wrapped.store, IdentityStore)


def test_it_can_be_pickled(tmp_path: Path) -> None:
    wrapped = IdentityStore(FilesystemStore(tmp_path, durable=False))
    again = pickle.loads(pickle.dumps(wrapped))
    again.store.put("b", b"2")
    assert wrapped.get("b") == again.get("b") == b"2"
    assert again.store._async is again._async.store


def test_a_subclass_talks_to_it() -> None:
    loud = Loud(BlockingStore(a=b"1"))
    assert loud.get("a") == b"1!"
    assert IdentityStore(loud).get("a") == b"1!"
    found: ObjectStore = loud.store
    assert found.get("a") == b"1"
