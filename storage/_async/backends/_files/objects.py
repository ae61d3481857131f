"""The blocking work on single objects that are files."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

from ...._core.errors import (
    IntegrityError,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    from_oserror,
)
from ...._core.info import ByteRange, ObjectInfo, ReadOptions, WriteOptions, check_delete
from . import attributes
from .kernel import copy_by_kernel
from .layout import Layout
from .locks import locked, require
from .moving import Move
from .names import is_anothers
from .pending import Pending
from .places import describe, found_in
from .tree import LIST, Parts, Tree, linked
from .waiting import patiently_here

_READ_BYTES = 1024 * 1024
"""Bytes that are copied by where the kernel cannot do it alone."""


class OpenFile:
    """An object's file, open for reading; safe to close while another thread reads."""

    def __init__(self, tree: Tree, layout: Layout, key: str) -> None:
        parts = layout.parts(key)
        try:
            self._file = tree.open(parts)
        except OSError as error:
            tree.fail(error, parts)
        self._lock = threading.Lock()
        try:
            self.found = os.fstat(self._file)
            if not stat.S_ISREG(self.found.st_mode):
                raise ObjectNotFound("there is no object under this key", key=key)
            self.attributes = attributes.read(self._file) if tree.attributes else b""
        except BaseException:
            self.close()
            raise
        known = attributes.unpack(self.attributes) if tree.attributes else attributes.UNKNOWN
        self.info = describe(key, self.found, known)

    def fileno(self) -> int:
        """The descriptor."""
        return self._file

    def read(self, start: int, end: int) -> bytes:
        """The bytes between two positions that lie within the object."""
        # A closed descriptor's number may be another file's by now, so the two exclude each other.
        with self._lock:
            data = os.pread(self._file, end - start, start)
            if len(data) == end - start:
                return data
            parts = [data]
            while data and (start := start + len(data)) < end:
                data = os.pread(self._file, end - start, start)
                parts.append(data)
        if start < end:
            raise IntegrityError("the file was cut by another program while it was read")
        return b"".join(parts)

    def read_into(self, view: memoryview, start: int) -> None:
        """The same into memory that is there; not safe to close meanwhile, but many may read."""
        while view and (done := os.preadv(self._file, [view], start)):
            view, start = view[done:], start + done
        if view:
            raise IntegrityError("the file was cut by another program while it was read")

    def verify(self) -> None:
        """Raise `PreconditionFailed` if another program has written into the file meanwhile."""
        with self._lock:
            now = os.fstat(self._file)
        # A file that was replaced meanwhile has no name any more, and the bytes that it had.
        changed = now.st_nlink and now.st_ctime_ns != self.found.st_ctime_ns
        if changed or (now.st_mtime_ns, now.st_size) != (
            self.found.st_mtime_ns,
            self.found.st_size,
        ):
            raise PreconditionFailed("the file was changed by another program while it was read")

    def close(self) -> None:
        """Let go; may be called again."""
        with self._lock:
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)


class Objects:
    """Objects as files under a root.

    Args:
        tree: The root.
        layout: Where under it the object of a key lies.
    """

    def __init__(self, tree: Tree, layout: Layout) -> None:
        self.tree = tree
        self.layout = layout

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
            if stat.S_ISREG(found.st_mode):
                start, end = 0, found.st_size
                if byte_range is not None:
                    start, end = byte_range.resolve(end)
                data = os.pread(file, end - start, start)
                if len(data) == end - start:
                    return data
        finally:
            os.close(file)
        # It is very large, is being cut, or is no file.
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
        return Pending(self.tree, self.layout, key, fresh=fresh)

    def write(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        """Store an object."""
        with closing(self.begin(key, options.if_absent or None)) as pending:
            pending.write(data)
            return pending.publish(options)

    def delete(self, key: str, if_match: str | None = None) -> None:
        """Remove an object, and the directories that are empty without it."""
        self._remove(key, if_match, sync=True)
        self.tree.prune(self.layout.parts(key)[:-1])

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
                patiently_here(partial(self._remove, key, None, sync=False))
                emptied.add(tuple(self.layout.parts(key)[:-1]))
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

    def _remove(self, key: str, if_match: str | None, *, sync: bool) -> None:
        parts = self.layout.parts(key)
        try:
            with self.tree.entered(parts[:-1], LIST) as directory:
                self._unlink(key, parts, directory, if_match)
                if sync:
                    self.tree.sync(directory)
        except OSError as error:
            self.tree.fail(error, parts[:-1], key=key)

    def _sync(self, parts: Parts) -> None:
        """Sync a directory, or the nearest one above it that others have not removed."""
        for end in range(len(parts), -1, -1):
            with suppress(FileNotFoundError), self.tree.entered(parts[:end], LIST) as directory:
                self.tree.sync(directory)
                return

    def _unlink(self, key: str, parts: Parts, directory: int, if_match: str | None) -> None:
        with locked(directory) as held:
            if if_match is not None:
                require(held)
            found = found_in(self.tree, directory, parts)
            if found is not None and not self._is_own(found, parts, directory):
                found = None
            check_delete(key, None if found is None else describe(key, found), if_match)
            os.unlink(parts[-1], dir_fd=directory)
            self.layout.forget(directory, parts[-1])

    def _is_own(self, found: os.stat_result, parts: Parts, directory: int) -> bool:
        return stat.S_ISREG(found.st_mode) and not is_anothers(self.tree, directory, parts)

    def copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Store an object under another key as well."""
        with closing(self.open(source)) as file:
            if source == target and not if_absent:
                return file.info
            with _about(target), closing(self.begin(target, if_absent)) as pending:
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
