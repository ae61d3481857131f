"""What a sync costs beside a loop that only copies."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Race
from storage.aioutils import async_sync_stores
from storage.fs import FilesystemStore
from storage.object import AsyncDictStore, DictStore
from storage.utils import sync_stores

OBJECTS = {f"key-{i:04}": b"%d " % i * 512 for i in range(1000)}
"""A thousand objects of some 2 KiB."""


def races(folder: Path) -> Iterator[Race]:
    """All races; the directories are made in the folder."""
    with asyncio.Runner() as runner:
        yield first_sync(runner)
        yield second_sync(runner)
    yield directories(folder)


def first_sync(runner: asyncio.Runner) -> Race:
    """Everything is to be copied."""

    async def copy() -> None:
        source, target = AsyncDictStore(OBJECTS), AsyncDictStore()
        async for key in source.keys():
            await target.put(key, await source.get(key))

    async def sync() -> None:
        await async_sync_stores(AsyncDictStore(OBJECTS), AsyncDictStore())

    return Race(
        "copy 1,000 objects, memory to memory",
        {
            "a loop of get and put": lambda: runner.run(copy()),
            "async_sync_stores": lambda: runner.run(sync()),
            "sync_stores": lambda: sync_stores(DictStore(OBJECTS), DictStore()),
        },
        operations=len(OBJECTS),
    )


def second_sync(runner: asyncio.Runner) -> Race:
    """Everything is there already."""
    source, target = AsyncDictStore(OBJECTS), AsyncDictStore(dict(OBJECTS))

    async def compare() -> None:
        async for key in source.keys():
            assert await source.get(key) == await target.get(key)

    async def sync() -> None:
        await async_sync_stores(source, target)

    return Race(
        "sync 1,000 objects that are there, memory to memory",
        {
            "a loop of two gets": lambda: runner.run(compare()),
            "async_sync_stores": lambda: runner.run(sync()),
        },
        operations=len(OBJECTS),
    )


def directories(folder: Path) -> Race:
    """Files; not durable, since neither is what they are compared with."""
    source = FilesystemStore(folder / "source", durable=False)
    source.put_many(OBJECTS)
    by_hand, ours = folder / "by hand", folder / "ours"

    def copy() -> None:
        shutil.rmtree(by_hand, ignore_errors=True)
        shutil.copytree(folder / "source", by_hand)

    def sync() -> None:
        shutil.rmtree(ours, ignore_errors=True)
        sync_stores(source, FilesystemStore(ours, durable=False))

    return Race(
        "copy 1,000 files, directory to directory",
        {"shutil.copytree": copy, "sync_stores": sync},
        operations=len(OBJECTS),
    )
