"""Content types and metadata of files: beside the bytes, in no file of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import open_store
from storage._async.backends._files.attributes import NAME
from storage._core.urls import StoreURL
from storage.aiofs import AsyncFilesystemStore
from storage.object import Capability, NoSpace, NotSupported, PreconditionFailed
from tests.backends.files import FileStore, each_kind, listed, litter, needs_root, tree

PAIRS = {"by": "somebody", "été": "\ud800"}


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Path]:
    """A file system that keeps no attributes."""
    where = tmp_path / "plain"
    where.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "ramfs", where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


async def test_the_layout_stays_plain(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("a/b", b"value", content_type="text/plain", metadata=PAIRS)
    await store.put("c", b"value")
    assert tree(tmp_path) == {"a": None, "a/b": b"value", "c": b"value"}
    assert os.listxattr(tmp_path / "a" / "b") == [NAME]
    assert os.listxattr(tmp_path / "c") == []
    assert (await store.head("a/b")).metadata == PAIRS


@each_kind
async def test_attributes_come_with_conditions(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path)
    first = await store.put("k", b"v", if_absent=True, content_type="a/1")
    second = await store.put("k", b"v", if_match=first.etag, content_type="a/2")
    assert second.etag != first.etag
    with pytest.raises(PreconditionFailed):
        await store.put("k", b"v", if_match=first.etag, content_type="a/3")
    assert (await store.head("k")) == second
    copied = await store.copy("k", "l", if_absent=True)
    moved = await store.move("l", "m")
    assert [copied.content_type, moved.content_type] == ["a/2"] * 2
    assert moved == await store.head("m")
    assert litter(tmp_path) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[1, {}]", b"[]", b'["a/b", "c"]', b"\xff" * 9])
async def test_attributes_of_others_do_no_harm(tmp_path: Path, text: bytes) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("k", b"value", content_type="a/b")
    os.setxattr(tmp_path / "k", NAME, text)
    os.setxattr(tmp_path / "k", "user.other", b"x")
    data, info = await store.get_with_info("k")
    assert (data, info.content_type, info.metadata) == (b"value", None, {})


@pytest.mark.parametrize("length", [20_000, 100_000])
async def test_more_attributes_than_there_is_room_for(tmp_path: Path, length: int) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("k", b"old", content_type="a/b")
    for data in (b"new", [b"new"]):
        with pytest.raises(NoSpace, match="bytes of attributes"):
            await store.put("k", data, metadata={"x": "y" * length})
    assert (await store.head("k")).content_type == "a/b"
    assert tree(tmp_path) == {"k": b"old"}


async def test_attributes_may_be_refused(tmp_path: Path) -> None:
    with_them = AsyncFilesystemStore(tmp_path)
    await with_them.put("k", b"value", content_type="a/b")
    store = AsyncFilesystemStore.from_url(StoreURL.parse(f"file://{tmp_path}?attributes=no"))
    assert store.capabilities == ~Capability.ATTRIBUTES
    with pytest.raises(NotSupported):
        await store.put("k", b"value", content_type="a/b")
    assert (await store.head("k")).content_type is None
    assert (await store.head("k")).etag == (await with_them.head("k")).etag
    with open_store(f"file://{tmp_path}?attributes=no") as blocking:
        assert Capability.ATTRIBUTES not in blocking.capabilities


@needs_root
@each_kind
async def test_a_file_system_without_attributes(plain: Path, kind: type[FileStore]) -> None:
    store = kind(plain / "not" / "yet")
    assert Capability.ATTRIBUTES not in store.capabilities
    with pytest.raises(NotSupported):
        await store.put("k", b"value", content_type="a/b")
    await store.put("k", b"value", if_absent=True)
    await store.put("k", b"other")
    assert (await store.head("k")).content_type is None
    assert await store.get("k") == b"other"
    assert await listed(store) == ["k"]


@needs_root
async def test_a_file_system_that_was_changed_for_one_without(plain: Path) -> None:
    store = AsyncFilesystemStore(plain.parent)  # which has attributes
    await store.put("plain/k", b"old")
    for data in (b"new", [b"new"]):
        with pytest.raises(NotSupported, match="keeps no attributes"):
            await store.put("plain/k", data, content_type="a/b")
    assert tree(plain) == {"k": b"old"}
    assert (await store.head("plain/k")).metadata == {}


@needs_root
async def test_what_may_not_be_read_has_a_head_without_attributes(tmp_path: Path) -> None:
    root = Path("/dev/shm", tmp_path.name)
    root.mkdir(mode=0o755)
    store = AsyncFilesystemStore(root)
    try:
        await store.put("k", b"value", content_type="a/b")
        (root / "k").chmod(0)
        os.seteuid(65534)
        try:
            info = await store.head("k")
        finally:
            os.seteuid(0)
        assert (info.size, info.content_type, info.metadata) == (5, None, None)
    finally:
        await store.clear()
        root.rmdir()
