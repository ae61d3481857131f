"""Whether the file of `AsyncSqliteStore` is still the one that was opened."""

from __future__ import annotations

import os
import stat
import threading
from time import monotonic_ns
from typing import TypeAlias

from ...._core.errors import CorruptStore, StoreNotFound, from_oserror

Identity: TypeAlias = tuple[int, int]
FRESH = 1_000_000
"""Nanoseconds for which readers trust what was last seen."""


class Watch:
    """Looks which file is under a path; one for all connections of a store in a process.

    To look costs half as much as to read a small object. So readers trust what anybody saw within
    the last millisecond; writers, whose work would be lost with the file, look each time.

    The file is never opened for this: closing it would drop the locks that SQLite holds in this
    process.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: Identity | None = None
        self._until = 0

    def recent(self) -> Identity | None:
        """What tells the file from others, as it was a moment ago; None where there was none."""
        return self._seen if monotonic_ns() < self._until else self.now()

    def now(self) -> Identity | None:
        """The same, looked at now."""
        with self._lock:  # so that no older look takes the place of a newer one
            until = monotonic_ns() + FRESH
            try:
                found = os.stat(self._path)
                self._seen = found.st_dev, found.st_ino
            except OSError:
                self._seen = None
            self._until = until
            return self._seen

    def usable(self) -> Identity:
        """The same of a file that is to be opened.

        Raises:
            StoreNotFound: There is none.
            CorruptStore: It is no file.
        """
        self._until = 0  # something has happened to the file: others look, too
        try:
            found = os.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            raise StoreNotFound("there is no such file; the first put creates it") from None
        except OSError as error:
            raise from_oserror(error) from error
        if not stat.S_ISREG(found.st_mode):
            raise CorruptStore("it is no file")
        return found.st_dev, found.st_ino
