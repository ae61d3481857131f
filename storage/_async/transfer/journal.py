"""What a sync remembers from one run to the next: which objects were the same, and open uploads."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ..._core import calls
from ..._core.info import ObjectInfo
from ..._core.window import surely
from ..base import AsyncBaseStore
from .journalfile import JournalFile
from .steps import Remembered, fingerprint

T = TypeVar("T")

COARSE, FINE = timedelta(seconds=2), timedelta(milliseconds=100)
"""Within which two writes may leave the same time behind: on any medium; where it tells parts of
a second."""
_PROCESS = os.urandom(8).hex()
"""In place of an identity of stores that live in this process only."""


class Journal:
    """The memory of one source and one target; for one sync at a time.

    What goes wrong with it never fails a sync, which can do without: it stands in `warnings`.

    Args:
        file: The file, open.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self.warnings = file.warnings

    async def rows(self) -> AsyncIterator[list[Remembered]]:
        """All that is remembered, by key, in pages; it may be written to meanwhile."""
        after = ""
        nothing: list[Remembered] = []
        while page := await self._try(self._file.page, nothing, after):
            yield page
            after = page[-1].key

    async def pivots(self, after: str, step: int, count: int) -> list[str]:
        """Some of the keys after one, each so many keys further on than the one before.

        Args:
            after: Where to begin.
            step: How many keys.
            count: How many of them at most; there are fewer only where there are no more.
        """
        nothing: list[str] = []
        return await self._try(self._file.pivots, nothing, after, step, count)

    async def remember(self, rows: Sequence[Remembered]) -> None:
        """Note that objects are the same at both ends."""
        if rows:
            await self._try(self._file.remember, None, rows)

    async def forget(self, keys: Sequence[str]) -> None:
        """Note that nothing is known of these keys."""
        if keys:
            await self._try(self._file.forget, None, keys)

    async def upload_state(self, key: str) -> tuple[str, str] | None:
        """The state of an upload that was begun, and the fingerprint of its source."""
        return await self._try(self._file.upload, None, key)

    async def uploads(self) -> list[str]:
        """The keys of all uploads that were begun."""
        nothing: list[str] = []
        return await self._try(self._file.uploads, nothing)

    async def keep_upload(self, key: str, state: str, fingerprint: str) -> None:
        """Note an upload that was begun; it is on disk when this returns."""
        await self._try(self._file.keep_upload, None, key, state, fingerprint)

    async def drop_upload(self, key: str) -> None:
        """Note that there is no upload to go on with."""
        await self._try(self._file.drop_upload, None, key)

    async def aclose(self) -> None:
        """Let go of the file."""
        await surely(self._file.close)

    async def _try(self, function: Callable[..., T], otherwise: T, *args: object) -> T:
        return await calls.call(self._file.attempt, function, otherwise, *args)


async def open_journal(
    path: str | os.PathLike[str], source: AsyncBaseStore, target: AsyncBaseStore
) -> Journal:
    """Open a journal, which may hold what is known of other pairs of stores, too.

    Args:
        path: The file; made where there is none. One that is damaged is renamed, and begun anew.
        source: One end.
        target: The other.

    Raises:
        StoreUnavailable: Another sync uses it.
        ConfigError: The file is something else, or of a newer version.
        StoreError: It cannot be opened.
    """
    file = await calls.acquire(JournalFile.close, _opened, Path(path), source, target)
    return Journal(file)


def _opened(path: Path, source: AsyncBaseStore, target: AsyncBaseStore) -> JournalFile:
    return JournalFile(path, identity(source), identity(target))


def identity(store: AsyncBaseStore) -> str:
    """What tells a store from others, in the same process or a later one.

    It is where the objects are, and through what they are seen: the same file read through gzip
    has other bytes, and the same etag.
    """
    places = store._locations()
    known_later = all(service != "object" for service, _ in places)
    return json.dumps([list(_kinds(store)), places, "" if known_later else _PROCESS])


def _kinds(store: AsyncBaseStore) -> Iterator[str]:
    yield type(store).__qualname__
    for child in getattr(store, "_children", ()):
        yield from _kinds(child)


def remembering(
    here: ObjectInfo,
    there: ObjectInfo,
    digest: str | None,
    read_at: datetime,
    *,
    copied: bool = False,
) -> Remembered | None:
    """The row that says that two objects are the same, if their fingerprints can bear that.

    Args:
        here: The source's.
        there: The target's.
        digest: Of their bytes, if it is known.
        read_at: When the run began to list. An object that was written right before may be written
            again and look the same, if its fingerprint is no more than a length and a time.
        copied: Whether the run wrote the target's, whose time may be that of the source's: it was
            not written before, however old it looks.

    Returns:
        None where nothing may be remembered.
    """
    prints = fingerprint(here), fingerprint(there)
    if prints[0] is None or prints[1] is None:
        return None
    was_there = not copied and _is_older(there, read_at)
    if _is_racy(here, read_at) or (was_there and _is_racy(there, read_at)):
        return None
    return Remembered(here.key, prints[0], prints[1], digest)


def _is_racy(info: ObjectInfo, read_at: datetime) -> bool:
    if info.modified is None or not _is_weak(info):
        return False
    return info.modified > read_at - (FINE if info.modified.microsecond else COARSE)


def _is_weak(info: ObjectInfo) -> bool:
    """Whether a fingerprint is made of length and time, as etags of files are."""
    return info.etag is None or f"-{info.size or 0:x}-" in info.etag


def _is_older(info: ObjectInfo, read_at: datetime) -> bool:
    """Whether an object was there when the run began; what is newer, the run wrote."""
    return info.modified is not None and info.modified < read_at
