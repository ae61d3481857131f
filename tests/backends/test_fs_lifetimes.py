"""Files that are over by themselves; the rules of all stores with lifetimes are in the kit."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage import open_store
from storage._async.backends._files import lifetimes
from storage._async.backends._files.tree import Tree
from storage.aiofs import AsyncFilesystemStore
from storage.fs import FilesystemStore, HashdirStore, SafeFilesystemStore
from storage.kv import KeyValueStore
from storage.object import (
    ConfigError,
    DictStore,
    InvalidKey,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SupportsTTL,
)
from storage.utils import sync_stores
from tests.backends.files import FileStore, each_kind, listed, litter, tree

Blocking = FilesystemStore | SafeFilesystemStore | HashdirStore
each_twin = pytest.mark.parametrize("kind", [FilesystemStore, SafeFilesystemStore, HashdirStore])


def ends(root: Path) -> dict[str, int]:
    """When the files of a store are over, by their names; the mark and the attribute agree."""
    found = {}
    for path in root.rglob("*"):
        if path.is_file():
            has = lifetimes.NAME in os.listxattr(path)
            assert bool(path.stat().st_mode & stat.S_ISVTX) == has
            if has:
                found[path.name] = int(os.getxattr(path, lifetimes.NAME))
    return found


def age(root: Path) -> None:
    """Have all lives end that do."""
    for path in root.rglob("*"):
        if path.is_file() and lifetimes.NAME in os.listxattr(path):
            os.setxattr(path, lifetimes.NAME, b"1000")


@each_twin
def test_views(tmp_path: Path, kind: type[Blocking]) -> None:
    with kind(tmp_path / "s", ttl=3600) as store:
        view: Any = store.with_ttl(None)
        assert type(view) is kind
        assert isinstance(view, SupportsTTL)
        view.put("ever", b"1")
        assert ends(tmp_path) == {}
        view.close()  # which closes nothing that others use
        store.put("a", b"2", content_type="text/x", metadata={"k": "v"})
        (end,) = ends(tmp_path).values()
        assert abs(end / 1000 - os.stat(tmp_path).st_ctime - 3600) < 60
        assert store.head("a").metadata == {"k": "v"}
        again = pickle.loads(pickle.dumps(store))
        again.put("b", b"3")
        assert len(ends(tmp_path)) == 2
    wrongs: list[Any] = [-1, "5", float("nan")]
    for wrong in wrongs:
        with pytest.raises(ConfigError):
            kind(tmp_path, ttl=wrong)


@pytest.mark.parametrize("scheme", ["file", "safe", "hashdir"])
def test_in_a_url(tmp_path: Path, scheme: str) -> None:
    with open_store(f"{scheme}://{tmp_path}?ttl=60") as store:
        store.put("a", b"1")
        assert len(ends(tmp_path)) == 1
        assert store.get("a") == b"1"


@each_twin
def test_a_put_says_anew(tmp_path: Path, kind: type[Blocking]) -> None:
    with kind(tmp_path, file_mode=0o640) as store:
        store.with_ttl(60).put("a", b"1")
        (path,) = (p for p in tmp_path.rglob("*") if p.stat().st_mode & stat.S_ISVTX)
        assert stat.S_IMODE(path.stat().st_mode) == 0o1640
        store.with_ttl(6_000).put("a", b"2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o1640
        store.put("a", b"3")
        assert ends(tmp_path) == {}
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


@each_twin
def test_what_is_over_goes_when_a_writer_meets_it(tmp_path: Path, kind: type[Blocking]) -> None:
    with kind(tmp_path) as store:
        short = store.with_ttl(3600)
        before = tree(tmp_path)

        def over(*keys: str) -> None:
            for key in keys:
                etag.append(short.put(key, b"old").etag)
            age(tmp_path)

        etag: list[Any] = []
        over("d/k")
        for attempt in (
            lambda: store.delete("d/k"),
            lambda: store.delete("d/k", if_match=etag[-1]),
            lambda: store.put("d/k", b"", if_match=etag[-1]),
            lambda: store.move("d/k", "x"),
            lambda: store.copy("d/k", "x"),
        ):
            with pytest.raises((ObjectNotFound, PreconditionFailed)):
                attempt()
            over("d/k")
        store.delete("d/k", missing_ok=True)
        assert tree(tmp_path) == before, "nothing of it is left, no directory and no key"
        over("d/k", "d/l")
        assert [key for key, _ in store.get_many(["d/k", "d/l"], missing_ok=True)] == []
        store.delete_many(["d/k", "d/l"])
        assert tree(tmp_path) == before
        over("d/k", "d/l", "d/m")
        store.put("d/k", b"new", if_absent=True)
        with pytest.raises(ObjectExists):
            store.put("d/k", b"newer", if_absent=True)
        store.copy("d/k", "d/l", if_absent=True)
        store.move("d/k", "d/m", if_absent=True)
        assert {key: store.get(key) for key in store.keys()} == {"d/l": b"new", "d/m": b"new"}
        assert ends(tmp_path) == {}
        assert litter(tmp_path) == []


def test_what_is_over_is_in_nobodys_way(tmp_path: Path) -> None:
    """A path may be a directory now, or a file."""
    with FilesystemStore(tmp_path) as store:
        short = store.with_ttl(3600)
        short.put("a", b"1")
        with pytest.raises(InvalidKey):
            store.put("a/b/c", b"2")
        age(tmp_path)
        short.put("a/b/c", b"2")
        store.put("x", b"3")
        with pytest.raises(InvalidKey):
            store.put("a", b"4")
        with pytest.raises(InvalidKey):
            store.move("x", "a")
        with pytest.raises(InvalidKey):
            store.put("x/y", b"4")
        age(tmp_path)
        store.move("x", "a")
        assert tree(tmp_path) == {"a": b"3"}
        short.put("d/e/f", b"5")
        store.put("d/g", b"6")
        age(tmp_path)
        with pytest.raises(InvalidKey):
            store.put("d", b"7")
        assert store.get("d/g") == b"6"


@each_twin
def test_readers_change_nothing(tmp_path: Path, kind: type[Blocking]) -> None:
    with kind(tmp_path) as store:
        store.with_ttl(3600).put("d/k", b"old")
        store.put("e/k", b"1")
        age(tmp_path)
        before = tree(tmp_path)
        assert not store.exists("d/k")
        for read in (store.get, store.head):
            with pytest.raises(ObjectNotFound):
                read("d/k")
        with pytest.raises(ObjectNotFound), store.open_reader("d/k"):
            pass
        with pytest.raises(ObjectNotFound):
            store.get_range("d/k", 0, 1)
        assert [info.key for info in store.list()] == list(store.keys()) == ["e/k"]
        assert store.list_with_delimiter().prefixes == ("e/",)
        assert tree(tmp_path) == before


@each_kind
async def test_another_process_begins_with_lifetimes(tmp_path: Path, kind: type[FileStore]) -> None:
    """A store that has listed before knows of them at the next listing."""
    store, other = kind(tmp_path), kind(tmp_path, ttl=0)
    await store.put("k", b"1")
    os.utime(tmp_path, (1, 1))
    assert await listed(store) == ["k"]
    await other.put("gone", b"2")
    assert await listed(store) == ["k"]


@each_twin
def test_a_sweep(tmp_path: Path, kind: type[Blocking]) -> None:
    with kind(tmp_path) as store:
        store.put_many({f"ever/{n}": b"" for n in range(3)})
        before = tree(tmp_path)
        short = store.with_ttl(3600)
        short.put_many({f"gone/{n}/k": b"" for n in range(5)})
        assert store.sweep() == 0
        age(tmp_path)
        short.put("lasts", b"")
        assert store.sweep() == 5
        store.delete("lasts")
        assert tree(tmp_path) == before


@each_twin
def test_nobody_removes_what_was_just_put(tmp_path: Path, kind: type[Blocking]) -> None:
    """Of many who find an object over, one creates it anew, and the others leave that alone."""
    with kind(tmp_path, durable=False) as store, ThreadPoolExecutor(6) as threads:
        gone = store.with_ttl(0)

        def attempt(number: int) -> int | None:
            try:
                if number % 3:
                    store.sweep()
                    return None
                store.put("d/k", b"%d" % number, if_absent=True)
            except ObjectExists:
                return None
            return number

        for _ in range(10):
            gone.put("d/k", b"over")
            (winner,) = [won for won in threads.map(attempt, range(12)) if won is not None]
            assert store.get("d/k") == b"%d" % winner
            assert ends(tmp_path) == {}


def test_permissions_set_anew(tmp_path: Path) -> None:
    """Then an object lives on, but not beyond the next sweep after its end."""
    with FilesystemStore(tmp_path) as store:
        store.with_ttl(3600).put_many({"a": b"1", "b": b"2"})
        for name in "ab":
            (tmp_path / name).chmod(0o644)
        os.setxattr(tmp_path / "b", lifetimes.NAME, b"1000")
        assert store.get("b") == b"2"
        assert store.sweep() == 1
        assert not (tmp_path / "b").exists()
        assert list(ends(tmp_path)) == ["a"], "the other one is marked again"


def test_copies_of_the_tree(tmp_path: Path) -> None:
    with FilesystemStore(tmp_path / "a") as store:
        store.with_ttl(3600).put("k", b"1")
        age(tmp_path)
    shutil.copytree(tmp_path / "a", tmp_path / "b")  # with attributes
    subprocess.run(["cp", "-r", tmp_path / "a", tmp_path / "c"], check=True)  # without
    with FilesystemStore(tmp_path / "b") as store:
        assert not list(store.keys())
    with FilesystemStore(tmp_path / "c") as store:
        assert store.get("k") == b"1"


def test_a_mark_that_means_nothing(tmp_path: Path) -> None:
    with FilesystemStore(tmp_path) as store:
        for name, text in (("a", None), ("b", b"soon")):
            (tmp_path / name).write_bytes(b"1")
            (tmp_path / name).chmod(0o1644)
            if text is not None:
                os.setxattr(tmp_path / name, lifetimes.NAME, text)
        assert [store.get(key) for key in store.keys()] == [b"1", b"1"]
        assert store.sweep() == 0


def test_without_attributes_they_are_refused(tmp_path: Path) -> None:
    """Before anything is written; ``/proc`` knows no attributes."""
    with pytest.raises(NotSupported):
        FilesystemStore("/proc/storage", ttl=5).put("k", b"1")
    root = tmp_path / "root"
    store = AsyncFilesystemStore(root, ttl=5)
    store._objects.tree.lifetimes.able = False
    with FilesystemStore.around(store) as twin:
        for data in (b"1", iter([b"1"])):
            with pytest.raises(NotSupported):
                twin.put("k", data)
    assert not root.exists()


def test_it_is_known_durably_that_there_are_lifetimes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root says so on the disk before the first file has an end; later puts sync no more."""
    synced, whole = [], []
    sync = os.fsync

    def spy(file: int) -> None:
        mode, kept = os.fstat(file).st_mode, os.listxattr(file)
        synced.append((os.readlink(f"/proc/self/fd/{file}"), lifetimes.IN_USE in kept))
        if stat.S_ISREG(mode):
            whole.append(bool(mode & stat.S_ISVTX) and lifetimes.NAME in kept)
        sync(file)

    with FilesystemStore(tmp_path) as store:
        store.put("d/k", b"")
        monkeypatch.setattr(os, "fsync", spy)
        store.with_ttl(5).put("d/k", b"1")
        assert synced[0] == (str(tmp_path), True)
        store.with_ttl(5).put("d/k", b"1")
        assert [name for name, _ in synced].count(str(tmp_path)) == 1
        assert whole == [True, True], "a file is synced with its end"
        os.removexattr(tmp_path, lifetimes.IN_USE)  # as a copy without attributes
        store.with_ttl(0).put("d/k", b"1")
        assert not list(store.keys())


def test_key_value_stores(tmp_path: Path) -> None:
    with FilesystemStore(tmp_path) as store:
        values: Any = KeyValueStore(store)
        assert values.ttl_support
        values.put("a", b"1", ttl_secs=0)
        values.put("b", b"2", ttl_secs=60)
        values.put("c", b"3")
        assert sorted(values.keys()) == ["b", "c"]
        assert list(ends(tmp_path)).count("b") == 1


def test_a_sync_carries_no_lifetimes(tmp_path: Path) -> None:
    with (
        FilesystemStore(tmp_path / "a", ttl=60) as source,
        HashdirStore(tmp_path / "b") as target,
        DictStore() as memory,
    ):
        source.put("k", b"1")
        for store in (target, memory):
            assert sync_stores(source, store).copied == 1
        assert ends(tmp_path / "b") == {}
        with FilesystemStore(tmp_path / "c", ttl=60) as short:
            assert sync_stores(memory, short).copied == 1
        assert list(ends(tmp_path / "c")) == ["k"]


def test_a_rehash_keeps_ends(tmp_path: Path) -> None:
    with HashdirStore(tmp_path, 2, 2, ttl=3600) as store:
        store.put("a", b"1")
        (end,) = ends(tmp_path).values()
        store.rehash(1, 1)
    with HashdirStore(tmp_path, 1, 1) as store:
        assert store.get("a") == b"1"
        assert list(ends(tmp_path).values()) == [end]
        age(tmp_path)
        assert store.sweep() == 1
        assert tree(tmp_path) == {}


def test_what_follows_no_change_is_not_asked_for(tmp_path: Path) -> None:
    """A root that has been the same for a while is not asked again."""
    root = Tree(os.fsencode(tmp_path), follow=False, durable=False, ends=True)
    found = os.stat(tmp_path)
    assert not root.lifetimes.are_there(found)
    root.lifetimes._without = found.st_dev, found.st_ino, found.st_ctime_ns
    assert not root.lifetimes.are_there(found)
    root.lifetimes.announce(False)
    assert root.lifetimes.are_there(os.stat(tmp_path))
