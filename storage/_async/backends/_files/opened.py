"""An object's file, open for reading."""

from __future__ import annotations

import os
import stat
import threading

from ...._core.errors import IntegrityError, ObjectNotFound, PreconditionFailed
from . import attributes, lifetimes
from .layout import Layout
from .places import describe
from .tree import Tree


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
            marked = self.found.st_mode & lifetimes.MARK
            self.end = lifetimes.read(self._file) if marked else None
            """When it is over, in milliseconds since 1970; None: never."""
            if lifetimes.is_past(self.end):
                raise ObjectNotFound("there is no object under this key by now", key=key)
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
