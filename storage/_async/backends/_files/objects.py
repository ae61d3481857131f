"""The blocking work on single objects that are files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

from ...._core.errors import (
    ObjectNotFound,
    StoreError,
    from_oserror,
)
from ...._core.info import (
    WRITE_OVER,
    ByteRange,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
    check_delete,
)
from .kernel import copy_by_kernel
from .layout import Layout
from .lifetimes import MARK, is_over
from .locks import locked, require
from .moving import Move
from .names import is_anothers
from .opened import OpenFile
from .pending import Pending
from .places import describe, found_in, gives_way
from .quick import is_quick, put_new
from .tree import LIST, Parts, Tree, linked
from .waiting import patiently_here

ENOUGH = 8
"""New objects in a row after which the short way is tried. It needs modules that take longer to
import than a few objects need, and is the longer one for an object that replaces another."""
_READ_BYTES = 1024 * 1024
"""Bytes that are copied by where the kernel cannot do it alone."""


class Objects:
    """Objects as files under a root.

    Args:
        tree: The root.
        layout: Where under it the object of a key lies.
        ttl: Seconds that an object lives after it was put; None: for ever.
    """

    def __init__(self, tree: Tree, layout: Layout, ttl: float | None = None) -> None:
        self.tree = tree
        self.layout = layout
        self.ttl = ttl
        self._quick = ttl is None and is_quick(tree, layout)
        self._new = 0
        """How many puts in a row were of new objects, as the next one is then, as a rule."""

    def open(self, key: str) -> OpenFile:
        """Open an object for reading."""
        return OpenFile(self.tree, self.layout, key)

    def data(self, key: str, byte_range: ByteRange | None) -> bytes:
        """An object's bytes, or a range of them, and nothing else, which takes longer to tell."""
        parts = self.layout.parts(key)
        try:
            file = self.tree.open(parts)
        except OSError as error:
            self.tree.fail(error, parts)
        try:
            found = os.fstat(file)
            if stat.S_ISREG(found.st_mode) and not is_over(file, found):
                start, end = 0, found.st_size
                if byte_range is not None:
                    start, end = byte_range.resolve(end)
                data = os.pread(file, end - start, start)
                if len(data) == end - start:
                    return data
        finally:
            os.close(file)
        # It is very large, is being cut, is over, or is no file.
        return self.read(key, ReadOptions(byte_range))[0]

    def read(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        """An object's bytes, or a range of them, and what the file they came from tells."""
        file = self.open(key)
        try:
            if options.conditional:
                options.check(file.info)
            start, end = 0, file.found.st_size
            if options.byte_range is not None:
                start, end = options.byte_range.resolve(end)
            data = file.read(start, end)
            if options.if_match is not None:
                file.verify()
            return data, file.info
        finally:
            file.close()

    def head(self, key: str) -> ObjectInfo:
        """What is known of an object."""
        if not self.tree.attributes:
            return self.stat(key)
        try:
            # By its name, the attributes might be those of the next version.
            with closing(self.open(key)) as file:
                return file.info
        except PermissionError:
            return self.stat(key)  # they are as unreadable as its bytes are

    def stat(self, key: str) -> ObjectInfo:
        """What is known of an object without looking into its file: all but its attributes."""
        parts = self.layout.parts(key)
        try:
            found = self.tree.stat(parts)
        except OSError as error:
            self.tree.fail(error, parts)
        if stat.S_ISLNK(found.st_mode):
            raise linked(parts)
        if not stat.S_ISREG(found.st_mode):
            raise ObjectNotFound("there is no object under this key", key=key)
        if found.st_mode & MARK:
            with suppress(PermissionError), closing(self.open(key)) as file:
                return file.info
        return describe(key, found)

    def exists(self, key: str) -> bool:
        """Whether there is an object under a key."""
        try:
            self.stat(key)
        except ObjectNotFound:
            return False
        return True

    def begin(self, key: str, fresh: bool | None = False) -> Pending:
        """Begin to write an object; ``fresh`` where it will replace nothing, None to look."""
        return Pending(self.tree, self.layout, key, fresh=fresh, ttl=self.ttl)

    def write(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        """Store an object."""
        if (
            self._new >= ENOUGH
            and (options is WRITE_OVER or _is_plain(options))
            and not (self.tree.syncs and self.tree.durable)
        ):
            done = put_new(self.tree, self.layout, key, data, options.modified)
            if isinstance(done, ObjectInfo):
                return done
            if done is not None:
                self._new = 0
                with closing(done) as pending:
                    return pending.appear(options)
        with closing(self.begin(key, options.if_absent or None)) as pending:
            self._new = self._new + 1 if self._quick and pending.fresh else 0
            pending.write(data)
            return pending.publish(options)

    def delete(self, key: str, if_match: str | None = None) -> None:
        """Remove an object, and the directories that are empty without it."""
        lived = self._remove(key, if_match, sync=True)
        self.tree.prune(self.layout.parts(key)[:-1])
        if not lived:
            check_delete(key, None, if_match)

    def delete_if_there(self, key: str) -> None:
        """Like `delete`, with no error where there is nothing; a missing root is one."""
        with suppress(ObjectNotFound):
            self.delete(key)

    def delete_many(self, keys: Iterable[str], missing_ok: bool) -> dict[str, Exception | None]:
        """Remove objects, and sync each directory once; gives the error of each key."""
        outcomes: dict[str, Exception | None] = {}
        emptied = set()
        for key in keys:
            try:
                lived = patiently_here(partial(self._remove, key, None, sync=False))
                emptied.add(tuple(self.layout.parts(key)[:-1]))
                if not lived:
                    check_delete(key, None, None)
            except ObjectNotFound as error:
                outcomes[key] = outcomes.get(key) if missing_ok else error
            except (StoreError, OSError) as error:
                outcomes[key] = error if isinstance(error, StoreError) else from_oserror(error)
            else:
                outcomes[key] = None
        for above in emptied:
            self._sync(above)
            self.tree.prune(above)
        return outcomes

    def _remove(self, key: str, if_match: str | None, *, sync: bool) -> bool:
        """Remove an object; whether its time was not over."""
        parts = self.layout.parts(key)
        try:
            with self.tree.entered(parts[:-1], LIST) as directory:
                lived = self._unlink(key, parts, directory, if_match)
                if sync:
                    self.tree.sync(directory)
                return lived
        except OSError as error:
            self.tree.fail(error, parts[:-1], key=key)

    def _sync(self, parts: Parts) -> None:
        """Sync a directory, or the nearest one above it that others have not removed."""
        for end in range(len(parts), -1, -1):
            with suppress(FileNotFoundError), self.tree.entered(parts[:end], LIST) as directory:
                self.tree.sync(directory)
                return

    def _unlink(self, key: str, parts: Parts, directory: int, if_match: str | None) -> bool:
        with locked(directory) as held:
            if if_match is not None:
                require(held)
            found = found_in(self.tree, directory, parts)
            if found is not None and not self._is_own(found, parts, directory):
                found = None
            lived = found is None or not gives_way(self.tree, directory, parts, found, held)
            if lived:
                check_delete(key, None if found is None else describe(key, found), if_match)
                os.unlink(parts[-1], dir_fd=directory)
            if lived or held:
                self.layout.forget(directory, parts[-1])
            return lived

    def _is_own(self, found: os.stat_result, parts: Parts, directory: int) -> bool:
        return stat.S_ISREG(found.st_mode) and not is_anothers(self.tree, directory, parts)

    def copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Store an object under another key as well."""
        with closing(self.open(source)) as file:
            if source == target and not if_absent:
                return file.info
            with _about(target), closing(self.begin(target, if_absent)) as pending:
                pending.ttl, pending.end = None, file.end
                size = file.found.st_size
                done = copy_by_kernel(file, pending, 0, size)
                while done < size:
                    data = file.read(done, min(size, done + _READ_BYTES))
                    pending.write(data)
                    done += len(data)
                return pending.publish(WriteOptions(if_absent), file.attributes)

    def move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Give an object another key; at once, unless links or mount points lie between."""
        if source == target and not if_absent:
            return self.head(source)
        with _about(target):
            info = Move(self.tree, self.layout, source, target, if_absent).run()
        if info is None:
            info = self.copy(source, target, if_absent)
            self.delete_if_there(source)
        return info


@contextmanager
def _about(key: str) -> Iterator[None]:
    """Say of an error that no other key is known for that it is about this one."""
    try:
        yield
    except StoreError as error:
        error.key = key if error.key is None else error.key
        raise


def _is_plain(options: WriteOptions) -> bool:
    """Whether a write is of bytes alone, whatever is there of another object."""
    return options.if_match is None and not options.attributed
