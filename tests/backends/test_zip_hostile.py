"""Archives and journals that are damaged, forged or changed behind our back."""

from __future__ import annotations

import os
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip import volume
from storage._async.backends._zip.view import Busy
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import CorruptStore, StoreError, StoreNotFound

from .zips import abandon, contents, drive, following, keys, listed, make, opened, unpacked

MEMBERS = {"a": b"first" * 100, "b": os.urandom(300), "dir/c": b"", "ä": b"x" * 5000}


def refused(path: Path) -> None:
    """No verb reads the archive, and none takes it for an empty or missing one."""
    store = AsyncZipStore(path)
    works = (store.get("a"), store.head("zz"), store.exists("a"), store.put("a", b""))
    for work in (*works, listed(store.keys()), listed(store.list()), store.delete("zz")):
        with pytest.raises(CorruptStore):
            drive(work)


def test_truncations_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    data = path.read_bytes()
    for size in (*range(1, len(data), 7), *range(len(data) - 30, len(data))):
        path.write_bytes(data[:size])
        refused(path)
    assert os.listdir(tmp_path) == ["x.zip"]


def test_garbage_behind_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    path.write_bytes(path.read_bytes() + b"garbage")
    refused(path)


def test_flipped_bytes(tmp_path: Path) -> None:
    """Of the directory and the headers: the old contents, an error, or an honest difference."""
    path = tmp_path / "x.zip"
    make(path, MEMBERS, zipfile.ZIP_STORED)
    data = path.read_bytes()
    for at in range(0, len(data), 11):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        store = AsyncZipStore(path)
        try:
            found = keys(store)
        except StoreError:
            continue
        assert len(found) == len(MEMBERS)
        for key in found:
            try:
                assert drive(store.get(key)) in MEMBERS.values()
            except StoreError:
                continue


def build(path: Path) -> dict[int, dict[str, bytes]]:
    """A journal of several changes: for each size that it had, what was acknowledged then."""
    journal, states, now = path.with_name("x.zip-journal"), {}, dict(MEMBERS)
    make(path, MEMBERS)
    store = AsyncZipStore(path)

    def done() -> None:
        states[journal.stat().st_size] = dict(now)

    states[0] = dict(now)
    for key, data in (("new", b"1" * 50), ("a", os.urandom(99)), ("new", b"other" * 30)):
        drive(store.put(key, data))
        now[key] = data
        done()
    drive(store.delete("b"))
    del now["b"]
    done()
    drive(store.put("stream", iter([b"s" * 999])))
    now["stream"] = b"s" * 999
    done()
    abandon(store)
    return states


def test_every_truncation_of_a_journal(tmp_path: Path) -> None:
    path, copy = tmp_path / "x.zip", tmp_path / "copy" / "x.zip"
    states = build(path)
    data = (tmp_path / "x.zip-journal").read_bytes()
    copy.parent.mkdir()
    for size in range(len(data) + 1):
        shutil.copy(path, copy)
        copy.with_name("x.zip-journal").write_bytes(data[:size])
        wanted = states[max(known for known in states if known <= size)]
        with opened(copy) as store:
            assert contents(store) == wanted
            if size % 10 == 0:  # and it can be written to
                drive(store.put("after", b"2"))
                assert contents(AsyncZipStore(copy)) == {**wanted, "after": b"2"}
                drive(store.checkpoint())
                assert unpacked(copy) == {**wanted, "after": b"2"}


def test_flipped_bytes_of_a_journal(tmp_path: Path) -> None:
    """An error, or what was acknowledged once where the last frame is hit; never a mixture."""
    path = tmp_path / "x.zip"
    states = build(path)
    journal = tmp_path / "x.zip-journal"
    data = journal.read_bytes()
    last = sorted(states)[-2]
    for at in (*range(0, last, 5), *range(last, len(data))):
        journal.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        if at < last:
            refused(path)
            continue
        try:
            assert contents(AsyncZipStore(path)) in (states[last], states[len(data)])
        except CorruptStore:
            continue


def test_a_journal_of_zeros_after_a_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    states = build(path)
    journal = tmp_path / "x.zip-journal"
    journal.write_bytes(journal.read_bytes() + bytes(5000))
    with opened(path) as store:
        assert contents(store) == states[max(states)]


def test_a_foreign_journal(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    journal = tmp_path / "x.zip-journal"
    journal.write_bytes(b"my diary")
    refused(path)
    assert journal.read_bytes() == b"my diary"


def test_a_journal_of_another_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    build(path)
    good = path.read_bytes()
    make(path, {"other": b"archive"})
    refused(path)
    path.unlink()
    refused(path)
    path.write_bytes(good)
    assert "stream" in keys(AsyncZipStore(path))


def test_archive_and_journal_can_be_moved_together(tmp_path: Path) -> None:
    states = build(tmp_path / "x.zip")
    (tmp_path / "new").mkdir()
    for name in ("x.zip", "x.zip-journal"):
        shutil.copy(tmp_path / name, tmp_path / "new" / name.replace("x", "y"))
    with opened(tmp_path / "new" / "y.zip") as store:
        assert contents(store) == states[max(states)]


def test_replaced_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    with opened(path) as store:
        assert contents(store) == MEMBERS
        reading = store.stream("ä")
        first = drive(following(reading))
        make(tmp_path / "y.zip", {"a": b"another", "new": b"1"})
        os.replace(tmp_path / "y.zip", path)
        assert contents(store) == {"a": b"another", "new": b"1"}
        assert first + b"".join(drive(listed(reading))) == MEMBERS["ä"]
        with zipfile.ZipFile(path, "a") as archive:  # in place
            archive.writestr("more", b"2")
        assert contents(store) == {"a": b"another", "new": b"1", "more": b"2"}
        path.unlink()
        with pytest.raises(StoreNotFound):
            drive(store.get("a"))


def test_replaced_while_changes_wait(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    store = AsyncZipStore(path)
    drive(store.put("new", b"1"))
    make(path, {"a": b"another"})
    with pytest.raises(CorruptStore, match="1 changes to another archive"):
        drive(store.get("a"))
    with pytest.raises(CorruptStore):
        drive(store.aclose())
    assert unpacked(path) == {"a": b"another"}


def test_replaced_during_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.zip"
    store, write = AsyncZipStore(path), volume.write_archive  # type: ignore[attr-defined]
    drive(store.put("new", b"1"))

    def write_and_replace(*arguments: Any) -> bytes:
        make(path, {"a": b"another"})
        return write(*arguments)

    monkeypatch.setattr(volume, "write_archive", write_and_replace)
    with pytest.raises(CorruptStore, match="another program"):
        drive(store.aclose())
    assert unpacked(path) == {"a": b"another"}
    assert sorted(os.listdir(tmp_path)) == ["x.zip", "x.zip-journal"]


def test_duplicates_last_wins(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": b"first", "b": b"second"})
    path.write_bytes(path.read_bytes().replace(b"b", b"a"))
    with opened(path) as store:
        with pytest.warns(UserWarning, match="1 members of the archive are there twice"):
            assert drive(store.get("a")) == b"second"
        drive(store.put("b", b"1"))
    assert unpacked(path) == {"a": b"second", "b": b"1"}


def test_names_that_are_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"../x": b"1", "/etc/y": b"2", "a": b"3"})
    with opened(path) as store:
        assert contents(store) == {"../x": b"1", "/etc/y": b"2", "a": b"3"}
        drive(store.delete("../x"))
        drive(store.move("/etc/y", "y"))
    assert unpacked(path) == {"a": b"3", "y": b"2"}
    assert os.listdir(tmp_path) == ["x.zip"]


def forge(path: Path, change: Callable[[bytearray], None]) -> None:
    """Change the first central directory record, found by its signature."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    record = data[at : at + 46]
    change(record)
    path.write_bytes(data[:at] + record + data[at + 46 :])


def put_number(offset: int, number: int, size: int = 4) -> Callable[[bytearray], None]:
    """Write a number into the record."""

    def change(record: bytearray) -> None:
        record[offset : offset + size] = number.to_bytes(size, "little")

    return change


@pytest.mark.parametrize("name", [b"nul\0nul", b"\xff\xfe-utf8", b"x" * 2000])
def test_names_that_can_be_no_keys(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "x.zip"
    make(path, {"n" * len(name): b"1", "a": b""})
    path.write_bytes(path.read_bytes().replace(b"n" * len(name), name))
    if b"utf8" in name:
        forge(path, put_number(8, 0x800, 2))
    refused(path)


@pytest.mark.parametrize("size", [0, 1, 9_999, 10_001, 300_000])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_forged_sizes(tmp_path: Path, size: int, method: int) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": os.urandom(5000) * 2, "b": b""}, method)
    forge(path, put_number(24, size))
    store = AsyncZipStore(path)
    assert drive(store.head("a")).size == size
    for work in (store.get("a"), listed(store.stream("a"))):
        with pytest.raises(CorruptStore):
            drive(work)


def test_forged_checksum_and_damaged_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": b"0123456789" * 90_000, "b": b"0123456789"})
    forge(path, put_number(16, 12345))
    store = AsyncZipStore(path)
    seen = []

    async def stream() -> None:
        async for piece in store.stream("a"):
            seen.append(piece)

    for work in (store.get("a"), stream()):
        with pytest.raises(CorruptStore, match="checksum"):
            drive(work)
    assert sum(map(len, seen)) < 900_000  # never all of it
    assert drive(store.get("b")) == b"0123456789"
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(CorruptStore):
        drive(store.get("a"))


def test_overlapping_members(tmp_path: Path) -> None:
    """Two names for the same bytes: how a small archive unpacks to anything."""
    path = tmp_path / "x.zip"
    make(path, {"a": bytes(5000), "b": bytes(5000)})
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\1\2")
    data[second + 42 : second + 46] = bytes(4)
    path.write_bytes(data)
    refused(path)


def test_a_member_within_another(tmp_path: Path) -> None:
    path, inner = tmp_path / "x.zip", tmp_path / "inner.zip"
    make(inner, {"b": b"12345"}, zipfile.ZIP_STORED)
    make(path, {"a": inner.read_bytes()[:36], "b": b"12345"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\1\2")
    data[second + 42 : second + 46] = (31).to_bytes(4, "little")
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:  # not just any damage: the inner header is a good one
        archive.getinfo("b")
    refused(path)


def test_overlap_by_the_local_header(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": b"12345", "b": b""}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[28:30] = b"\x09\0"  # extra fields that are not there move the data into "b"
    path.write_bytes(data)
    with pytest.raises(CorruptStore, match="overlaps"):
        drive(AsyncZipStore(path).get("a"))


def test_another_member_behind_the_directory(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": b"1"})
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(CorruptStore, match="not what the archive's directory tells"):
        drive(AsyncZipStore(path).get("a"))


def test_bombs(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    size = 50_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(size))
        archive.writestr("text", b"text" * 10)
    assert path.stat().st_size < 60_000
    options: tuple[dict[str, Any], ...] = ({"max_ratio": 100}, {"max_object_size": 1_000_000})
    for option in options:
        store = AsyncZipStore(path, **option)
        for work in (
            store.get("bomb"),
            listed(store.stream("bomb")),
            store.get_range("bomb", 0, 9),
        ):
            tracemalloc.start()
            with pytest.raises(CorruptStore, match=next(iter(option))):
                drive(work)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
            tracemalloc.stop()
        assert drive(store.get("text")) == b"text" * 10
    limits: tuple[dict[str, Any], ...] = ({"max_total_size": size}, {"max_members": 1})
    for limit in limits:
        with pytest.raises(CorruptStore, match=next(iter(limit))):
            keys(AsyncZipStore(path, **limit))
    with opened(path) as store:
        assert drive(store.get("bomb")) == bytes(size)  # no limit was asked for


def test_a_forged_count(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, MEMBERS)
    data = path.read_bytes()
    for count in (0, 1, 3, 5, 9):
        path.write_bytes(data[:-14] + count.to_bytes(2, "little") * 2 + data[-10:])
        refused(path)


def test_a_journal_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.zip-journal").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError) as caught:
        drive(AsyncZipStore(tmp_path / "x.zip").put("a", b"1"))
    assert not isinstance(caught.value, Busy)
    assert not (tmp_path / "target").exists()
