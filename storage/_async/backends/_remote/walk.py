"""Listings: a walk over the directories in the order of the keys."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TypeAlias

from ...._core.closing import closing
from ...._core.errors import InvalidKey, MalformedResponse
from ...._core.info import ListResult, ObjectInfo
from ...._core.keys import MAX_KEY_BYTES
from .paths import above, check_key, is_temporary
from .session import Facts, Kind

logger = logging.getLogger("storage.remote")

Scan: TypeAlias = Callable[[str, bool], Awaitable[list[tuple[bytes, Facts]] | None]]
Entry: TypeAlias = tuple[bytes, Facts]
"""What follows the part of the key that the directories above make, and what is known."""


@dataclass
class Walk:
    """One listing.

    Between two steps no session is held. The entries of each directory on the way down are in
    memory, to sort them.

    Args:
        scan: Gives what a directory below the root holds, by its path there, which ends with a
            slash or is empty, and whether it is the first one; None where there is none. Raises
            where the root is gone.
        prefix: What the keys begin with.
        start_after: What they come after.
    """

    scan: Scan
    prefix: bytes = b""
    start_after: bytes = b""
    _skipped: Counter[str] = field(default_factory=Counter)

    async def __aiter__(self) -> AsyncIterator[ObjectInfo]:
        """What is known of the objects, in order."""
        begin = self._start()
        if begin is None:
            await self.scan("", True)  # raises where there is no store
            return
        try:
            async with closing(self._descend(begin)) as infos:
                async for info in infos:
                    yield info
        finally:
            self._report()

    async def one_level(self) -> ListResult:
        """The objects of one directory and the directories in it that hold any, at any depth."""
        objects, prefixes = [], []
        begin = self._start()
        if begin is None:
            await self.scan("", True)
            return ListResult((), ())
        for tail, facts in await self._level(begin, first=True):
            key = begin + tail.decode()
            if facts.kind is Kind.FILE:
                objects.append(_describe(key, facts))
            elif await self._holds(key):
                prefixes.append(key)
        self._report()
        return ListResult(tuple(prefixes), tuple(objects))

    async def _holds(self, begin: str) -> bool:
        below = replace(self, prefix=begin.encode(), start_after=b"")
        async with closing(below._descend(begin)) as infos:
            async for _ in infos:
                return True
        return False

    def _start(self) -> str | None:
        """The deepest directory that has all keys with the prefix; None where there can be none."""
        try:
            begin = above(self.prefix.decode())
            if begin:
                check_key(begin[:-1])
        except (UnicodeDecodeError, InvalidKey):
            return None
        if "\0" in begin or len(begin) > MAX_KEY_BYTES:
            return None
        first = begin.encode()
        return begin if first >= self.start_after or self.start_after.startswith(first) else None

    def _report(self) -> None:
        if self._skipped:
            counts = ", ".join(f"{n} {what}" for what, n in sorted(self._skipped.items()))
            logger.warning("not listed: %s", counts)

    async def _descend(self, begin: str) -> AsyncIterator[ObjectInfo]:
        levels = [(begin, iter(await self._level(begin, first=True)))]
        while levels:
            begin, entries = levels[-1]
            for tail, facts in entries:
                key = begin + tail.decode()
                if facts.kind is Kind.DIRECTORY:
                    levels.append((key, iter(await self._level(key))))
                    break
                yield _describe(key, facts)
            else:
                levels.pop()

    async def _level(self, begin: str, *, first: bool = False) -> list[Entry]:
        """What one directory holds, in order; nothing where it is gone meanwhile."""
        found = await self.scan(begin, first) or []
        files: list[Entry] = []
        directories: list[Entry] = []
        for entry in self._wanted(begin.encode(), found):
            (directories if entry[1].kind is Kind.DIRECTORY else files).append(entry)
        files.sort(key=itemgetter(0))
        directories.sort(key=itemgetter(0))
        return list(heapq.merge(files, directories, key=itemgetter(0)))

    def _wanted(self, begin: bytes, found: list[tuple[bytes, Facts]]) -> Iterator[Entry]:
        prefix = self.prefix[len(begin) :]
        after = self.start_after[len(begin) :] if self.start_after.startswith(begin) else b""
        for name, facts in found:
            if not self._is_ours(begin, name, facts):
                continue
            if facts.kind is Kind.FILE:
                if name > after and name.startswith(prefix):
                    yield name, facts
                continue
            tail = name + b"/"
            if (tail.startswith(prefix) or prefix.startswith(tail)) and (
                tail > after or after.startswith(tail)
            ):
                yield tail, facts

    def _is_ours(self, begin: bytes, name: bytes, facts: Facts) -> bool:
        if name in (b".", b".."):
            return False
        if b"/" in name or b"\0" in name:
            raise MalformedResponse("the server has named a file that cannot be in a directory")
        if facts.kind not in (Kind.FILE, Kind.DIRECTORY):
            self._skipped["links and other things that are no files"] += 1
            return False
        try:
            text = name.decode()
            if is_temporary(text):
                return False
            check_key(text)
        except (UnicodeDecodeError, InvalidKey):
            self._skipped["names that are no keys"] += 1
            return False
        if len(begin) + len(name) > MAX_KEY_BYTES:
            self._skipped["names that are no keys"] += 1
            return False
        return True


def _describe(key: str, facts: Facts) -> ObjectInfo:
    return ObjectInfo(key, facts.size, None, facts.modified)
