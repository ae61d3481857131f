"""Listings: a walk over the directories in the order of the keys."""

from __future__ import annotations

import errno
import heapq
import logging
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TypeAlias

from ...._core.errors import AccessDenied, StoreUnavailable
from ...._core.info import ListResult
from ...._core.keys import MAX_KEY_BYTES
from ...._core.unlisted import current
from .hidden import is_temporary
from .layout import Layout, is_text
from .lifetimes import MARK, is_over_in
from .places import describe
from .tree import LIST, Parts, Tree
from .waiting import patiently_here

logger = logging.getLogger("storage.files")

KNOWN = 1024
"""Files of one directory whose facts are in memory at a time."""

Facts: TypeAlias = os.stat_result | None
Listed: TypeAlias = tuple[str, Facts]
Entry: TypeAlias = tuple[bytes, bool, Facts]
"""The tail of an object or a directory, whether it is a directory, and what is known of it."""


@dataclass(repr=False, eq=False)
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
    _root: os.stat_result | None = None
    _ends: bool | None = None

    def __iter__(self) -> Iterator[Listed | None]:
        """The keys, each with its file's facts; a None wherever the walk may pause."""
        for parts, begin in self._start():
            try:
                yield from self._descend(parts, begin)
                self._check_root()
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
        ends = self._has_ends()
        below = replace(self, prefix=begin, facts=False, _above=[], _ends=ends)
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

    def _has_ends(self) -> bool:
        """Whether there are files with ends, so that bare keys are not enough."""
        if self._ends is None:
            assert self._root is not None
            self._ends = self.tree.lifetimes.are_there(self._root)
        return self._ends

    def _looks(self) -> bool:
        """Whether each file is looked at."""
        return self.facts or self._has_ends()

    def _identity(self) -> os.stat_result:
        try:
            found = os.stat(self.tree.root)
        except OSError as error:
            self.tree.fail(error, ())
        if not stat.S_ISDIR(found.st_mode):
            self.tree.fail(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), ())
        return found

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
        files.sort()
        objects = self._files(parts, files, known, depth)
        if not directories:
            yield from objects
            return
        below = ((tail, True, None) for tail in sorted(directories))
        yield from heapq.merge(objects, below, key=itemgetter(0)) if files else below

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
        self._check_root(error)
        try:
            self.tree.refuse_link(parts)
        except AccessDenied:
            self._skipped["symbolic links"] += 1

    def _check_root(self, error: OSError | None = None) -> None:
        """Raise unless it is the one that it was."""
        assert self._root is not None
        if not os.path.samestat(self._identity(), self._root):
            # Such as unmounted: what is left of the listing would only look like its end.
            raise StoreUnavailable("the root was replaced while it was listed") from error

    def _scan(
        self, directory: int, begin: bytes, known: dict[bytes, Facts]
    ) -> tuple[list[bytes], list[bytes]]:
        """The tails of the objects and of the directories that are wanted."""
        prefix = self.prefix[len(begin) :]
        after = self.start_after[len(begin) :] if self.start_after.startswith(begin) else b""
        files, directories = [], []
        meaning = self._meaning(begin)
        with os.scandir(directory) as entries:
            for entry in entries:
                tail, is_directory = meaning(entry)
                if tail is None:
                    continue
                if is_directory:
                    if (tail.startswith(prefix) or prefix.startswith(tail)) and (
                        tail > after or after.startswith(tail)
                    ):
                        directories.append(tail)
                elif tail > after and tail.startswith(prefix):
                    files.append(tail)
        if len(files) <= KNOWN and self._looks():
            self._look(directory, files, known)
        return files, directories

    def _meaning(self, begin: bytes) -> Callable[[os.DirEntry[str]], tuple[bytes | None, bool]]:
        """Tells the tail that an entry stands for, and whether it is a directory."""
        layout, follow, ascii_goes_on = self.layout, self.tree.follow, is_text(begin)
        file_tail, room = layout.file_tail, MAX_KEY_BYTES - len(begin)

        def meaning(entry: os.DirEntry[str]) -> tuple[bytes | None, bool]:
            name = entry.name.encode(errors="surrogateescape")
            if name[:1] == b"." and is_temporary(name):
                return None, False
            if entry.is_file(follow_symlinks=False) or (follow and entry.is_file()):
                tail = file_tail(name)
                if tail is None or len(tail) > room:
                    return self._no_key(begin + name)
                if (ascii_goes_on and tail.isascii()) or is_text(begin + tail):
                    return tail, False
                return self._no_key(begin + name)
            if not follow and entry.is_symlink():
                return self._skip("symbolic links")
            if not entry.is_dir(follow_symlinks=follow):
                return self._skip("files of another kind")
            tail = layout.directory_tail(name)
            if tail is None or len(tail) >= room:
                return self._no_key(begin + name + b"/")
            return tail, True

        return meaning

    def _no_key(self, name: bytes) -> tuple[None, bool]:
        hearer = current.get()
        if hearer is None:
            return self._skip("names that are no keys")
        if name.startswith(self.prefix):
            hearer.add(os.fsdecode(name))
        return None, False

    def _skip(self, what: str) -> tuple[None, bool]:
        self._skipped[what] += 1
        return None, False

    def _files(
        self, parts: Parts, tails: list[bytes], known: dict[bytes, Facts], depth: int
    ) -> Iterator[Entry]:
        """The objects of one directory; those whose files are gone by now are left out."""
        if not self._looks():
            for tail in tails:
                yield tail, False, None
            return
        for first in range(0, len(tails), KNOWN):
            some = tails[first : first + KNOWN]
            if not known:
                self._learn(parts, some, known, self._above[depth])
            for tail in some:
                facts = known.get(tail)
                if facts is not None:
                    yield tail, False, facts
            known.clear()

    def _learn(
        self, parts: Parts, tails: list[bytes], known: dict[bytes, Facts], was: tuple[int, int]
    ) -> None:
        """Learn the facts of some more objects of a directory that was closed meanwhile."""
        try:
            with self.tree.entered(parts) as directory:
                now = os.fstat(directory)
                if now.st_dev != was[0] or (not parts and now.st_ino != was[1]):
                    raise StoreUnavailable("a directory was replaced while it was listed")
                self._look(directory, tails, known)
        except OSError as error:
            self._vanished(error, parts)

    def _look(self, directory: int, tails: list[bytes], known: dict[bytes, Facts]) -> None:
        """Learn the facts of some objects of a directory that is open."""
        file_name, follow, stat_in, is_file = (
            self.layout.file_name, self.tree.follow, os.stat, stat.S_ISREG,
        )  # fmt: skip
        for tail in tails:
            name = file_name(tail)
            try:
                found = stat_in(name, dir_fd=directory, follow_symlinks=follow)
            except FileNotFoundError:
                continue
            mode = found.st_mode
            if is_file(mode) and not (
                mode & MARK and is_over_in(directory, name, found, follow=follow)
            ):
                known[tail] = found
