"""Moving objects from one cut of their hashes to another."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from .hashed import SUFFIX, HashLayout, is_digest, read
from .layout import Layout
from .locks import locked
from .places import NO_LINKS
from .tree import LIST, READ, Parts, Tree, retried
from .waiting import patiently_here
from .walk import Walk

BATCH = 256
"""Objects that are moved between two syncs."""
_PLAIN = Layout()


class Rehash:
    """Moves every object under a root to where a layout has it, from wherever another one had it.

    A file's way says by itself whether it is an object: its names together are a hash. So nobody
    has to know how it was cut, and what was interrupted, even between several layouts, goes on.
    Each object moves by one rename, after the file with its key was linked to where it will be.

    Args:
        tree: The root.
        layout: Where the objects are to lie.
    """

    def __init__(self, tree: Tree, layout: HashLayout) -> None:
        self.tree = tree
        self.layout = layout
        self._touched: set[tuple[bytes, ...]] = set()

    def __iter__(self) -> Iterator[int]:
        """How many were moved, step by step."""
        pending = 0
        for found in Walk(self.tree, _PLAIN):
            old = [] if found is None else found[0].encode().split(b"/")
            if is_digest(b"".join(old)):
                pending += self._moved(old)
            elif old and (owner := self.layout.owner(old[:-1], old[-1])) is not None:
                self._clean(old[:-1], owner)
            if pending >= BATCH:
                self._settle()
                yield pending
                pending = 0
            elif found is None:
                yield 0
        self._settle()
        yield pending

    def _moved(self, old: Parts) -> bool:
        new = self.layout.cut(b"".join(old))
        if new == list(old):
            return False
        moved = patiently_here(lambda: retried(lambda: self._move(old, new)))
        if moved:
            self._touched |= {tuple(old[:-1]), tuple(new[:-1])}
        else:
            self.tree.prune(new[:-1])
        return moved

    def _clean(self, above: Parts, owner: bytes) -> None:
        """Remove the file with the key of an object that was moved, where that was not ended."""
        if self.layout.is_place([*above, owner]):
            return
        with (
            suppress(FileNotFoundError),
            self.tree.entered(above, LIST) as directory,
            locked(directory),
        ):
            if _facts(directory, owner) is None:
                self.layout.forget(directory, owner)
                self._touched.add(tuple(above))

    def _move(self, old: Parts, new: Parts) -> bool:
        try:
            above = self.tree.enter(old[:-1], LIST)
        except FileNotFoundError:
            return False  # it was moved or removed, and its directory with it
        try:
            below = self.tree.make(new[:-1])
            try:
                with locked(above, below):
                    return self._rename(above, old[-1], below, new[-1])
            finally:
                os.close(below)
        finally:
            os.close(above)

    def _rename(self, above: int, old: bytes, below: int, new: bytes) -> bool:
        here = _facts(above, old)
        if here is None:
            return False
        there = _facts(below, new)
        if there is not None and there.st_mtime_ns >= here.st_mtime_ns:
            os.unlink(old, dir_fd=above)  # it was put again meanwhile, where it belongs
        else:
            with suppress(FileNotFoundError):  # as amplify-storage-utils leaves it
                self._keep(above, old, below, new)
            os.rename(old, new, src_dir_fd=above, dst_dir_fd=below)
        self.layout.forget(above, old)
        return True

    def _keep(self, above: int, old: bytes, below: int, new: bytes) -> None:
        """Have the key's file in the new place, too."""
        kept, wanted = old + SUFFIX, new + SUFFIX
        try:
            os.link(kept, wanted, src_dir_fd=above, dst_dir_fd=below, follow_symlinks=False)
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            key = read(os.open(kept, READ | os.O_NOFOLLOW, dir_fd=above)).decode()
            self.layout.keep(below, new, key, self.tree.durable)

    def _settle(self) -> None:
        """Make durable what was moved, and remove the directories that it has left."""
        for parts in self._touched:
            with suppress(FileNotFoundError), self.tree.entered(parts, LIST) as directory:
                self.tree.sync(directory)
            self.tree.prune(parts)
        self._touched.clear()


def _facts(directory: int, name: bytes) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        return found if stat.S_ISREG(found.st_mode) else None
    return None
