"""What the tests of the zip store share: archives, driven in place."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage._async.backends._zip.archive import _end_records
from storage._async.backends.zip import AsyncZipStore
from storage._core import calls

drive = calls.drive


async def listed(source: AsyncIterator[Any]) -> list[Any]:
    """All items."""
    return [item async for item in source]


async def following(source: AsyncIterator[Any]) -> Any:
    """The next item."""
    return await anext(source)


def keys(store: AsyncZipStore, prefix: str = "", start_after: str = "") -> list[str]:
    """The store's keys."""
    return drive(listed(store.keys(prefix, start_after=start_after)))


def contents(store: AsyncZipStore) -> dict[str, bytes]:
    """All keys with their bytes."""
    return {key: drive(store.get(key)) for key in keys(store)}


@contextmanager
def opened(path: Path | str, **options: Any) -> Iterator[AsyncZipStore]:
    """A store in place, closed at the end."""
    store = AsyncZipStore(path, **options)
    try:
        yield store
    finally:
        drive(store.aclose())


def abandon(store: AsyncZipStore) -> None:
    """Let go of a store as a killed process does: its changes stay in the journal."""
    store._volume.close()
    store._volume.changed = False


def make(path: Path | str, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Write an archive with Python's own module."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def make_many(path: Path, count: int) -> None:
    """Write an archive with many empty members, as another program would, only faster."""
    records, position = [], 0
    with path.open("wb") as file:
        for number in range(count):
            name = b"dir/key-%07d" % number
            middle = struct.pack("<5H3L2H", 20, 0, 0, 0, 0x5821, 0, 0, 0, len(name), 0)
            records.append(
                b"PK\1\2\x14\0" + middle + struct.pack("<3H2L", 0, 0, 0, 0, position) + name
            )
            position += file.write(b"PK\3\4" + middle + name)
        directory = b"".join(records)
        file.write(directory + _end_records(count, len(directory), position, b""))


def unpacked(path: Path | str) -> dict[str, bytes]:
    """What Python's own module reads from an archive, checksums verified."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def open_files() -> list[str]:
    """What this process has open."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return found
