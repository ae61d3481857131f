"""File systems that take ``A`` for ``a``: no key's change ever touches another key."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import async_sync_stores
from storage.object import AsyncDictStore, InvalidKey, ObjectNotFound, SyncError
from tests.backends.files import ANY_KEY, FileStore, each_kind, listed, litter, needs_root

KEYS = ["a", "A", "dir/x", "DIR/x", "Dir/y", "dir/X", "é", "e\u0301"]


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Path]:
    pytest.importorskip("mfusepy", reason="file systems in user space need mfusepy and libfuse")
    real, where = tmp_path / "real", tmp_path / "folding"
    real.mkdir()
    where.mkdir()
    program = Path(__file__).with_name("folding.py")
    with subprocess.Popen([sys.executable, program, real, where]) as server:
        while not where.is_mount():
            assert server.poll() is None
            time.sleep(0.01)
        try:
            yield where
        finally:
            subprocess.run(["umount", where], check=True)


@needs_root
async def test_a_plain_key_is_refused_where_another_one_stands(folding: Path) -> None:
    store = AsyncFilesystemStore(folding / "root")
    taken = ["a", "dir/x", "é"]
    for key in KEYS:
        if key in taken:
            await store.put(key, key.encode())
            await store.put(key, key.encode())
            continue
        for if_absent in (False, True):
            with pytest.raises(InvalidKey, match="takes the key for another one"):
                await store.put(key, b"evil", if_absent=if_absent)
        with pytest.raises(InvalidKey):
            await store.copy("a", key)
        with pytest.raises(InvalidKey):
            await store.move("a", key)
        with pytest.raises(ObjectNotFound):
            await store.delete(key)
        with pytest.raises(ObjectNotFound):
            await store.move(key, "new")
    assert await listed(store) == taken
    assert [await store.get(key) for key in taken] == [key.encode() for key in taken]
    assert litter(folding) == []


@needs_root
@pytest.mark.parametrize("kind", ANY_KEY)
async def test_the_other_layouts_keep_all_of_them(folding: Path, kind: type[FileStore]) -> None:
    store = kind(folding / "root")
    for key in KEYS:
        await store.put(key, key.encode(), if_absent=True)
    assert sorted(await listed(store)) == sorted(KEYS)
    assert [await store.get(key) for key in KEYS] == [key.encode() for key in KEYS]
    await store.clear()
    assert await listed(store) == []


@each_kind
async def test_an_ordinary_file_system_is_known_as_one(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path)
    for key in KEYS:
        await store.put(key, key.encode())
    assert store._objects.tree.folds is False
    # A file system that turns out to tell names apart costs time, but nothing else.
    store._objects.tree.folds = True
    for key in KEYS:
        await store.put(key, b"again")
        await store.delete(key)
    assert await listed(store) == []
    assert litter(tmp_path) == []


@needs_root
async def test_a_sync_never_lets_two_keys_share_a_file(folding: Path) -> None:
    source, target = AsyncDictStore(), AsyncFilesystemStore(folding / "root")
    await target.put("surplus", b"x")
    for key in KEYS:
        await source.put(key, key.encode())
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, delete=True)
    report = caught.value.report
    kept = await listed(target)
    assert (report.copied, report.failed, report.deleted) == (3, 5, 0)
    assert "surplus" in kept
    assert [await target.get(key) for key in kept] == [
        b"x" if key == "surplus" else key.encode() for key in kept
    ]
