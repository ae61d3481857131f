"""A journal remembers what is still true, and never stands in the way of a sync."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer.journal import Journal, identity, open_journal, remembering
from storage._async.transfer.steps import Remembered
from storage._async.transfer.sync import async_sync_stores
from storage._async.wrappers.compressing import AsyncGzipStore
from storage._core.errors import ConfigError, StoreUnavailable
from storage._core.info import ObjectInfo, ReadOptions

ROWS = [Remembered(f"key-{i:05}", f"here-{i}", f"there-{i}", None) for i in range(2500)]
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
SOURCE, TARGET = AsyncDictStore(), AsyncDictStore()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "below" / "x.storage-journal"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[Journal]:
    """A new one."""
    journal = await open_journal(path, SOURCE, TARGET)
    yield journal
    await journal.aclose()


async def all_rows(journal: Journal) -> list[Remembered]:
    """What it remembers."""
    return [row async for page in journal.rows() for row in page]


async def reopened(path: Path) -> tuple[list[Remembered], list[str]]:
    """What it remembers in a later run, and what it warns of."""
    journal = await open_journal(path, SOURCE, TARGET)
    try:
        return await all_rows(journal), journal.warnings
    finally:
        await journal.aclose()


async def test_rows_come_back_in_pages_and_in_order(journal: Journal, path: Path) -> None:
    await journal.remember(ROWS[1000:])
    await journal.remember(ROWS[:1000])
    pages = [page async for page in journal.rows()]
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert [row for page in pages for row in page] == ROWS
    await journal.remember([ROWS[0]._replace(here="new", digest="sha256:00")])
    await journal.forget([row.key for row in ROWS[1:]])
    await journal.aclose()
    assert await reopened(path) == ([Remembered("key-00000", "new", "there-0", "sha256:00")], [])


async def test_rows_may_be_written_while_they_are_read(journal: Journal) -> None:
    await journal.remember(ROWS)
    seen = 0
    async for page in journal.rows():
        seen += len(page)
        await journal.remember([row._replace(here="again") for row in page])
        await journal.forget([page[-1].key])
    assert seen == 2500
    assert len(await all_rows(journal)) == 2497


async def test_keys_of_all_kinds_come_in_the_order_of_their_bytes(journal: Journal) -> None:
    keys = ["a", "a/b", "a b", "é", "\U0001f600", "￿", "'", "Z", "\n"]
    await journal.remember([Remembered(key, "h", "t") for key in keys])
    assert [row.key for row in await all_rows(journal)] == sorted(keys)


async def test_pairs_of_stores_do_not_see_each_other(journal: Journal, path: Path) -> None:
    await journal.remember(ROWS[:3])
    await journal.aclose()
    other = await open_journal(path, TARGET, SOURCE)
    assert await all_rows(other) == []
    await other.aclose()
    assert len((await reopened(path))[0]) == 3


def test_a_store_is_where_it_is_and_what_it_is_seen_through(tmp_path: Path) -> None:
    def files() -> AsyncFilesystemStore:
        return AsyncFilesystemStore(tmp_path)

    assert identity(files()) != identity(AsyncGzipStore(files()))
    assert identity(files()) != identity(AsyncFilesystemStore(tmp_path / "x"))
    assert identity(SOURCE) != identity(TARGET)


async def test_uploads(journal: Journal, path: Path) -> None:
    assert await journal.upload_state("a") is None
    await journal.keep_upload("a", "{}", "print")
    await journal.keep_upload("b", "{}", "print")
    await journal.keep_upload("a", "{1}", "later")
    await journal.drop_upload("b")
    await journal.aclose()
    again = await open_journal(path, SOURCE, TARGET)
    assert await again.upload_state("a") == ("{1}", "later")
    assert await again.upload_state("b") is None
    await again.aclose()


async def test_one_sync_at_a_time(journal: Journal, path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="another sync is using the journal"):
        await open_journal(path, SOURCE, TARGET)
    await journal.remember(ROWS[:3])  # the other one did not take its lock away
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('VACUUM')"
    other = subprocess.run([sys.executable, "-c", code, path], stderr=subprocess.PIPE, check=False)
    assert b"database is locked" in other.stderr
    await journal.aclose()
    assert len((await reopened(path))[0]) == 3


KILLED = """
import asyncio, os, signal, sys
sys.path.insert(0, sys.argv[2])
from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer import journal
journal.identity = lambda store: "the same"
async def main():
    opened = await journal.open_journal(sys.argv[1], AsyncDictStore(), AsyncDictStore())
    for i in range(10_000):
        await opened.remember([journal.Remembered(f"{i:05}-{j}", "h", "t") for j in range(5)])
        os.write(1, b".")
asyncio.run(main())
"""


async def test_a_kill_leaves_whole_batches(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage._async.transfer.journal.identity", lambda store: "the same")
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", KILLED, path, root], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = len(process.stdout.read(20))
    process.send_signal(signal.SIGKILL)
    told += len(process.communicate()[0])
    rows, warnings = await reopened(path)
    assert warnings == []
    assert len(rows) in (told * 5, told * 5 + 5)


# -- damage ----------------------------------------------------------------------------------


def spoil_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)


def spoil_rows(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * (size - 3 * 4096))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def drop_a_table(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE objects")
    database.close()


@pytest.mark.parametrize("spoil", [spoil_beginning, spoil_rows, cut, drop_a_table])
async def test_a_damaged_journal_is_set_aside_and_begun_anew(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    journal = await open_journal(path, SOURCE, TARGET)
    await journal.remember(ROWS)
    await journal.aclose()
    spoil(path)
    rows, warnings = await reopened(path)
    assert {*rows} <= {*ROWS}
    assert len(rows) < 2500
    assert any("was damaged; it is x.storage-journal.damaged-1 now" in text for text in warnings)
    assert path.with_name("x.storage-journal.damaged-1").exists()
    journal = await open_journal(path, SOURCE, TARGET)
    await journal.remember(ROWS)
    assert await all_rows(journal) == ROWS
    assert journal.warnings == []
    await journal.aclose()


async def test_trouble_under_way_ends_the_remembering_and_not_the_sync(
    journal: Journal, path: Path
) -> None:
    await journal.remember(ROWS)
    journal._file._database.execute("PRAGMA max_page_count = 1")  # the disk is full
    await journal.remember([row._replace(key="new" + row.key * 50) for row in ROWS])
    assert len(journal.warnings) == 1
    assert "is full" in journal.warnings[0]
    assert await all_rows(journal) == []
    await journal.keep_upload("a", "{}", "print")
    assert await journal.upload_state("a") is None
    await journal.aclose()
    rows, warnings = await reopened(path)
    assert (rows, warnings) == (ROWS, [])


async def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "thesis.txt"
    text.write_bytes(b"many words " * 1000)
    with pytest.raises(ConfigError, match="is no journal"):
        await open_journal(text, SOURCE, TARGET)
    assert text.read_bytes() == b"many words " * 1000
    photos = tmp_path / "photos.db"
    with sqlite3.connect(photos) as database:
        database.execute("CREATE TABLE photos (a)")
    database.close()
    with pytest.raises(ConfigError, match="something else"):
        await open_journal(photos, SOURCE, TARGET)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["photos.db", "thesis.txt"]


async def test_a_journal_of_a_later_version_is_left_alone(journal: Journal, path: Path) -> None:
    await journal.aclose()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(ConfigError, match="newer version"):
        await open_journal(path, SOURCE, TARGET)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        await open_journal(tmp_path / "file" / "x", SOURCE, TARGET)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await open_journal(tmp_path, SOURCE, TARGET)


# -- what may be remembered ------------------------------------------------------------------


def info(age: float, etag: str | None = None, modified: datetime | None = NOON) -> ObjectInfo:
    """An object that was written so many seconds before the run."""
    if modified is not None:
        modified -= timedelta(seconds=age)
    return ObjectInfo("key", size=26, etag=etag, modified=modified)


OLD = info(3600, "strong")


@pytest.mark.parametrize(
    ("here", "there", "is_remembered"),
    [
        (OLD, OLD, True),
        (info(0, "strong"), info(0, "strong"), True),
        (info(3), info(3), True),
        (info(1), OLD, False),  # whole seconds: it may change within the same one
        (info(1.5), OLD, True),
        (info(0.05), OLD, False),
        (info(1, "12ab-1a-77"), OLD, False),  # an etag of length and time
        (info(-5), OLD, False),  # from the future
        (OLD, info(1), False),
        (OLD, info(-5), True),  # the run wrote it
        (info(0, None, None), OLD, False),
        (info(0, "strong", None), OLD, True),
        (OLD, ObjectInfo("key"), False),
    ],
)
def test_only_what_its_fingerprint_can_bear_is_remembered(
    here: ObjectInfo, there: ObjectInfo, is_remembered: bool
) -> None:
    row = remembering(here, there, "sha256:00", NOON)
    assert (row is not None) == is_remembered
    if row is not None:
        assert (row.key, row.digest) == ("key", "sha256:00")


def test_a_copy_is_no_older_than_the_run_whatever_its_time() -> None:
    """A file has the time of what it is a copy of, which of a bucket's object is a whole second."""
    there = info(1, "12ab-1a-77-5")
    assert remembering(OLD, there, None, NOON) is None
    assert remembering(OLD, there, None, NOON, copied=True) is not None
    assert remembering(info(1), there, None, NOON, copied=True) is None


@pytest.mark.parametrize("end", ["source", "target"])
async def test_bytes_that_change_under_the_same_time_and_length_are_found(
    tmp_path: Path, end: str
) -> None:
    source, target = (AsyncFilesystemStore(tmp_path / name) for name in ("source", "target"))
    await source.put("k", b"first")
    os.utime(tmp_path / "source" / "k", (10**9, 10**9))
    journal = tmp_path / "journal"
    await async_sync_stores(source, target, journal=journal)
    file = tmp_path / end / "k"
    was = file.stat()
    file.write_bytes(b"other")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (await async_sync_stores(source, target, journal=journal)).copied == 1
    assert await target.get("k") == await source.get("k")


class Restored(AsyncDictStore):
    """Has other bytes just when it is read."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        was = self.objects[key]
        await self.put(key, b"same")
        try:
            return await super()._get(key, options)
        finally:
            self.objects[key] = was


async def test_what_was_not_read_as_it_was_listed_is_not_remembered(path: Path) -> None:
    source, target = Restored({"k": b"this"}), AsyncDictStore({"k": b"same"})
    assert (await async_sync_stores(source, target, journal=path)).identical == 1
    journal = await open_journal(path, source, target)
    try:
        assert await all_rows(journal) == []
    finally:
        await journal.aclose()


async def test_a_dry_run_makes_no_journal_and_forgets_nothing(path: Path) -> None:
    source, target = AsyncDictStore({"a": b"1"}), AsyncDictStore({"a": b"1", "x": b"1"})
    await async_sync_stores(source, target, journal=path, dry_run=True)
    assert not path.parent.exists()
    journal = await open_journal(path, source, target)
    await journal.remember([Remembered("x", "here", "there")])
    await journal.aclose()
    report = await async_sync_stores(source, target, True, journal=path, dry_run=True)
    assert report.deleted == 1
    journal = await open_journal(path, source, target)
    try:
        assert "x" in [row.key for row in await all_rows(journal)]
    finally:
        await journal.aclose()
