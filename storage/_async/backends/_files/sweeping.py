"""Upkeep: removing what killed writers have left behind, and objects whose time is over."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from time import time

from .hidden import is_alive, is_temporary
from .layout import Layout
from .lifetimes import MARK, end_in, is_past, mark, read
from .locks import locked
from .tree import LIST, READ, Parts, Tree

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Sweep:
    """One look through a tree.

    Args:
        tree: The root. Links are not followed, whatever it says.
        layout: What else than objects may lie there.
        older_than: Seconds since somebody last wrote to what may go.
    """

    def __init__(self, tree: Tree, layout: Layout, older_than: float) -> None:
        self.tree = tree
        self.layout = layout
        self.before = time() - older_than
        self._ends = False

    def __iter__(self) -> Iterator[int]:
        """How much was removed, directory by directory."""
        try:
            with self.tree.entered(()) as root:
                self._ends = self.tree.lifetimes.are_there(os.fstat(root))
        except OSError as error:
            self.tree.fail(error, ())
        waiting: list[Parts] = [()]
        while waiting:
            parts = waiting.pop()
            try:
                removed, below = self._directory(parts)
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                continue
            waiting.extend([*parts, name] for name in below)
            if removed:
                self.tree.prune(parts)
            yield removed

    def _directory(self, parts: Parts) -> tuple[int, list[bytes]]:
        removed, below = 0, []
        with self.tree.entered(parts, LIST) as directory:
            with os.scandir(directory) as entries:
                found = [(os.fsencode(e.name), e.is_dir(follow_symlinks=False)) for e in entries]
            for name, is_directory in found:
                if is_directory:
                    below.append(name)
                elif is_temporary(name):
                    removed += self._temporary(directory, name)
                elif (owner := self.layout.owner(parts, name)) is not None:
                    removed += self._orphan(directory, name, owner)
                elif self._ends:
                    removed += self._over(directory, name)
            if removed:
                self.tree.sync(directory)
        return removed, below

    def _temporary(self, directory: int, name: bytes) -> bool:
        with suppress(FileNotFoundError):
            if not self._is_old(os.stat(name, dir_fd=directory, follow_symlinks=False)):
                return False
            file = os.open(name, READ | os.O_NOFOLLOW, dir_fd=directory)
            try:
                if is_alive(file) or not self._is_old(os.fstat(file)):
                    return False
                os.unlink(name, dir_fd=directory)
                return True
            finally:
                os.close(file)
        return False

    def _orphan(self, directory: int, name: bytes, owner: bytes) -> bool:
        """Remove what is kept beside an object, if there is no object."""
        with suppress(FileNotFoundError), locked(directory) as held:
            if held and self._is_old(os.stat(name, dir_fd=directory, follow_symlinks=False)):
                try:
                    os.stat(owner, dir_fd=directory, follow_symlinks=False)
                except FileNotFoundError:
                    os.unlink(name, dir_fd=directory)
                    return True
        return False

    def _over(self, directory: int, name: bytes) -> bool:
        """Remove an object whose time is over."""
        end = end_in(directory, name)
        if not is_past(end):
            if end is not None:
                self._mark(directory, name)
            return False
        with locked(directory) as held:
            if not (held and is_past(end_in(directory, name))):
                return False  # somebody has put another one there
            os.unlink(name, dir_fd=directory)
            self.layout.forget(directory, name)
            return True

    def _mark(self, directory: int, name: bytes) -> None:
        """Mark a file anew that has an end, if somebody has set all permissions meanwhile."""
        with suppress(OSError):  # it is gone, or not ours
            file = os.open(name, READ | os.O_NOFOLLOW, dir_fd=directory)
            try:
                if not os.fstat(file).st_mode & MARK and read(file) is not None:
                    mark(file)
            finally:
                os.close(file)

    def _is_old(self, found: os.stat_result) -> bool:
        return stat.S_ISREG(found.st_mode) and found.st_mtime < self.before
