"""Symbolic links, pipes and other things that are no objects."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from storage._async.backends._files.straight import straight_opener
from storage.aiofs import AsyncFilesystemStore
from storage.object import AccessDenied, InvalidKey, ObjectNotFound
from tests.backends.files import FileStore, each_kind, listed, tree


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A root with links out of it, to a file and to a directory, and an object."""
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d" / "ok").write_bytes(b"mine")
    (root / "file").symlink_to("../secret")
    (root / "dir").symlink_to(tmp_path / "elsewhere")
    (root / "d" / "up").symlink_to("..")
    (root / "gone").symlink_to("nowhere")
    return tmp_path


LINKED = ["file", "dir", "dir/file", "d/up", "d/up/file", "d/up/d/ok", "gone", "dir/new", "gone/x"]


@pytest.mark.parametrize("key", LINKED)
async def test_no_link_is_followed(outside: Path, key: str) -> None:
    store = AsyncFilesystemStore(outside / "root")
    before = tree(outside)
    for call in (
        store.get(key),
        store.head(key),
        store.exists(key),
        store.put(key, b"evil"),
        store.put(key, [b"evil"]),
        store.put(key, b"evil", if_absent=True),
        store.delete(key),
        store.delete(key, missing_ok=True),
        store.copy(key, "new"),
        store.copy("d/ok", key),
        store.move(key, "new"),
        store.move("d/ok", key),
    ):
        with pytest.raises(AccessDenied, match="follow_symlinks=True"):
            await call
    assert tree(outside) == before


async def test_listings_leave_links_out_and_say_so(
    outside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = AsyncFilesystemStore(outside / "root")
    assert await listed(store) == ["d/ok"]
    assert [record.getMessage() for record in caplog.records] == [
        f"not listed in {outside}/root: 4 symbolic links"
    ]
    for prefix in ("dir/", "dir/f", "d/up/d/"):
        assert await listed(store, prefix) == []
    level = await store.list_with_delimiter()
    assert (level.prefixes, level.objects) == (("d/",), ())


async def test_links_are_followed_when_asked_for(
    outside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = AsyncFilesystemStore(outside / "root", follow_symlinks=True)
    assert await store.get("file") == b"secret"
    assert await store.get("d/up/dir/file") == b"secret"
    assert await listed(store) == ["d/ok", "dir/file", "file"]
    assert "1 files of another kind, 1 links to a directory above" in caplog.text
    assert not await store.exists("gone")
    await store.put("dir/new", b"new")
    assert (outside / "elsewhere" / "new").read_bytes() == b"new"


async def test_a_followed_link_is_replaced_and_moved_by_its_bytes(outside: Path) -> None:
    store = AsyncFilesystemStore(outside / "root", follow_symlinks=True)
    etag = (await store.head("file")).etag
    await store.move("file", "d/file")
    assert await store.get("d/file") == b"secret"
    assert not (outside / "root" / "d" / "file").is_symlink()
    (outside / "root" / "file").symlink_to("../secret")
    await store.put("file", b"new", if_match=etag)
    assert not (outside / "root" / "file").is_symlink()
    with pytest.raises(InvalidKey):
        await store.put("dir", b"new")
    assert (outside / "secret").read_bytes() == b"secret"
    assert (outside / "root" / "dir").is_symlink()


@each_kind
async def test_the_root_itself_may_be_a_link(tmp_path: Path, kind: type[FileStore]) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    store = kind(tmp_path / "root")
    await store.put("a/b", b"v")
    assert await listed(store) == ["a/b"]
    assert await store.get("a/b") == b"v"
    await store.delete("a/b")
    assert tree(tmp_path) == {"real": None, "root": "real"}


async def test_pipes_and_sockets_are_no_objects_and_block_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        store = AsyncFilesystemStore(tmp_path)
        with pytest.raises(ObjectNotFound):
            await store.get("pipe")
        for key in ("pipe", "socket"):
            assert not await store.exists(key)
            with pytest.raises(InvalidKey):
                await store.put(key, b"x")
            with pytest.raises(ObjectNotFound):
                await store.delete(key)
            with pytest.raises(ObjectNotFound):
                await store.move(key, "new")
        assert await listed(store) == []
        assert "2 files of another kind" in caplog.text
        assert sorted(tree(tmp_path)) == ["pipe", "socket"]


async def test_names_that_are_no_keys_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = os.fsencode(tmp_path)
    for name in (b"\xff", b"a\xffb", b"ok"):
        with open(root + b"/" + name, "wb"):
            pass
    os.makedirs(root + b"/\xfe/x")
    deep = root
    for _ in range(5):
        deep += b"/" + b"d" * 250
        os.mkdir(deep)
    (tmp_path / ("d" * 250) / "ok").touch()
    store = AsyncFilesystemStore(tmp_path)
    assert await listed(store) == ["d" * 250 + "/ok", "ok"]
    assert [info.key async for info in store.list()] == ["d" * 250 + "/ok", "ok"]
    assert "4 names that are no keys" in caplog.text


@pytest.mark.parametrize("linked", [False, True])
async def test_one_call_opens_a_file_where_the_way_to_the_root_has_no_link(
    outside: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    if straight_opener() is None:
        pytest.skip("this system cannot")
    root = outside / "root"
    if linked:
        (outside / "link").symlink_to("root")
        root = outside / "link"
    store, opened, real = AsyncFilesystemStore(root), [], os.open

    def spied(path: bytes, flags: int, *more: int, **options: int) -> int:
        opened.append(path)
        return real(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", spied)
    for _ in range(2):
        assert await store.get("d/ok") == b"mine"
        with pytest.raises(AccessDenied):
            await store.get("d/up/d/ok")
        with pytest.raises(ObjectNotFound):
            await store.get("d/missing")
    assert (b"ok" in opened) is linked
    assert store._objects.tree._straight is not linked
