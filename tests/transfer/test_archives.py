"""Archives as ends: what a writer that was killed left beside one."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from storage.aioutils import AsyncFanoutStore, AsyncPrefixStore, async_sync_stores
from storage.object import AsyncDictStore, NoSpace
from storage.zip import AsyncZipStore

OBJECTS = {f"a/{number}": b"%d" % number * 50 for number in range(20)}


async def left_behind(place: Path) -> Path:
    """An archive, of whose objects half are in the journal only: its writer was killed."""
    (place / "writer").mkdir(parents=True)
    async with AsyncZipStore(place / "writer" / "objects.zip") as store:
        for key in list(OBJECTS)[:10]:
            await store.put(key, OBJECTS[key])
        await store.checkpoint()
        for key in list(OBJECTS)[10:]:
            await store.put(key, OBJECTS[key])
        shutil.copytree(place / "writer", place / "left")
    return place / "left" / "objects.zip"


def members(archive: Path) -> dict[str, bytes]:
    """What other programs see."""
    with zipfile.ZipFile(archive) as found:
        return {name: found.read(name) for name in found.namelist()}


async def test_a_target_is_whole_for_others_even_where_nothing_changed(tmp_path: Path) -> None:
    archive = await left_behind(tmp_path)
    assert len(members(archive)) == 10
    source = AsyncDictStore(OBJECTS)
    for dry_run, seen in (True, 10), (False, 20):
        async with AsyncZipStore(archive) as target:
            report = await async_sync_stores(source, target, dry_run=dry_run)
            assert (report.copied, report.identical) == (0, 20)
            assert len(members(archive)) == seen
    assert members(archive) == OBJECTS
    assert [path.name for path in archive.parent.iterdir()] == ["objects.zip"]


async def test_the_same_below_a_wrapper(tmp_path: Path) -> None:
    archive = await left_behind(tmp_path)
    async with AsyncPrefixStore(AsyncZipStore(archive), "a/") as target:
        await async_sync_stores(AsyncDictStore({"0": OBJECTS["a/0"]}), target)
        assert members(archive) == OBJECTS


async def test_a_source_is_left_as_it_was(tmp_path: Path) -> None:
    archive = await left_behind(tmp_path)
    before = {path.name: path.read_bytes() for path in archive.parent.iterdir()}
    target = AsyncDictStore()
    async with AsyncZipStore(archive) as source:
        assert (await async_sync_stores(source, target)).copied == 20
    assert target.objects == OBJECTS
    assert {path.name: path.read_bytes() for path in archive.parent.iterdir()} == before


async def test_the_same_below_a_fan_out(tmp_path: Path) -> None:
    archive = await left_behind(tmp_path)
    async with AsyncFanoutStore([AsyncZipStore(archive), AsyncDictStore(OBJECTS)]) as target:
        await async_sync_stores(AsyncDictStore(dict(OBJECTS)), target)
        assert members(archive) == OBJECTS


class Stubborn(AsyncZipStore):
    """Has no room for a second archive."""

    async def _make_whole(self) -> None:
        raise NoSpace("the disk is full")


async def test_what_was_copied_is_told_where_the_archive_cannot_be_written(tmp_path: Path) -> None:
    async with Stubborn(tmp_path / "objects.zip") as target:
        report = await async_sync_stores(AsyncDictStore(OBJECTS), target)
        assert (report.copied, report.failed) == (20, 0)
        assert len(report.warnings) == 1
        assert "the disk is full" in report.warnings[0]
        assert {key: await target.get(key) for key in OBJECTS} == OBJECTS
