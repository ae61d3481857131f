"""Giving an object another key by renaming its file."""

from __future__ import annotations

import errno
import os
import stat

from ...._core.errors import ObjectNotFound
from ...._core.info import ObjectInfo, WriteOptions
from . import attributes
from .layout import Layout
from .lifetimes import is_over_in
from .locks import locked
from .names import is_anothers
from .places import describe, make_room, make_way, rename
from .tree import LIST, Tree, linked, retried


class Move:
    """One move of an object.

    Args:
        tree: Where it lies.
        layout: Where under it the object of a key lies.
        source: The key that it has.
        target: The key that it gets.
        if_absent: Whether there may be no object under ``target``.
    """

    def __init__(
        self, tree: Tree, layout: Layout, source: str, target: str, if_absent: bool
    ) -> None:
        self.tree = tree
        self.layout = layout
        self.source = source
        self.key = target
        self.options = WriteOptions(if_absent)
        self.old = layout.parts(source)
        self.new = layout.parts(target)

    def run(self) -> ObjectInfo | None:
        """Move; None where the file cannot be renamed, but only copied and removed."""
        try:
            above = self.tree.enter(self.old[:-1], LIST)
        except OSError as error:
            self.tree.fail(error, self.old[:-1], key=self.source)
        try:
            info = self._arrive(above)
            if info is not None:
                self.tree.sync(above)
        finally:
            os.close(above)
        self.tree.prune((self.old if info is not None else self.new)[:-1])
        return info

    def _arrive(self, above: int) -> ObjectInfo | None:
        try:
            return retried(lambda: self._try(above))
        except BaseException as error:
            self.tree.prune(self.new[:-1])
            if isinstance(error, OSError):
                if error.errno == errno.EXDEV:
                    return None
                self.tree.fail(error, self.new[:-1], writing=True)
            raise

    def _try(self, above: int) -> ObjectInfo | None:
        below = make_way(self.tree, self.new[:-1])
        try:
            with locked(above, below) as held:
                found = self._rename(above, below, held)
                if found is None:
                    return None
                found = os.stat(self.new[-1], dir_fd=below, follow_symlinks=False)
                known = self._attributes(below)
            self.tree.sync(below)
            return describe(self.key, found, known)
        finally:
            os.close(below)

    def _rename(self, above: int, below: int, held: bool) -> os.stat_result | None:
        old, new = self.old[-1], self.new[-1]
        found = self._source(above)
        if found is None:
            return None
        there = make_room(self.tree, below, self.new, held)
        self.options.check(self.key, None if there is None else describe(self.key, there))
        self.layout.keep(below, new, self.key, self.tree.durable)
        if there is not None and found.st_nlink > 1 and os.path.samestat(there, found):
            os.unlink(old, dir_fd=above)  # a rename between two names of one file does nothing
        else:
            rename(old, above, new, below, self.options.if_absent, held)
        self.layout.forget(above, old)
        return found

    def _attributes(self, below: int) -> attributes.Known:
        if not self.tree.attributes:
            return attributes.UNKNOWN
        try:
            return attributes.unpack(attributes.read_in(below, self.new[-1]))
        except PermissionError:
            return attributes.UNKNOWN

    def _source(self, above: int) -> os.stat_result | None:
        """The file to rename; None where it is a link that is to be followed."""
        try:
            found = os.stat(self.old[-1], dir_fd=above, follow_symlinks=False)
        except FileNotFoundError as error:
            raise self._missing() from error
        if stat.S_ISLNK(found.st_mode):
            if self.tree.follow:
                return None
            raise linked(self.old)
        if not stat.S_ISREG(found.st_mode) or is_anothers(self.tree, above, self.old):
            raise self._missing()
        if is_over_in(above, self.old[-1], found):
            raise self._missing()
        return found

    def _missing(self) -> ObjectNotFound:
        return ObjectNotFound("there is no object under this key", key=self.source)
