"""The SQLite store and a file that goes away: how often it is looked at, and by whom."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage._async.backends.db import watch as watch_module
from storage._async.backends.db.watch import FRESH, Watch
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import StoreNotFound


class Clock:
    """Stands still until it is told otherwise; counts the looks at the file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1
        self.looks = 0
        self._stat = os.stat
        monkeypatch.setattr(watch_module, "monotonic_ns", lambda: self.now)
        monkeypatch.setattr(watch_module, "os", self)

    def stat(self, path: str) -> os.stat_result:
        self.looks += 1
        return self._stat(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def replaced(path: Path, value: bytes) -> None:
    """Somebody puts another store in the file's place."""
    other = path.with_name("other.sqlite")
    with SqliteStore(other) as store:
        store.put("key", value)
    remove(path)
    os.replace(other, path)


def test_readers_look_once_in_a_while(path: Path, clock: Clock) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"old")
        for _ in range(2):  # whoever opens the file makes others look
            store.get("key")
        clock.looks = 0
        for _ in range(100):
            store.get("key")
            store.exists("key")
            list(store.keys())
        assert clock.looks == 0
        clock.now += FRESH
        for _ in range(100):
            store.get("key")
        assert clock.looks == 1


async def test_async_readers_too(path: Path, clock: Clock) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        for _ in range(2):
            await store.get("key")
        clock.looks = 0
        for _ in range(100):
            await store.get("key")
        assert clock.looks == 0
        remove(path)
        clock.now += FRESH
        with pytest.raises(StoreNotFound):
            await store.get("key")


def test_readers_miss_the_file_a_moment_later(path: Path, clock: Clock) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"old")
        for _ in range(2):
            store.get("key")
        replaced(path, b"new")
        assert store.get("key") == b"old"
        clock.now += FRESH
        assert store.get("key") == b"new"
        remove(path)
        clock.now += FRESH
        with pytest.raises(StoreNotFound):
            store.get("key")


def test_a_write_never_goes_into_a_file_that_is_gone(path: Path, clock: Clock) -> None:
    """And all readers of the store see it from then on."""
    with SqliteStore(path) as store:
        store.put("key", b"old")
        assert store.get("key") == b"old"
        remove(path)
        with pytest.raises(StoreNotFound):
            store.delete("key")
        with pytest.raises(StoreNotFound):
            store.get("key")
        store.put("other", b"new")
        assert list(store.keys()) == ["other"]
        replaced(path, b"newer")
        store.put("third", b"x")
        assert store.get("key") == b"newer"


def test_an_older_look_never_takes_the_place_of_a_newer_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread is held up between its look and what it makes of it."""
    path.touch()
    watch, looking, go_on = Watch(str(path)), threading.Event(), threading.Event()
    stat = os.stat

    def slow(place: str) -> os.stat_result:
        found = stat(place)
        if not looking.is_set():
            looking.set()
            assert go_on.wait(10)
        return found

    with ThreadPoolExecutor(2) as threads:
        monkeypatch.setattr(os, "stat", slow)
        older = threads.submit(watch.now)
        assert looking.wait(10)
        monkeypatch.setattr(os, "stat", stat)
        held = path.open("rb")  # its number is not used again
        path.unlink()
        path.touch()
        newer = threads.submit(watch.now)
        go_on.set()
        assert older.result(10) != newer.result(10)
        held.close()
    assert watch.recent() == newer.result()
    found = path.stat()
    assert newer.result() == (found.st_dev, found.st_ino)
