"""What is copied of what both ends have, by each way to compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.transfer.comparing import Comparison, judge
from storage._async.transfer.journal import open_journal
from storage._async.transfer.selection import Selection
from storage._async.transfer.steps import Remembered
from storage._async.transfer.sync import async_sync_stores
from storage._core.errors import ConfigError
from storage._core.info import ObjectInfo
from tests.stores import FlakyStore, ForeignStore, numbered

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "sha256:" + "0" * 64
MD5 = "0" * 32


def info(
    size: int | None = 3,
    etag: str | None = None,
    age: float | None = None,
    checksum: str | None = None,
) -> ObjectInfo:
    modified = None if age is None else NOW - timedelta(seconds=age)
    return ObjectInfo("key", size, etag, modified, checksum=checksum)


CASES: list[tuple[Comparison, ObjectInfo, ObjectInfo, str]] = [
    ("auto", info(3), info(4), "copy"),
    ("auto", info(3), info(3), "compare"),
    ("auto", info(3), info(None), "compare"),
    ("auto", info(checksum=SHA), info(checksum=SHA), "keep"),
    ("auto", info(checksum=SHA), info(checksum="sha256:1"), "copy"),
    ("auto", info(checksum=SHA), info(checksum="sha512:1"), "compare"),
    ("auto", info(checksum="crc32:1"), info(checksum="crc32:1"), "compare"),
    ("auto", info(etag=MD5), info(etag=MD5), "keep"),
    ("auto", info(etag=f"{MD5}-2"), info(etag=f"{MD5}-2"), "keep"),
    ("auto", info(etag=MD5), info(etag="1" * 32), "compare"),  # encrypted at one end, perhaps
    ("auto", info(etag="1"), info(etag="1"), "compare"),  # each store's own versions
    ("auto", info(age=1), info(age=1), "compare"),
    ("checksum", info(3), info(4), "copy"),
    ("checksum", info(etag=MD5), info(etag=MD5), "compare"),
    ("checksum", info(checksum=SHA), info(checksum=SHA), "keep"),
    ("size", info(3), info(3), "keep"),
    ("size", info(3), info(4), "copy"),
    ("size", info(None), info(4), "compare"),
    ("mtime", info(3, age=1), info(4, age=1), "copy"),
    ("mtime", info(age=1), info(age=0), "keep"),
    ("mtime", info(age=0), info(age=1), "copy"),
    ("mtime", info(), info(age=1), "compare"),
    ("missing", info(3), info(4), "skip"),
    ("always", info(3), info(3), "copy"),
]


@pytest.mark.parametrize(("compare", "here", "there", "expected"), CASES)
def test_what_can_be_told_without_reading(
    compare: Comparison, here: ObjectInfo, there: ObjectInfo, expected: str
) -> None:
    assert judge(compare)(here, there, None)[0] == expected


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [(5, 5, "keep"), (5, 4.2, "keep"), (5, 0, "copy"), (0, 5, "copy")],
)
def test_times_that_are_kept_have_to_be_equal(here: float, there: float, expected: str) -> None:
    decide = judge("mtime", source_keeps=True, target_keeps=True)
    assert decide(info(age=here), info(age=there), None)[0] == expected
    # What only the source's metadata may tell is found out by reading.
    decide = judge("mtime", target_keeps=True)
    expected = "compare" if expected == "copy" else expected
    assert decide(info(age=here), info(age=there), None)[0] == expected


@pytest.mark.parametrize("compare", ["auto", "checksum"])
@pytest.mark.parametrize(
    ("known", "believed"),
    [
        (Remembered("key", "a", "b"), True),
        (Remembered("key", "a", "c"), False),
        (Remembered("key", "c", "b"), False),
        (None, False),
    ],
)
def test_the_journal_is_believed_where_both_ends_still_are_what_it_knows(
    compare: Comparison, known: Remembered | None, believed: bool
) -> None:
    decided = judge(compare)(info(etag="a"), info(etag="b"), known)
    assert decided[0] == ("keep" if believed and compare == "auto" else "compare")


def test_ends_that_have_no_fingerprint_are_never_known() -> None:
    row = Remembered("key", "None", "None")
    assert judge("auto")(info(), info(), row)[0] == "compare"


async def test_identical_bytes_of_another_time_are_not_copied(tmp_path: Path) -> None:
    ends = [AsyncFilesystemStore(tmp_path / name) for name in "ab"]
    for end in ends:
        await end.put("k", b"the same")
    inode = (await ends[1].head("k")).etag
    report = await async_sync_stores(ends[0], ends[1])
    assert (report.copied, report.identical) == (0, 1)
    assert (await ends[1].head("k")).etag == inode


async def test_missing_copies_nothing_that_is_there_and_says_so() -> None:
    source, target = ForeignStore(a=b"1", b=b"2"), ForeignStore(a=b"0")
    report = await async_sync_stores(source, target, compare="missing")
    assert (report.copied, report.skipped, report.identical) == (1, 1, 0)
    assert target.objects == {"a": b"0", "b": b"2"}
    assert report.complete


@pytest.mark.parametrize("delete", [False, True])
async def test_a_selection_is_about_both_ends(delete: bool) -> None:
    source = FlakyStore({"a.txt": b"1", "b.txt": b"long", "c.png": b"3"})
    target = FlakyStore({"d.png": b"4", "e.txt": b"5", "f.txt": b"long", "b.txt": b"old"})
    selection = Selection(include=["*.txt"], max_size=3)
    report = await async_sync_stores(source, target, delete, selection=selection, max_delete=None)
    assert report.copied == 1
    expected = {"a.txt", "b.txt", "d.png", "f.txt"} | (set() if delete else {"e.txt"})
    assert set(target.objects) == expected
    assert target.objects["b.txt"] == b"old"


async def test_a_journal_makes_the_second_run_read_nothing(tmp_path: Path) -> None:
    source, target = FlakyStore(numbered(30)), FlakyStore(numbered(20))
    for _ in range(2):
        source.reads = target.reads = target.writes = 0
        await async_sync_stores(source, target, journal=tmp_path / "journal")
    assert (source.reads, target.reads, target.writes) == (0, 0, 0)
    await source.put("key-00003", b"changed")
    await target.put("key-00004", b"changed")
    report = await async_sync_stores(source, target, journal=tmp_path / "journal")
    assert (report.copied, report.identical) == (2, 28)
    assert dict(target.objects) == dict(source.objects)


def test_other_ways_to_compare_are_refused() -> None:
    with pytest.raises(ConfigError, match="compare is one of"):
        judge("fast")  # type: ignore[arg-type]


async def test_a_journal_forgets_what_is_gone_and_only_that(tmp_path: Path) -> None:
    source, target = FlakyStore(numbered(6)), FlakyStore()
    path = tmp_path / "journal"
    await async_sync_stores(source, target, journal=path)
    for store in (source, target):
        del store.objects["key-00001"], store.objects["key-00002"]
    selection = Selection(exclude=["key-00002"])
    await async_sync_stores(source, target, journal=path, selection=selection)
    journal = await open_journal(path, source, target)
    known = [row.key async for page in journal.rows() for row in page]
    await journal.aclose()
    assert known == ["key-00000", *(f"key-0000{n}" for n in (2, 3, 4, 5))]
