"""What type checkers make of the twins; the assertions are theirs to check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

from storage.object import BaseStore, DictStore, ObjectInfo, ObjectStore, Reader, Writer
from storage.utils import CachingStore, FanoutStore


class Shouting(DictStore):
    """A twin can be subclassed."""

    def get(self, key: str, **options: Any) -> bytes:
        return super().get(key, **options).upper()


def accepts(store: ObjectStore) -> ObjectStore:
    """Takes whatever has the five blocking verbs."""
    return store


def test_twins_are_typed() -> None:
    with Shouting({"a": b"x"}) as store:
        assert_type(store, Shouting)
        assert_type(store.get("a"), bytes)
        assert_type(store.put("b", b""), ObjectInfo)
        assert_type(store.keys(), Iterator[str])
        assert_type(store.get_many(["a"]), Iterator[tuple[str, bytes]])
        with store.open_reader("a") as reader, store.open_writer("c") as writer:
            assert_type(reader, Reader)
            assert_type(writer, Writer)
            assert_type(reader.read(), bytes)
        assert_type(FanoutStore([store, CachingStore(store, DictStore())]).get("a"), bytes)
        assert_type(store.with_ttl(5), Shouting)
        assert store.with_ttl(5).get("a") == b"X"
        base: BaseStore = store
        assert accepts(base) is store
