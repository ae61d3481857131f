"""Which keys a plain layout takes, and that none ever leads out of the root."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core import calls
from storage.aiofs import AsyncFilesystemStore
from storage.object import BulkError, InvalidKey, ObjectExists, ObjectNotFound, StoreNotFound
from tests.backends.files import KINDS, FileStore, each_kind, listed, litter, tree

HOSTILE = [
    "../x", "..", ".", "a/../../x", "a/..", "./a", "a/.", "/etc/passwd", "/", "//", "a//b", "a/",
    "/a", "x" * 256, "é" * 128, "a/" + "x" * 256, ".storage-tmp-1", "a/.Storage-TMP-x", "..\n/../x",
]  # fmt: skip
REFUSED_BY_ALL = ["", "a\0b", "\ud800", "k" * 1025, "../" * 400]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory with a store's root in it, and things that a hostile key might reach."""
    (tmp_path / "x").write_bytes(b"precious")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"precious")
    return tmp_path


@pytest.mark.parametrize("key", HOSTILE + REFUSED_BY_ALL)
async def test_a_hostile_key_is_refused_before_anything_is_touched(outside: Path, key: str) -> None:
    store = AsyncFilesystemStore(outside / "root")
    before = tree(outside)
    with pytest.raises(InvalidKey):
        await store.put(key, b"evil")
    with pytest.raises(InvalidKey):
        await store.put(key, [b"evil"])
    for call in (store.get, store.head, store.exists, store.delete):
        with pytest.raises(InvalidKey):
            await call(key)
    for source, target in ((key, "ok"), ("ok", key)):
        with pytest.raises(InvalidKey):
            await store.copy(source, target)
        with pytest.raises(InvalidKey):
            await store.move(source, target)
    assert tree(outside) == before


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_the_other_layouts_keep_hostile_keys_inside(
    outside: Path, kind: type[FileStore]
) -> None:
    before = tree(outside)
    store = kind(outside / "root")
    for key in HOSTILE:
        await store.put(key, key.encode())
    assert sorted(await listed(store)) == sorted(HOSTILE)
    for key in HOSTILE:
        assert await store.get(key) == key.encode()
    after = tree(outside)
    assert {name: after[name] for name in after if not name.startswith("root")} == before
    for key in REFUSED_BY_ALL:
        with pytest.raises(InvalidKey):
            await store.put(key, b"evil")


@pytest.mark.parametrize("prefix", ["../", "../x", "/", "a//", "\0/", "\ud800", "x" * 300 + "/"])
async def test_a_hostile_prefix_lists_nothing(outside: Path, prefix: str) -> None:
    store = AsyncFilesystemStore(outside / "root")
    await store.put("a/x", b"")
    assert await listed(store, prefix) == []
    assert (await store.list_with_delimiter(prefix)).objects == ()


async def test_keys_that_only_look_hostile_are_taken(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    keys = sorted(
        ["...", ".a", "a..", "..a/b..", "~", "C:\\x", "%2e%2e", "é", "\n", " ", "x" * 255]
    )
    for key in keys:
        await store.put(key, key.encode())
    assert await listed(store) == keys
    assert (tmp_path / "..a" / "b..").read_bytes() == b"..a/b.."


keys_of_any_kind = st.text(min_size=1, max_size=400).filter(
    lambda key: "\0" not in key and len(key.encode(errors="replace")) <= 1024
)


@settings(max_examples=150)
@given(key=keys_of_any_kind | st.lists(st.sampled_from("ab./ é"), min_size=1).map("".join))
def test_any_key_is_kept_exactly_or_refused_before_anything_is_touched(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    for kind in KINDS:
        around = tmp_path_factory.mktemp("around")
        store = kind(around / "root", durable=False)
        try:
            calls.drive(store.put(key, b"value"))
        except InvalidKey:
            assert kind is AsyncFilesystemStore or not key.isprintable()
            assert tree(around) == {}
            continue
        assert calls.drive(store.get(key)) == b"value"
        assert list(calls.drive_iterator(store.keys())) == [key]
        assert [path.name for path in around.iterdir()] == ["root"]
        calls.drive(store.delete(key))
        assert tree(around) == {"root": None}


async def test_an_object_and_a_key_below_it_cannot_both_be(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("a", b"old")
    for key in ("a/b", "a/b/c"):
        with pytest.raises(InvalidKey, match="plain files cannot hold both"):
            await store.put(key, b"new")
        with pytest.raises(InvalidKey):
            await store.copy("a", key)
        with pytest.raises(InvalidKey):
            await store.move("a", key)
        assert not await store.exists(key)
        with pytest.raises(ObjectNotFound):
            await store.get(key)
        await store.delete(key, missing_ok=True)
    await store.put("d/e/f", b"old")
    for key in ("d", "d/e"):
        for if_absent in (False, True):
            with pytest.raises(InvalidKey, match="objects below"):
                await store.put(key, b"new", if_absent=if_absent)
        with pytest.raises(ObjectNotFound):
            await store.get(key)
        with pytest.raises(ObjectNotFound):
            await store.delete(key)
        with pytest.raises(ObjectNotFound):
            await store.move(key, "elsewhere")
    assert tree(tmp_path) == {"a": b"old", "d": None, "d/e": None, "d/e/f": b"old"}


async def test_empty_directories_never_block_a_key(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("a/b/c", b"1")
    await store.delete("a/b/c")
    assert tree(tmp_path) == {}
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "d").mkdir(parents=True)
    await store.put("a", b"2")
    (tmp_path / "e" / "f").mkdir(parents=True)
    await store.put("e", b"3", if_absent=True)
    (tmp_path / "g").mkdir()
    await store.move("e", "g")
    assert tree(tmp_path) == {"a": b"2", "g": b"3"}
    await store.move("g", "x/y/z")
    await store.move("x/y/z", "g")
    assert tree(tmp_path) == {"a": b"2", "g": b"3"}


@each_kind
async def test_a_missing_root_is_an_error_and_the_first_put_makes_it(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path / "not" / "yet")
    for call in (store.get, store.head, store.exists, store.delete):
        with pytest.raises(StoreNotFound):
            await call("k")
    with pytest.raises(StoreNotFound):
        await store.delete("k", missing_ok=True)
    for start in ("", "k", "k/", "k/k"):
        with pytest.raises(StoreNotFound):
            await listed(store, start)
    with pytest.raises(StoreNotFound):
        await store.list_with_delimiter()
    with pytest.raises(StoreNotFound):
        await store.copy("k", "l")
    with pytest.raises(StoreNotFound):
        await store.move("k", "l")
    assert tree(tmp_path) == {}
    await store.put("k", b"v")
    assert await store.get("k") == b"v"


@each_kind
async def test_a_root_that_is_a_file_is_no_store(tmp_path: Path, kind: type[FileStore]) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    store = kind(tmp_path / "file")
    for call in (store.get("k"), store.put("k", b""), store.delete("k"), listed(store)):
        with pytest.raises(StoreNotFound, match="no directory"):
            await call
    assert (tmp_path / "file").read_bytes() == b"mine"


@each_kind
async def test_modes_follow_the_umask_and_a_private_file_stays_private(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path)
    old = os.umask(0o027)
    try:
        await store.put("k/l", b"1")
    finally:
        os.umask(old)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    await store.put("k/l", b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ObjectExists):
        await store.put("k/l", b"3", if_absent=True)
    assert litter(tmp_path) == []


@each_kind
async def test_many_deletes_say_what_became_of_each(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path / "root")
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a"])
    assert isinstance(caught.value.errors["a"], StoreNotFound)
    keys = [f"{number % 3}/{number % 7}/{number}" for number in range(300)]
    relaxed = kind(tmp_path / "root", durable=False)
    await relaxed.put_many((key, b"v") for key in [*keys, "kept/k"])
    assert await store.delete_many(keys[:10]) == 10
    assert await store.delete_many(["absent", "a/b/absent"]) == 2
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["absent", *keys, "\0"], missing_ok=False)
    assert sorted(caught.value.errors) == sorted(["absent", *keys[:10], "\0"])
    assert isinstance(caught.value.errors["absent"], ObjectNotFound)
    assert f"delete 'absent' in {store!r}: " in str(caught.value.errors["absent"])
    assert isinstance(caught.value.errors["\0"], InvalidKey)
    assert await listed(store) == ["kept/k"]
    assert len([path for path in (tmp_path / "root").rglob("*") if path.is_file()]) <= 2


@each_kind
async def test_a_relative_root_is_where_the_process_is(
    tmp_path: Path, kind: type[FileStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for root in ("relative", "./deep/er/", Path("path") / "like", "~"):
        store = kind(root)
        await store.put("a/b", b"v")
        assert await listed(store) == ["a/b"]
        assert await store.get("a/b") == b"v"
    assert {name for name in tree(tmp_path) if "/" not in name} == {"relative", "deep", "path", "~"}
