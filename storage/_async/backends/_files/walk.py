"""Listings: a walk over the directories in the order of the keys."""

from __future__ import annotations

import errno
import heapq
import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TypeAlias

from ...._core.errors import AccessDenied, StoreUnavailable
from ...._core.info import ListResult
from ...._core.keys import MAX_KEY_BYTES
from .hidden import is_temporary
from .layout import Layout, is_text
from .pending import describe
from .tree import LIST, Parts, Tree
from .waiting import patiently_here

logger = logging.getLogger("storage.files")

KNOWN = 1024
"""Files of one directory whose facts are in memory at a time."""

Facts: TypeAlias = os.stat_result | None
Listed: TypeAlias = tuple[str, Facts]
Entry: TypeAlias = tuple[bytes, bool, Facts]
"""The tail of an object or a directory, whether it is a directory, and what is known of it."""


@dataclass
class Walk:
    """One listing.

    No descriptor stays open between two steps, so that a listing that is forgotten half-way costs
    nothing. The names of each directory on the way down are held in memory, to sort them.

    Args:
        tree: The root.
        layout: What the names mean.
        prefix: What the keys begin with.
        start_after: What they come after.
        facts: Whether the facts of each file are wanted, too.
    """

    tree: Tree
    layout: Layout
    prefix: bytes = b""
    start_after: bytes = b""
    facts: bool = False
    _skipped: Counter[str] = field(default_factory=Counter)
    _above: list[tuple[int, int]] = field(default_factory=list)
    _root: tuple[int, int] = (0, 0)

    def __iter__(self) -> Iterator[Listed | None]:
        """The keys, each with its file's facts; a None wherever the walk may pause."""
        for parts, begin in self._start():
            try:
                yield from self._descend(parts, begin)
            finally:
                self._report()

    def one_level(self) -> ListResult:
        """The objects of one directory and the directories in it that hold any, at any depth."""
        objects, prefixes = [], []
        for parts, begin in self._start():
            for tail, is_directory, facts in self._level(parts, begin, 0):
                if is_directory and self._holds([*parts, tail[:-1]], begin + tail):
                    prefixes.append((begin + tail).decode())
                elif facts is not None:
                    objects.append(describe((begin + tail).decode(), facts))
            self._report()
        return ListResult(tuple(prefixes), tuple(objects))

    def _holds(self, parts: Parts, begin: bytes) -> bool:
        below = replace(self, prefix=begin, facts=False, _above=[])
        return any(found is not None for found in below._descend(parts, begin))

    def _start(self) -> Iterator[tuple[Parts, bytes]]:
        """Where to begin, if there can be any such keys."""
        self._root = self._identity()
        parts = self.layout.start(self.prefix)
        if parts is not None:
            begin = b"".join(self.layout.directory_tail(part) or b"" for part in parts)
            if begin >= self.start_after or self.start_after.startswith(begin):
                yield parts, begin

    def _report(self) -> None:
        if self._skipped:
            counts = ", ".join(f"{n} {what}" for what, n in sorted(self._skipped.items()))
            logger.warning("not listed in %s: %s", os.fsdecode(self.tree.root), counts)

    def _identity(self) -> tuple[int, int]:
        try:
            found = os.stat(self.tree.root)
        except OSError as error:
            self.tree.fail(error, ())
        if not stat.S_ISDIR(found.st_mode):
            self.tree.fail(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), ())
        return found.st_dev, found.st_ino

    def _descend(self, parts: Parts, begin: bytes) -> Iterator[Listed | None]:
        levels = [(parts, begin, self._level(parts, begin, 0))]
        while levels:
            parts, begin, entries = levels[-1]
            for tail, is_directory, facts in entries:
                if is_directory:
                    below = [*parts, self.layout.directory_name(tail)]
                    level = self._level(below, begin + tail, len(levels))
                    levels.append((below, begin + tail, level))
                    break
                yield (begin + tail).decode(), facts
            else:
                levels.pop()
            yield None

    def _level(self, parts: Parts, begin: bytes, depth: int) -> Iterator[Entry]:
        """What one directory holds, in order."""
        known: dict[bytes, Facts] = {}
        try:
            files, directories = patiently_here(lambda: self._read(parts, begin, depth, known))
        except OSError as error:
            self._vanished(error, parts)
            return
        yield from heapq.merge(
            self._files(parts, sorted(files), known),
            ((tail, True, None) for tail in sorted(directories)),
            key=itemgetter(0),
        )

    def _read(
        self, parts: Parts, begin: bytes, depth: int, known: dict[bytes, Facts]
    ) -> tuple[list[bytes], list[bytes]]:
        with self.tree.entered(parts, LIST) as directory:
            if self._turns_back(directory, depth):
                return [], []
            return self._scan(directory, begin, known)

    def _turns_back(self, directory: int, depth: int) -> bool:
        """Whether followed links have led to a directory that is on the way already."""
        found = os.fstat(directory)
        identity = found.st_dev, found.st_ino
        del self._above[depth:]
        if identity in self._above:
            self._skipped["links to a directory above"] += 1
            return True
        self._above.append(identity)
        return False

    def _vanished(self, error: OSError, parts: Parts) -> None:
        """Go on without a directory that is gone, if nothing else is."""
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise error
        if self._identity() != self._root:
            # Such as unmounted: what is left of the listing would only look like its end.
            raise StoreUnavailable("the root was replaced while it was listed") from error
        try:
            self.tree.refuse_link(parts)
        except AccessDenied:
            self._skipped["symbolic links"] += 1

    def _scan(
        self, directory: int, begin: bytes, known: dict[bytes, Facts]
    ) -> tuple[list[bytes], list[bytes]]:
        """The tails of the objects and of the directories that are wanted."""
        prefix = self.prefix[len(begin) :]
        after = self.start_after[len(begin) :] if self.start_after.startswith(begin) else b""
        files, directories = [], []
        with os.scandir(directory) as entries:
            for entry in entries:
                tail, is_directory = self._meaning(entry, begin)
                if tail is None:
                    continue
                if is_directory:
                    if (tail.startswith(prefix) or prefix.startswith(tail)) and (
                        tail > after or after.startswith(tail)
                    ):
                        directories.append(tail)
                elif tail > after and tail.startswith(prefix):
                    files.append(tail)
                    if self.facts and len(known) < KNOWN:
                        known[tail] = self._facts(directory, os.fsencode(entry.name))
        return files, directories

    def _meaning(self, entry: os.DirEntry[str], begin: bytes) -> tuple[bytes | None, bool]:
        """The tail that an entry stands for, and whether it is a directory."""
        name, follow = os.fsencode(entry.name), self.tree.follow
        if is_temporary(name):
            return None, False
        if not follow and entry.is_symlink():
            return self._skip("symbolic links")
        if entry.is_dir(follow_symlinks=follow):
            tail, room = self.layout.directory_tail(name), MAX_KEY_BYTES - 1
            text, is_directory = True, True
        elif entry.is_file(follow_symlinks=follow):
            tail, room = self.layout.file_tail(name), MAX_KEY_BYTES
            text, is_directory = tail is None or is_text(begin + tail), False
        else:
            return self._skip("files of another kind")
        if tail is None or not text or len(begin) + len(tail) > room:
            return self._skip("names that are no keys")
        return tail, is_directory

    def _skip(self, what: str) -> tuple[None, bool]:
        self._skipped[what] += 1
        return None, False

    def _files(
        self, parts: Parts, tails: list[bytes], known: dict[bytes, Facts]
    ) -> Iterator[Entry]:
        """The objects of one directory; those whose files are gone by now are left out."""
        for first in range(0, len(tails), KNOWN):
            some = tails[first : first + KNOWN]
            if self.facts:
                self._learn(parts, some, known)
            for tail in some:
                facts = known.pop(tail, None)
                if facts is not None or not self.facts:
                    yield tail, False, facts

    def _learn(self, parts: Parts, tails: list[bytes], known: dict[bytes, Facts]) -> None:
        missing = [tail for tail in tails if tail not in known]
        if not missing:
            return
        try:
            with self.tree.entered(parts) as directory:
                for tail in missing:
                    known[tail] = self._facts(directory, self.layout.file_name(tail))
        except OSError as error:
            self._vanished(error, parts)

    def _facts(self, directory: int, name: bytes) -> Facts:
        try:
            found = self.tree.stat_in(directory, name)
        except FileNotFoundError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None
