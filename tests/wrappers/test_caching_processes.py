"""Several processes share a cache, and some of them are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.db import SqliteStore
from storage.fs import FilesystemStore
from storage.utils import CachingStore

PROGRAM = """
import os, random, signal, sys, threading
from storage.db import SqliteStore
from storage.fs import FilesystemStore
from storage.utils import CachingStore

place, kind, task, number = sys.argv[1:]
main = FilesystemStore(place + "/main", durable=False)
cache = (FilesystemStore if kind == "files" else SqliteStore)(place + "/cache", durable=False)

class Deadly(FilesystemStore):
    def put(self, key, data):
        result = super().put(key, data)
        os.kill(os.getpid(), signal.SIGKILL)

if task == "share":
    chance = random.Random(int(number))
    options = {"revalidate": "always", "max_objects": 6}
    with CachingStore(main, cache, **options) as store:
        for turn in range(150):
            key = f"key-{chance.randrange(10)}"
            if turn % 10 == 0:
                store.put(key, key.encode() * chance.randrange(1, 5000))
            else:
                try:
                    data = store.get(key)
                except KeyError:
                    continue
                if data != key.encode() * (len(data) // len(key)):
                    sys.exit(f"{key} is {data[:99]!r}")
        if store.stats.corrupt or store.stats.errors or not store.stats.hits:
            sys.exit(repr(store.stats))
else:
    with CachingStore(Deadly(place + "/main", durable=False), cache, plain=False) as store:
        store.put("a", b"new")
"""


def cache(place: Path, kind: str) -> Any:
    store = FilesystemStore if kind == "files" else SqliteStore
    return store(place / "cache", durable=False)


def start(place: Path, kind: str, task: str, number: int = 0) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", PROGRAM, str(place), kind, task, str(number)]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE)


@pytest.fixture(params=["files", "sqlite"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_two_processes_on_one_cache(kind: str, tmp_path: Path) -> None:
    children = [start(tmp_path, kind, "share", number) for number in range(2)]
    told = [child.communicate()[1].decode() for child in children]
    assert (told, [child.returncode for child in children]) == (["", ""], [0, 0])
    main = FilesystemStore(tmp_path / "main", durable=False)
    with cache(tmp_path, kind) as entries:
        assert 1 <= len(list(entries.keys())) <= 6 + 2 * 2
    with CachingStore(main, cache(tmp_path, kind), plain=False) as store:
        for key in list(main.keys()):
            assert store.get(key) == main.get(key)
        assert store.stats.corrupt == 0


def test_a_writer_that_is_killed_leaves_no_old_object_in_the_cache(
    kind: str, tmp_path: Path
) -> None:
    main = FilesystemStore(tmp_path / "main", durable=False)
    with CachingStore(main, cache(tmp_path, kind), plain=False) as store:
        store.put("a", b"old")
        assert (store.get("a"), store.stats.hits) == (b"old", 1)
    child = start(tmp_path, kind, "die")
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    main = FilesystemStore(tmp_path / "main", durable=False)
    with CachingStore(main, cache(tmp_path, kind), plain=False) as store:
        assert (store.get("a"), store.stats.misses) == (b"new", 1)
