"""Ends that fail, lie or change meanwhile: nothing that only the target had is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from traceback import walk_tb

import pytest

from storage._async.backends.db.store import AsyncSqliteStore
from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.memory import AsyncDictStore
from storage._async.backends.zip import AsyncZipStore
from storage._async.base import AsyncBaseStore
from storage._async.transfer.report import SyncReport
from storage._async.transfer.sync import async_sync_stores
from storage._async.wrappers.guarding import AsyncReadonlyStore
from storage._async.wrappers.keys import AsyncPrefixStore
from storage._core import bulk
from storage._core.errors import (
    ConfigError,
    InvalidKey,
    ObjectExists,
    SourceChanged,
    StoreError,
    StoreNotFound,
    StoreUnavailable,
    SyncError,
)
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.object import DictStore
from storage.utils import PrefixStore, sync_stores
from tests.stores import BlockingStore, FlakyStore, ForeignStore, fill, numbered

KEYS = ["a", "b", "c", "d"]


class Listed(ForeignStore):
    """Lists what it is told to, whatever it has."""

    def __init__(self, *listed: str | Exception) -> None:
        super().__init__(**fill(*KEYS))
        self.listed = listed

    async def keys(self) -> AsyncIterator[str]:
        for key in self.listed:
            if isinstance(key, Exception):
                raise key
            yield key


class Orderly(AsyncDictStore):
    """Claims an order, and lists what it is told to."""

    def __init__(self, *listed: str) -> None:
        super().__init__(fill(*KEYS))
        self.listed = listed

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        for key in self.listed:
            yield ObjectInfo(key, len(key))


async def refused(source: object, target: AsyncDictStore) -> SyncReport | None:
    """Mirror, which fails; what the target had is there."""
    before = dict(target.objects)
    with pytest.raises(StoreError) as caught:
        await async_sync_stores(source, target, True, max_delete=None)  # type: ignore[arg-type]
    assert before.items() <= target.objects.items()
    report = getattr(caught.value, "report", None)
    assert report is None or (report.deleted == 0 and not report.complete)
    return report


@pytest.mark.parametrize(
    "source",
    [
        Listed(),
        Listed(StoreUnavailable("down")),
        Listed("a", "b", StoreUnavailable("it broke off")),
        Listed("a", "b", StoreNotFound("the bucket went")),
        Listed("a", "b", "b", "c", "d"),
        Listed("a", "b", "c", "a"),
        Listed("a", "b", "nothing is there"),
        Listed("a", "\ud800"),
        Listed("a", "nul\0"),
        Listed("a", "b" * 2000),
        Orderly("a", "b", "b", "c"),
        Orderly("a", "c", "b", "d"),
        Orderly("d", "c", "b", "a"),
        Orderly("a", "b", "a", "b"),
        Orderly("", "a"),
    ],
    ids=lambda source: f"{type(source).__name__}-{len(source.listed)}",
)
async def test_nothing_is_deleted_after_any_doubt_about_the_source(source: object) -> None:
    await refused(source, AsyncDictStore(fill("a", "x", "y", "z")))


@pytest.mark.parametrize("source", [Listed("a", "b"), Orderly("a", "b")], ids=["foreign", "own"])
async def test_what_the_source_still_has_is_not_deleted_when_its_listing_ends_too_early(
    source: object,
) -> None:
    target = AsyncDictStore(fill("a", "b", "c", "d", "gone", "../no key of files"))
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, True, max_delete=None)  # type: ignore[arg-type]
    assert caught.value.report.failures.keys() == {"c", "d"}
    assert caught.value.report.deleted == 2
    assert target.objects == fill(*KEYS)


async def test_keys_that_the_source_cannot_have_are_surplus(tmp_path: Path) -> None:
    source, target = AsyncFilesystemStore(tmp_path), AsyncDictStore(fill("a", "../x", "b//c"))
    await source.put("a", b"a")
    assert (await async_sync_stores(source, target, True, max_delete=None)).deleted == 2
    assert target.objects == fill("a")


async def test_what_lies_behind_a_link_of_the_source_is_not_deleted(tmp_path: Path) -> None:
    source, target = AsyncFilesystemStore(tmp_path / "root"), AsyncDictStore(fill("a", "b/c", "d"))
    await source.put("a", b"a")
    await AsyncFilesystemStore(tmp_path / "moved").put("c", b"c")
    (tmp_path / "root" / "b").symlink_to(tmp_path / "moved")
    with pytest.raises(SyncError):
        await async_sync_stores(source, target, True, max_delete=None)
    assert set(target.objects) == {"a", "b/c"}


async def test_a_library_error_in_a_listing_passes_and_deletes_nothing() -> None:
    target = AsyncDictStore(fill("x"))
    with pytest.raises(ZeroDivisionError):
        await async_sync_stores(Listed("a", ZeroDivisionError()), target, True)
    assert target.objects.keys() >= {"x"}


@pytest.mark.parametrize("listed", [("a", "c", "b", "d"), ("d", "c", "b", "a"), ("a", "b", "b")])
async def test_all_is_copied_whatever_order_was_claimed(listed: tuple[str, ...]) -> None:
    target = AsyncDictStore(fill("x"))
    report = await refused(Orderly(*listed), target)
    assert report is not None
    assert report.copied == len(set(listed))
    assert target.objects == fill("x", *listed)


async def test_a_target_that_lists_in_no_order_is_not_overwritten_with_the_same() -> None:
    source, target = FlakyStore(numbered(5)), Orderly("c", "a")
    report = await async_sync_stores(source, target)
    assert report.doubts == ["the target does not list in the order that it claims"]
    assert report.complete  # since nothing was to be deleted


@pytest.mark.parametrize(
    ("max_delete", "goes"),
    [(None, True), (5, True), (4, False), (0, False), (0.5, True), (0.4, False), (1.0, True)],
)
async def test_max_delete_is_a_count_or_a_share(max_delete: float | None, goes: bool) -> None:
    source, target = AsyncDictStore(numbered(5)), AsyncDictStore(numbered(10))
    if goes:
        report = await async_sync_stores(source, target, True, max_delete=max_delete)
        assert report.deleted == 5
        return
    with pytest.raises(SyncError, match="max_delete allows") as caught:
        await async_sync_stores(source, target, True, max_delete=max_delete)
    assert len(target.objects) == 10
    assert caught.value.report.deletes_refused


async def test_a_share_is_rounded_up_only_where_it_is_no_whole_number() -> None:
    source, target = AsyncDictStore(numbered(92)), AsyncDictStore(numbered(100))
    with pytest.raises(SyncError, match="max_delete allows 7"):
        await async_sync_stores(source, target, True, max_delete=0.07)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
async def test_what_is_bound_to_another_place_overlaps(tmp_path: Path) -> None:
    below, bound = tmp_path / "data" / "be low", tmp_path / "bound"
    for folder in (below, bound):
        folder.mkdir(parents=True)
    if subprocess.run(["mount", "--bind", below, bound], check=False).returncode:
        pytest.skip("this container may not mount")
    try:
        ends = AsyncFilesystemStore(tmp_path / "data"), AsyncFilesystemStore(bound / "new")
        for source, target in (ends, ends[::-1]):
            with pytest.raises(ConfigError, match="the same store"):
                await async_sync_stores(source, target)
        neighbour = AsyncFilesystemStore(tmp_path / "data" / "be")
        await neighbour.put("a", b"a")
        assert (await async_sync_stores(neighbour, ends[1])).copied == 1
    finally:
        subprocess.run(["umount", bound], check=True)


@pytest.mark.parametrize("wrong", [-1, 1.5, -0.1, True, float("nan")])
async def test_a_limit_that_makes_no_sense_is_refused(wrong: float) -> None:
    with pytest.raises(ConfigError, match="max_delete"):
        await async_sync_stores(AsyncDictStore(), AsyncDictStore(), max_delete=wrong)


def overlapping(folder: Path) -> list[tuple[AsyncBaseStore, AsyncBaseStore]]:
    memory = AsyncDictStore()
    files = AsyncFilesystemStore(folder)
    (folder / "link").symlink_to(folder)
    return [
        (memory, memory),
        (memory, AsyncDictStore(memory.objects)),
        (memory, AsyncPrefixStore(memory, "a/")),
        (AsyncPrefixStore(memory, "a/"), AsyncPrefixStore(memory, "a/b/")),
        (AsyncReadonlyStore(memory), memory),
        (files, AsyncFilesystemStore(folder / "below")),
        (files, AsyncFilesystemStore(folder / "link" / "below")),
        (files, AsyncSqliteStore(folder / "db.sqlite")),
        (AsyncZipStore(folder / "archive.zip"), files),
        (AsyncSqliteStore(folder / "db.sqlite"), AsyncSqliteStore(folder / "link" / "db.sqlite")),
    ]


async def test_ends_that_overlap_are_refused_before_anything(tmp_path: Path) -> None:
    for source, target in await asyncio.to_thread(overlapping, tmp_path):
        for ends in ((source, target), (target, source)):
            with pytest.raises(ConfigError, match="the same store"):
                await async_sync_stores(*ends)
    with pytest.raises(ConfigError, match="the same store"):
        files = AsyncFilesystemStore(tmp_path)
        await async_sync_stores(AsyncDictStore(), files, journal=tmp_path / "journal")
    with pytest.raises(ConfigError, match="the same store"):
        target = AsyncDictStore()
        await async_sync_stores(
            AsyncDictStore(), target, backup=AsyncPrefixStore(target, "backup/")
        )
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_blocking_store_is_not_brought_together_with_itself() -> None:
    for store in (DictStore(), BlockingStore(a=b"1"), PrefixStore(BlockingStore(), "a")):
        with pytest.raises(ConfigError, match="the same store"):
            sync_stores(store, store)


async def test_neighbours_do_not_overlap(tmp_path: Path) -> None:
    memory = AsyncDictStore(fill("a/x"))
    await async_sync_stores(AsyncPrefixStore(memory, "a/"), AsyncPrefixStore(memory, "b/"))
    assert set(memory.objects) == {"a/x", "b/x"}
    first, second = AsyncFilesystemStore(tmp_path / "a"), AsyncFilesystemStore(tmp_path / "ab")
    await first.put("x", b"x")
    assert (await async_sync_stores(first, second)).copied == 1


class Untouchable(FlakyStore):
    """Every hook that writes is an error."""

    def _refuse(self, *arguments: object, **options: object) -> object:
        raise AssertionError("a source is never written")

    _put = _create = _delete = _copy = _move = _delete_many = _refuse  # type: ignore[assignment]


@pytest.mark.parametrize("wrap", [lambda store: store, AsyncReadonlyStore])
async def test_the_source_is_never_written(
    wrap: Callable[[AsyncBaseStore], AsyncBaseStore], tmp_path: Path
) -> None:
    source = Untouchable({**numbered(5), "large": bytes(2_000_000)})
    target = AsyncDictStore({"key-00001": b"other", "surplus": b"x"})
    report = await async_sync_stores(
        wrap(source), target, True, journal=tmp_path / "journal", backup=AsyncDictStore()
    )
    assert report.complete
    assert dict(target.objects) == dict(source.objects)


async def test_keys_that_the_target_refuses_are_failures_of_their_own(tmp_path: Path) -> None:
    keys = ["../x", "/etc/x", "a", "a/b", "n" * 300, "ok", "dir//x", "."]
    source, target = AsyncDictStore(fill(*keys)), AsyncFilesystemStore(tmp_path / "root")
    await target.put("surplus", b"x")
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, delete=True)
    report = caught.value.report
    assert report.deleted == 0
    kept = {key async for key in target.keys()}
    assert {"ok", "surplus"} < kept
    assert len(kept & {"a", "a/b"}) == 1
    # Whoever comes second to "a" and "a/b" meets the other one before it comes or after.
    assert {type(error) for error in report.failures.values()} <= {InvalidKey, ObjectExists}
    assert report.failures.keys() | kept == {*keys, "surplus"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root"]


class Changing(AsyncDictStore):
    """Somebody writes to it while it is read."""

    def __init__(self, objects: dict[str, bytes], change: Callable[[str], None]) -> None:
        super().__init__(objects)
        self.change = change

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        self.change(key)
        return await super()._get(key, options)


@pytest.mark.parametrize("vanishes", [False, True])
async def test_a_source_that_changes_meanwhile_is_reported_and_not_copied(vanishes: bool) -> None:
    def change(key: str) -> None:
        if key == "b" and vanishes:
            source.objects.pop(key, None)
        elif key == "b":
            source.objects[key] = b"another"

    source, target = Changing(fill(*KEYS), change), AsyncDictStore({"b": b"old", "surplus": b"x"})
    with pytest.raises(SyncError, match="changed by others") as caught:
        await async_sync_stores(source, target, delete=True, compare="always")
    assert isinstance(caught.value.report.failures["b"], SourceChanged)
    assert target.objects == {**fill("a", "c", "d"), "b": b"old", "surplus": b"x"}


async def test_what_others_put_into_the_target_meanwhile_stays() -> None:
    def change(key: str) -> None:
        if key in "ab" and target.objects.get(key) != b"theirs":
            target.objects[key] = b"theirs"

    source, target = Changing(fill(*KEYS), change), AsyncDictStore({"b": b"old"})
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, compare="always")
    assert isinstance(caught.value.report.failures["a"], ObjectExists)
    assert caught.value.report.conflicts == 2
    assert target.objects == {**fill("c", "d"), "a": b"theirs", "b": b"theirs"}


async def test_a_backup_takes_what_is_replaced_or_deleted() -> None:
    source = AsyncDictStore({**numbered(5), "a": b"new"})
    target, backup = AsyncDictStore({**numbered(5), "a": b"old", "x": b"gone"}), AsyncDictStore()
    report = await async_sync_stores(source, target, delete=True, backup=backup)
    assert report.complete
    assert backup.objects == {"a": b"old", "x": b"gone"}


async def test_what_cannot_be_backed_up_is_not_changed() -> None:
    source, target, backup = (
        AsyncDictStore({"a": b"new", "b": b"2"}),
        AsyncDictStore(),
        FlakyStore(),
    )
    target.objects.update(a=b"old", x=b"gone")
    backup.failing.add("put")
    with pytest.raises(SyncError):
        await async_sync_stores(source, target, delete=True, backup=backup)
    assert target.objects == {"a": b"old", "b": b"2", "x": b"gone"}


class Asking(AsyncDictStore):
    """Asks whether its writes need be durable only later."""

    deferred = 0

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        job = bulk.current.get()
        assert job is not None
        job.defers(self, lambda: self)
        self.deferred += job.defers(self, lambda: None)
        return await super()._put(key, data, options)

    def redeem(self) -> None:
        """Nothing is to be done."""

    release = redeem


async def test_a_backup_is_durable_before_what_it_is_of_goes() -> None:
    source, target, backup = AsyncDictStore(fill("a", "b")), Asking(fill("b", "x", "y")), Asking()
    await async_sync_stores(source, target, True, compare="always", backup=backup, max_delete=None)
    assert (set(backup.objects), backup.deferred) == ({"b", "x", "y"}, 0)
    assert target.deferred == 2


async def test_failures_hold_no_objects() -> None:
    source, target = AsyncDictStore({"a": bytes(5_000_000)}), Refusing()
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target)
    error: BaseException | None = caught.value.report.failures["a"]
    held = []
    while error is not None:
        held += [frame.f_locals for frame, _ in walk_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    assert not [value for each in held for value in each.values() if isinstance(value, bytes)]


async def test_fail_fast_begins_nothing_more_after_a_failure() -> None:
    source, target = FlakyStore(numbered(500)), FlakyStore({"surplus": b"x"})
    target.failing.add("put")
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, True, transfers=4, fail_fast=True)
    assert 1 <= caught.value.report.failed <= 5
    assert "surplus" in target.objects
    assert target.writes <= 5


class Refusing(AsyncDictStore):
    """Cannot be written."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        raise StoreUnavailable("the disk is gone")


async def test_a_second_run_finishes_what_a_first_one_could_not(tmp_path: Path) -> None:
    source = FlakyStore(numbered(50))
    target = Refusing()
    with pytest.raises(SyncError):
        await async_sync_stores(source, target, journal=tmp_path / "journal")
    whole = AsyncDictStore(target.objects)
    report = await async_sync_stores(source, whole, journal=tmp_path / "journal")
    assert report.copied == 50
