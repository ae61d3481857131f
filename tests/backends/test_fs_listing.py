"""Listings: order, prefixes, starts, and what happens while one is under way."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from storage._core import calls
from storage._core.closing import closing
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from storage.object import StoreUnavailable
from tests.backends.files import ANY_KEY, FileStore, descriptors, each_kind, listed

NASTY = [
    "a", "a-b", "a.b", "a0", "a!", "A", "a b", "aa", "b/c", "b-c", "b.c/d", "b0", "b/c-d/e",
    "b/c.d", "b/cc", "é", "e\u0301", "\U0001f600/x", "\uffee", "z/\U0001f600", "z/\uffee", "~",
    "long/" + "x" * 200 + "/" + "y" * 200, "long/" + "x" * 200 + "-",
]  # fmt: skip
BELOW = ["a/b", "a/", "a//b", "/a", "k" * 155, "k" * 156, "k" * 154 + "é", "k" * 310, "k" * 311]


async def filled(kind: type[FileStore], root: Path) -> tuple[FileStore, list[str]]:
    """A store with keys whose order is easy to get wrong."""
    store = kind(root, durable=False)
    keys = NASTY + (BELOW if kind in ANY_KEY else [])
    random.Random(1).shuffle(keys)
    for key in keys:
        await store.put(key, key.encode())
    return store, sorted(keys, key=str.encode)


@each_kind
async def test_listings_are_in_byte_order(tmp_path: Path, kind: type[FileStore]) -> None:
    store, keys = await filled(kind, tmp_path)
    found = await listed(store)
    infos = [info async for info in store.list()]
    if kind is AsyncHashdirStore:
        found.sort(key=str.encode)
        infos.sort(key=lambda info: info.key.encode())
    assert found == keys
    # To tell attributes, each file would have to be opened.
    assert infos == [replace(await store.head(key), metadata=None) for key in keys]
    assert [info.size for info in infos] == [len(key.encode()) for key in keys]


@each_kind
async def test_prefixes_and_starts_are_exact(tmp_path: Path, kind: type[FileStore]) -> None:
    store, keys = await filled(kind, tmp_path)
    cuts = {key[:n] for key in keys for n in (1, 2, 3, len(key) - 1, len(key))}
    prefixes = sorted(cuts | {"", "b/", "c/", "long/" + "x" * 200 + "/", "k" * 157, "zz/zz/"})
    for prefix in prefixes:
        expected = [key for key in keys if key.startswith(prefix)]
        assert sorted(await listed(store, prefix), key=str.encode) == expected, prefix
    for prefix in ("", "a", "b/", "k"):
        for start in [*prefixes, "\ud800", "\uffff", "\U0010ffff"]:
            expected = [key for key in keys if key.startswith(prefix) and key > start]
            found = await listed(store, prefix, start)
            assert sorted(found, key=str.encode) == expected, (prefix, start)


@each_kind
async def test_one_level_is_what_the_whole_listing_says(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store, keys = await filled(kind, tmp_path)
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / ".storage-tmp-1").touch()
    for prefix in ("", "a", "a/", "b", "b/", "b/c", "b/c-d/", "long/", "nothing/"):
        level = await store.list_with_delimiter(prefix)
        rests = [key[len(prefix) :] for key in keys if key.startswith(prefix)]
        dirs = {prefix + rest.partition("/")[0] + "/" for rest in rests if "/" in rest}
        assert list(level.prefixes) == sorted(dirs)
        assert [info.key for info in level.objects] == [prefix + r for r in rests if "/" not in r]


@each_kind
async def test_a_listing_holds_nothing_open(tmp_path: Path, kind: type[FileStore]) -> None:
    store, _ = await filled(kind, tmp_path)
    before = descriptors()
    listings = [store.list() for _ in range(20)]
    for listing in listings:
        await anext(listing)
        assert descriptors() == before
    for listing in listings:
        async with closing(listing):
            pass
    assert descriptors() == before


async def test_large_directories_come_whole_while_files_go(tmp_path: Path) -> None:
    names = [f"{number:05}" for number in range(3000)]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * int(name))
    store = AsyncFilesystemStore(tmp_path)
    seen: list[tuple[str, int | None]] = []
    async for info in store.list():
        if not seen:
            for name in names[-200:]:
                (tmp_path / name).unlink()
        seen.append((info.key, info.size))
    assert seen[:2800] == [(name, int(name)) for name in names[:-200]]
    assert set(seen[2800:]) < {(name, int(name)) for name in names}


async def test_directories_that_vanish_are_left_out_but_a_vanished_root_is_an_error(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    for name in "abxz":
        (root / name).mkdir(parents=True)
        for number in range(600):
            (root / name / f"{number:03}").touch()
    store = AsyncFilesystemStore(root)
    listing = store.keys()
    assert await anext(listing) == "a/000"
    for number in range(600):
        (root / "x" / f"{number:03}").unlink()
    (root / "x").rmdir()
    rest = [key async for key in listing]
    assert len(rest) == 3 * 600 - 1
    listing = store.keys()
    await anext(listing)
    root.rename(tmp_path / "unmounted")
    root.mkdir()
    with pytest.raises(StoreUnavailable, match="replaced"):
        _ = [key async for key in listing]


@each_kind
def test_blocking_callers_list_in_place(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path)
    for key in NASTY:
        calls.drive(store.put(key, b""))
    assert sorted(calls.drive_iterator(store.keys())) == sorted(NASTY)


@pytest.mark.parametrize("listed", [1, 1500])
async def test_a_flat_root_that_is_replaced_while_it_is_listed_is_an_error(
    tmp_path: Path, listed: int
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(3000):
        (root / f"{number:04}").touch()
    listing = AsyncFilesystemStore(root).list()
    for _ in range(listed):
        await anext(listing)
    root.rename(tmp_path / "unmounted")
    root.mkdir()
    with pytest.raises(StoreUnavailable, match="replaced"):
        async for _ in listing:
            pass
