"""Chores of zip stores: check, vacuum."""

from __future__ import annotations

import asyncio
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip import checking, volume
from storage._async.backends._zip.journal import Journal
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import CorruptStore, ObjectExists, StoreClosed, StoreNotFound
from storage.zip import ZipStore

from .zips import contents, drive, make, opened, unpacked


def flip(path: Path, old: bytes) -> None:
    """Damage the first byte of what stands in the file."""
    data = bytearray(path.read_bytes())
    data[data.index(old)] ^= 255
    path.write_bytes(data)


def test_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.zip"
    make(path, {f"k{n}": b"%d" % n * 50 for n in range(200)} | {"b": b"findme"}, 0)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("odd", b"1" * 900, zipfile.ZIP_BZIP2)
    with ZipStore(path) as store:
        store.put("new", b"2" * 1000)
        report = store.check()
        assert report.sound
        assert (report.objects, report.damaged, report.unread) == (203, (), ("odd",))
        assert report.size == sum(info.size or 0 for info in store.list())
    flip(path, b"findme")
    flip(path, b"199" * 50)
    with opened(path) as again:
        assert drive(again.check()).damaged == ("b", "k199")
        monkeypatch.setattr(checking, "NAMED", 1)
        assert drive(again.check()).damaged == ("b",)
    flip(path, b"PK\1\2")
    with pytest.raises(CorruptStore):
        drive(AsyncZipStore(path).check())
    with pytest.raises(StoreNotFound):
        drive(AsyncZipStore(tmp_path / "none.zip").check())


async def test_a_check_lets_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be cancelled, ends when the store is closed, and leaves out what goes meanwhile."""
    monkeypatch.setattr(checking, "PACE", 1)
    async with AsyncZipStore(tmp_path / "x.zip") as store:
        for number in range(300):
            await store.put(f"k{number:03}", b"1")
        checks = [asyncio.create_task(store.check()) for _ in range(3)]
        await asyncio.sleep(0)
        await store.delete("k299")
        checks[0].cancel()
        reports = await asyncio.gather(*checks, return_exceptions=True)
        assert isinstance(reports[0], asyncio.CancelledError)
        assert [getattr(report, "objects", 0) for report in reports[1:]] == [299, 299]
        late = asyncio.create_task(store.check())
        await asyncio.sleep(0)
    with pytest.raises(StoreClosed):
        await late


def test_vacuum(tmp_path: Path) -> None:
    """What other programs leave of what they replaced goes; all that is an object stays."""
    path, data = tmp_path / "x.zip", os.urandom(50_000)
    make(path, {"a": data, "b": b"2"}, 0)
    with zipfile.ZipFile(path, "a") as archive:
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"new")
        archive.comment = b"a comment"
    before = path.stat().st_size
    with ZipStore(path) as store:
        with pytest.warns(UserWarning, match="are there twice"):
            assert store.vacuum() == before - path.stat().st_size > 50_000
        assert unpacked(path) == {"a": b"new", "b": b"2"}
        assert store.vacuum() == 0
        store.put("c", data)
        store.delete("c")
        assert store.vacuum() > 50_000  # the journal, too
        assert os.listdir(tmp_path) == ["x.zip"]
        store.put("d", b"4")
        assert store.vacuum() >= 0
        assert unpacked(path) == {"a": b"new", "b": b"2", "d": b"4"}
    with zipfile.ZipFile(path) as archive:
        assert archive.comment == b"a comment"
    with opened(tmp_path / "none.zip") as missing, pytest.raises(StoreNotFound):
        drive(missing.vacuum())
    assert os.listdir(tmp_path) == ["x.zip"]


def test_vacuum_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.zip").touch()
    with opened(tmp_path / "x.zip") as store:
        assert drive(store.vacuum()) == 0
        assert contents(store) == {}
    assert unpacked(tmp_path / "x.zip") == {}


@pytest.mark.parametrize("fails", [False, True])
def test_a_long_stream_goes_straight_into_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setattr(volume, "JOURNAL_SIZE", 100_000)
    path, noise = tmp_path / "x.zip", os.urandom(1_200_000)
    with opened(path) as store:
        drive(store.put("before", b"1"))
        drive(store.put("long", b"old"))
        if fails:
            (tmp_path / "x.zip-new").mkdir()  # nothing can be written there
        written: list[int] = []
        append = Journal.append

        def spied(self: Journal, kind: int, head: bytes, content: Any = None, **more: Any) -> Any:
            written.append(0 if content is None else content.packed)
            return append(self, kind, head, content, **more)

        monkeypatch.setattr(Journal, "append", spied)
        info = drive(store.put("long", iter([noise]), metadata={"a": "b"}))
        assert (sum(written) == len(noise)) is fails
        assert drive(store.head("long")) == info
        assert (tmp_path / "x.zip-journal").exists() is fails
        drive(store.put("after", b"2"))
        wanted = {"before": b"1", "long": noise, "after": b"2"}
        assert contents(store) == wanted
        assert contents(AsyncZipStore(path)) == wanted  # what is on disk says the same
        with pytest.raises(ObjectExists):
            drive(store.put("long", iter([noise]), if_absent=True))
        if fails:
            (tmp_path / "x.zip-new").rmdir()
    assert unpacked(path) == wanted
