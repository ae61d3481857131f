"""Sweeping up after killed writers, and moving objects between settings of hashed directories."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from storage._async.backends._files.hashed import HashLayout
from storage._async.backends._files.rehashing import Rehash
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore, AsyncSafeFilesystemStore
from storage.fs import FilesystemStore, HashdirStore
from storage.object import ConfigError, ObjectNotFound, StoreClosed, StoreNotFound
from tests.backends.files import FileStore, each_kind, litter, python, tree

DAY = 86_400


def aged(path: Path, seconds: float) -> Path:
    """Make a file as old as that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    now = path.stat().st_mtime
    os.utime(path, (now - seconds, now - seconds))
    return path


def left(number: int) -> str:
    return f".storage-tmp-{number:016x}"


@each_kind
async def test_a_sweep_takes_what_is_old_and_nobodys(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path)
    await store.put("d/k", b"value")
    old = aged(tmp_path / "some" / "where" / left(1), 2 * DAY)
    aged(tmp_path / left(2), 2 * DAY)
    young = aged(tmp_path / "some" / left(3), 0.5 * DAY)
    (tmp_path / "empty").mkdir()
    foreign = aged(tmp_path / "private.key", 2 * DAY)
    assert await store.sweep() == 2
    assert not old.parent.exists(), "a directory that held nothing else goes along"
    assert young.exists()
    assert foreign.exists()
    assert (tmp_path / "empty").exists()
    assert await store.sweep() == 0
    assert await store.sweep(older_than=0.1 * DAY) == 1
    assert await store.get("d/k") == b"value"


@each_kind
async def test_a_sweep_leaves_what_is_being_written(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path)
    async with store.open_writer("slow/k") as writer:
        await writer.write(bytes(700_000))
        (name,) = litter(tmp_path)
        aged(tmp_path / name, 9 * DAY)
        assert await kind(tmp_path).sweep(older_than=0) == 0
        await writer.write(b"end")
    assert (await store.head("slow/k")).size == 700_003


DYING = """
import os, signal, sys
from storage.fs import FilesystemStore
with FilesystemStore(sys.argv[1]).open_writer("k", if_absent=len(sys.argv) > 2) as writer:
    writer.write(bytes(700_000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_leaves_is_swept(tmp_path: Path) -> None:
    python(DYING, tmp_path).communicate(timeout=60)
    assert len(litter(tmp_path)) == 1
    assert FilesystemStore(tmp_path).sweep(older_than=0) == 1
    assert tree(tmp_path) == {}


def test_a_killed_writer_of_a_new_object_leaves_nothing(tmp_path: Path) -> None:
    python(DYING, tmp_path, "new").communicate(timeout=60)
    assert tree(tmp_path) == {}


async def test_a_sweep_does_not_follow_links(tmp_path: Path) -> None:
    outside = aged(tmp_path / "outside" / left(1), 2 * DAY)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside.parent)
    (root / left(2)).symlink_to(outside)
    assert await AsyncFilesystemStore(root, follow_symlinks=True).sweep(older_than=0) == 0
    assert outside.exists()


async def test_a_sweep_takes_keys_without_objects(tmp_path: Path) -> None:
    store, other = AsyncHashdirStore(tmp_path), AsyncHashdirStore(tmp_path, 1, 1)
    for each in (store, other):
        for key in ("kept", "lost"):
            await each.put(key, b"v")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.read_bytes() == b"lost":
            path.with_suffix("").unlink()
            aged(path, 2 * DAY)
    assert await store.sweep() == 2
    names = [value for value in tree(tmp_path).values() if value is not None]
    assert sorted(names, key=str) == [b"kept", b"kept", b"v", b"v"]


@each_kind
async def test_what_cannot_be_swept(tmp_path: Path, kind: type[FileStore]) -> None:
    with pytest.raises(StoreNotFound):
        await kind(tmp_path / "missing").sweep()
    store = kind(tmp_path)
    with pytest.raises(ConfigError, match="number of seconds"):
        await store.sweep(older_than=-1)
    await store.aclose()
    with pytest.raises(StoreClosed):
        await store.sweep()


CUTS = [(2, 3), (1, 1), (64, 0), (9, 7), (3, 21)]


@pytest.mark.parametrize(("old", "new"), list(product(CUTS, CUTS)))
def test_objects_move_between_all_settings(
    tmp_path: Path, old: tuple[int, int], new: tuple[int, int]
) -> None:
    before = HashdirStore(tmp_path, *old, durable=False)
    objects = {f"key {number}/é": b"%d" % number for number in range(4)}
    before.put_many(objects)
    infos = {key: replace(before.head(key), etag=None) for key in objects}
    assert before.rehash(*new) == (len(objects) if old != new else 0)
    after = HashdirStore(tmp_path, *new, durable=False)
    assert sorted(after.keys()) == sorted(objects)
    # An etag tells of any change of a file, another name too.
    assert {key: replace(after.head(key), etag=None) for key in objects} == infos
    assert list(before.keys()) == (list(after.keys()) if old == new else [])
    assert after.rehash(*new) == 0
    after.clear()
    assert tree(tmp_path) == {}


def test_objects_of_amplify_and_of_several_settings_move(tmp_path: Path) -> None:
    digest = sha256(b"theirs").hexdigest()
    path = tmp_path / digest[:2] / digest[2:4] / digest[4:6] / digest[6:]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"amplify")
    (tmp_path / "readme").write_bytes(b"")
    for number, cut in enumerate(CUTS):
        HashdirStore(tmp_path, *cut).put(f"{number}", b"v")
    assert HashdirStore(tmp_path).rehash(4, 1) == 6
    after = HashdirStore(tmp_path, 4, 1)
    assert after.get("theirs") == b"amplify"
    assert sorted(after.keys()) == ["0", "1", "2", "3", "4"]
    assert len([value for value in tree(tmp_path).values() if value is not None]) == 12


@pytest.mark.parametrize("first", [(2, 3), (1, 1)])
def test_the_newer_of_two_objects_stays(tmp_path: Path, first: tuple[int, int]) -> None:
    both = [HashdirStore(tmp_path, *cut) for cut in ((2, 3), (1, 1))]
    if first == (1, 1):
        both.reverse()
    for number, store in enumerate(both):
        store.put("k", b"%d" % number)
    both[0].rehash(1, 1)
    after = HashdirStore(tmp_path, 1, 1)
    assert (after.get("k"), list(after.keys())) == (b"1", ["k"])
    assert len([value for value in tree(tmp_path).values() if value is not None]) == 2


def test_readers_find_every_object_while_they_move(tmp_path: Path) -> None:
    stores = [HashdirStore(tmp_path, *cut, durable=False) for cut in ((2, 3), (1, 1))]
    keys = [f"k{number}" for number in range(60)]
    stores[0].put_many({key: key.encode() for key in keys})
    begun, ended = threading.Event(), threading.Event()
    rounds: list[int] = []

    def value(key: str) -> bytes:
        for store in (*stores, *stores):  # in the old place, else in the new one by now
            try:
                return store.get(key)
            except ObjectNotFound:
                continue
        raise AssertionError(f"{key} is nowhere")

    def read() -> None:
        while not ended.is_set():
            for key in keys[:: 1 + len(rounds) % 7]:
                assert value(key) == key.encode()
            rounds.append(1)
            begun.set()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    begun.wait()
    cuts = [(1, 1), (2, 3)] * 2 + [(1, 1)]
    moved = [stores[0].rehash(*cut) for cut in cuts]
    ended.set()
    for reader in readers:
        reader.join()
    assert moved == [60] * 5
    assert len(rounds) > 2


def test_a_rehash_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage._async.backends._files.rehashing.BATCH", 20)
    store = HashdirStore(tmp_path, durable=False)
    store.put_many({f"{number}": b"v" for number in range(70)})
    tree_, steps = store._async._objects.tree, 0
    for moved in Rehash(tree_, HashLayout(1, 2)):
        steps += moved
        if moved:
            break
    assert steps == 20
    assert store.rehash(1, 2) == 50
    assert len(list(HashdirStore(tmp_path, 1, 2).keys())) == 70


@pytest.mark.parametrize(("width", "depth"), [(0, 3), (2, 32), (64, 1)])
async def test_settings_that_cannot_be(tmp_path: Path, width: int, depth: int) -> None:
    with pytest.raises(ConfigError, match="64 characters"):
        await AsyncHashdirStore(tmp_path).rehash(width, depth)


async def test_safe_names_are_nobodys_keys(tmp_path: Path) -> None:
    store = AsyncSafeFilesystemStore(tmp_path)
    await store.put(left(1), b"v")
    (path,) = tmp_path.iterdir()
    aged(path, 2 * DAY)
    assert await store.sweep() == 0
    assert await store.get(left(1)) == b"v"
