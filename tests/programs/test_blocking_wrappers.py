"""Programs as users of amplify-storage-utils 1.8 wrote them, with its blocking wrappers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.fs import FilesystemStore
from storage.object import DictStore, ObjectStore
from storage.utils import (
    CachingStore,
    ExceptionLoggingStore,
    FanoutStore,
    IdentityStore,
    LoggingStore,
    MirroringStore,
    NotifyingStore,
    ReadonlyStore,
    WriteonlyStore,
    copy_store,
)


class Shelf:
    """Nobody's subclass: five methods over a dict, and ``keys`` with options of its own."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.calls: list[str] = []

    def get(self, key: str) -> bytes:
        self.calls.append("get")
        return self.objects[key]

    def put(self, key: str, data: bytes) -> None:
        self.calls.append("put")
        self.objects[key] = data

    def exists(self, key: str) -> bool:
        self.calls.append("exists")
        return key in self.objects

    def delete(self, key: str) -> None:
        self.calls.append("delete")
        del self.objects[key]

    def keys(self, prefix: str = "") -> Iterator[str]:
        return (key for key in list(self.objects) if key.startswith(prefix))


class Ledger(ObjectStore):
    """A subclass of the abstract class, as its documentation asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}

    def get(self, key: str, /) -> bytes:
        return self.pages[key]

    def put(self, key: str, data: Any, /) -> None:
        self.pages[key] = data

    def exists(self, key: str, /) -> bool:
        return key in self.pages

    def delete(self, key: str, /) -> None:
        del self.pages[key]

    def keys(self, **kwargs: Any) -> Iterator[str]:
        yield from list(self.pages)


class UpperStore(IdentityStore):
    """Overrides three of the five, and talks to the store that it was given."""

    def put(self, key: str, data: Any) -> None:  # type: ignore[override]
        self.store.put(key.upper(), data)

    def get(self, key: str) -> bytes:  # type: ignore[override]
        return self.store.get(key.upper())

    def exists(self, key: str) -> bool:
        return self.store.exists(key.upper())


class AuditedStore(ReadonlyStore):
    """Takes an argument more, and calls ``super()``."""

    def __init__(self, store: ObjectStore, auditor: list[str]) -> None:
        super().__init__(store)
        self.auditor = auditor

    def get(self, key: str) -> bytes:  # type: ignore[override]
        self.auditor.append(key)
        return super().get(key)


STORES = [
    Shelf,
    Ledger,
    DictStore,
    lambda: UpperStore(DictStore()),
    lambda: MirroringStore([Shelf()]),
]


@pytest.mark.parametrize("make", STORES)
def test_a_service_that_publishes_read_only(make: Any) -> None:
    inside = make()
    inside.put("report", b"numbers")
    public = ReadonlyStore(inside)
    assert public.get("report") == b"numbers"
    assert public.exists("report")
    assert not public.exists("rumour")
    for act in (lambda: public.put("report", b"lies"), lambda: public.delete("report")):
        with pytest.raises(NotImplementedError):
            act()
    assert inside.get("report") == b"numbers"
    with pytest.raises(KeyError):
        public.get("rumour")


@pytest.mark.parametrize("make", [Shelf, Ledger, DictStore])
def test_a_drop_box(make: Any) -> None:
    inside = make()
    box = WriteonlyStore(inside)
    box.put("letter", b"dear")
    for act in (lambda: box.get("letter"), lambda: box.exists("letter"), lambda: list(box.keys())):
        with pytest.raises(NotImplementedError):
            act()
    assert inside.get("letter") == b"dear"


@pytest.mark.parametrize("make", STORES)
def test_an_index_kept_by_notifications(make: Any) -> None:
    index: dict[str, int] = {}
    failures: list[tuple[str, str]] = []
    inside = make()
    store = NotifyingStore(inside)

    def index_put(which: Any, key: str, e: Exception | None) -> None:
        assert which is inside
        if e is None:
            index[key] = len(which.get(key))

    def note(which: Any, action: str, key: str, e: Exception | None) -> None:
        if e is not None:
            failures.append((action, key))

    store.on_put(index_put)
    store.on_change(note)
    store.on_delete(lambda which, key, e: index.pop(key, 0) if e is None else None)
    store.put("a", b"12")
    store.put("b", b"123")
    assert index == {"a": 2, "b": 3}
    with pytest.raises(KeyError):
        store.delete("never was")
    assert failures == [(NotifyingStore.DELETE, "never was")]


def test_a_tower_of_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    shelf = Shelf(a=b"1")
    quiet = ExceptionLoggingStore(LoggingStore(shelf, "inner"), "outer", logging.getLogger("app"))
    assert quiet.get("a") == b"1"
    assert quiet.get("z") is None
    assert quiet.delete("z") is False
    quiet.put("b", b"2")
    assert list(quiet.keys()) == ["a", "b"]
    assert caplog.messages[:2] == ["outer get a", "inner get a"]
    assert any(message.startswith("failed to get z") for message in caplog.messages)
    assert quiet.logger is logging.getLogger("app")


def test_users_subclasses_within_ours_and_ours_within_theirs(tmp_path: Path) -> None:
    seen: list[str] = []
    files = FilesystemStore(tmp_path, durable=False)
    upper = UpperStore(files)
    upper.put("key", b"value")
    assert files.get("KEY") == b"value"
    audited = AuditedStore(LoggingStore(upper), seen)
    assert audited.get("key") == b"value"
    assert IdentityStore(audited).get("key") == b"value"
    assert seen == ["key", "key"]
    with pytest.raises(NotImplementedError):
        IdentityStore(audited).put("key", b"other")
    inner: Any = audited.store
    assert isinstance(inner, LoggingStore)
    assert inner.store is upper
    assert upper.store is files


def test_mirrors_and_caches_of_anything() -> None:
    first, second = Shelf(), Ledger()
    mirror = FanoutStore([first, second])
    mirror.put("a", b"1")
    assert (first.objects, second.pages) == ({"a": b"1"}, {"a": b"1"})
    assert [type(child) for child in mirror.children] == [Shelf, Ledger]
    cached = CachingStore(mirror, DictStore())
    assert cached.get("a") == cached.get("a") == b"1"
    assert first.calls.count("get") == 1
    assert cached.main_store is mirror
    assert isinstance(cached.cache_store, DictStore)
    target = Shelf()
    copy_store(ReadonlyStore(cached), target)
    assert target.objects == {"a": b"1"}
    assert list(mirror.keys(prefix="a")) == ["a"]
