"""Directories and files under a root, reached without ever leaving it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import NoReturn, TypeAlias, TypeVar

from ...._core import bulk
from ...._core.errors import (
    AccessDenied,
    InvalidKey,
    ObjectNotFound,
    StoreError,
    StoreNotFound,
    StoreUnavailable,
)
from .deferred import file_systems
from .lifetimes import Lifetimes
from .straight import straight_opener
from .syncing import syncs

T = TypeVar("T")

Parts: TypeAlias = Sequence[bytes]
"""The names on the way from the root to a file or a directory."""

SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY
"""Opens a directory to go through; it need not be readable."""
LIST = os.O_RDONLY | os.O_DIRECTORY
"""Opens a directory to list, to lock and to sync."""
READ = os.O_RDONLY | os.O_NONBLOCK
"""Opens a file; one that turns out to be a pipe does not block."""
PATIENCE = 5.0
"""Seconds in which a write starts again because an emptied directory was just removed under it."""


class Tree:
    """A root directory, and the ways into it.

    Args:
        root: Its path; it may be a symbolic link itself.
        follow: Whether symbolic links below it are followed.
        durable: Whether what is made is synced.
        attributes: Whether attributes are kept with the files.
        mode: The permissions of files; None: those of the umask, or of the file replaced.
        ends: Whether its file system can keep the ends of lives.
    """

    def __init__(
        self,
        root: bytes,
        *,
        follow: bool,
        durable: bool,
        attributes: bool = False,
        mode: int | None = None,
        ends: bool = False,
    ) -> None:
        self.root = root
        self.follow = follow
        self.syncs = durable
        """Whether what is made is synced, at once or later."""
        self.attributes = attributes
        self.mode = mode
        self.lifetimes = Lifetimes(root, ends)
        self.folds: bool | None = None
        """Whether names that differ in case or composition are one here; None: not known yet."""
        self._nofollow = 0 if follow else os.O_NOFOLLOW
        self._straight = True

    @property
    def durable(self) -> bool:
        """Whether what is made is synced at once, and not later by the job that it is made for."""
        return self.syncs and not self._defers()

    def _defers(self) -> bool:
        job = bulk.current.get()
        if job is None or self.follow:  # a link may lead to any file system
            return False
        try:
            return job.defers(self.root, lambda: file_systems(self.root))
        except OSError:  # there is no root yet
            return False

    # -- reaching ---------------------------------------------------------------------------

    def enter(self, parts: Parts, flags: int = SEARCH) -> int:
        """A descriptor of a directory."""
        if not parts:
            return os.open(self.root, flags)
        if len(parts) == 1:
            return os.open(self.root + b"/" + parts[0], flags | self._nofollow)
        return self._reach(parts, flags | self._nofollow)

    def open(self, parts: Parts) -> int:
        """A descriptor of a file, for reading."""
        return self._reach(parts, READ | self._nofollow)

    def stat(self, parts: Parts) -> os.stat_result:
        """What is known of a file; of a link itself where links are not followed."""
        if len(parts) == 1 or self.follow:
            return os.stat(self._path(parts), follow_symlinks=self.follow)
        with self.entered(parts[:-1]) as above:
            return self.stat_in(above, parts[-1])

    def stat_in(self, directory: int, name: bytes) -> os.stat_result:
        """Like `stat`, in a directory that is open."""
        return os.stat(name, dir_fd=directory, follow_symlinks=self.follow)

    @contextmanager
    def entered(self, parts: Parts, flags: int = SEARCH) -> Iterator[int]:
        """`enter` for a block."""
        directory = self.enter(parts, flags)
        try:
            yield directory
        finally:
            os.close(directory)

    def _path(self, parts: Parts) -> bytes:
        return b"/".join((self.root, *parts))

    def _reach(self, parts: Parts, flags: int) -> int:
        """Open what stands at the end of the way; no component of it may be a link."""
        path = b"/".join((self.root, *parts))
        if len(parts) == 1 or self.follow:
            return os.open(path, flags)
        if self._straight and (opener := straight_opener()) is not None:
            file = opener(path, flags)
            if file is not None:
                return file
        file = self._step(parts, flags)
        self._straight = False  # the way to the root has a link, or the kernel is too old
        return file

    def _step(self, parts: Parts, flags: int) -> int:
        # `open` checks only the last component of a path, so each gets a call of its own.
        directory = os.open(self._path(parts[:1]), SEARCH | self._nofollow)
        try:
            for part in parts[1:-1]:
                below = os.open(part, SEARCH | self._nofollow, dir_fd=directory)
                directory, above = below, directory
                os.close(above)
            return os.open(parts[-1], flags, dir_fd=directory)
        finally:
            os.close(directory)

    # -- making and removing ----------------------------------------------------------------

    def make(self, parts: Parts) -> int:
        """A descriptor of a directory, which is made where it is missing; the root, too."""
        directory = retried(lambda: self._make(parts))
        if self.syncs:
            self._defers()  # before anything is written, of which it is to know all errors
        return directory

    def _make(self, parts: Parts) -> int:
        try:
            return self.enter(parts, LIST)
        except FileNotFoundError:
            pass
        directory = make_root(self.root, self.durable)
        for part in parts:
            try:
                below = self._make_one(directory, part)
            finally:
                os.close(directory)
            directory = below
        return directory

    def _make_one(self, above: int, part: bytes) -> int:
        try:
            os.mkdir(part, dir_fd=above)
            if self.durable:
                syncs.sync(above)
        except FileExistsError:
            pass
        return os.open(part, LIST | self._nofollow, dir_fd=above)

    def sync(self, directory: int) -> None:
        """Make what was just done in a directory durable."""
        if not self.durable:
            return
        try:
            syncs.sync(directory)
        except OSError as error:
            raise StoreUnavailable(
                "the change was made, but it is unknown whether it survives a power cut: "
                f"{error.strerror}"
            ) from error

    def prune(self, parts: Parts) -> None:
        """Remove a directory and those above it, up to the root, as far as they are empty."""
        try:
            for end in range(len(parts) - 1, -1, -1):
                with self.entered(parts[:end]) as above:
                    os.rmdir(parts[end], dir_fd=above)
        except OSError:
            pass  # not empty, or somebody else's by now

    # -- what an error means ----------------------------------------------------------------

    def fail(
        self, error: OSError, parts: Parts, *, writing: bool = False, key: str | None = None
    ) -> NoReturn:
        """Raise the store's error for one that was met on the way to a file.

        Args:
            error: What was raised; an error of the store itself passes through.
            parts: The way.
            writing: A file in the way is the key's fault, instead of "no such object".
            key: The key concerned, where it is not the one that the operation is named after.
        """
        if isinstance(error, StoreError):
            raise error
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and not self.follow:
            self.refuse_link(parts)
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise error
        if os.path.exists(self.root) and not os.path.isdir(self.root):
            raise StoreNotFound("the root is no directory") from error
        if writing and error.errno == errno.ENOTDIR:
            raise InvalidKey(
                "a part of this key's path is an object itself; plain files cannot hold both: "
                "use the safe or the hashed layout"
            ) from error
        if not os.path.exists(self.root):
            raise StoreNotFound("the root directory does not exist") from error
        raise ObjectNotFound("there is no object under this key", key=key) from error

    def refuse_link(self, parts: Parts) -> None:
        """Raise `AccessDenied` where a component of the way is a symbolic link."""
        for end in range(1, len(parts) + 1):
            try:
                found = os.lstat(self._path(parts[:end]))
            except OSError:
                return
            if stat.S_ISLNK(found.st_mode):
                raise linked(parts[:end])


def linked(parts: Parts) -> AccessDenied:
    """The error for a symbolic link on the way."""
    shown = os.fsdecode(b"/".join(parts))
    return AccessDenied(f"{shown!r} is a symbolic link: follow_symlinks=True would follow it")


def make_root(root: bytes, durable: bool) -> int:
    """A descriptor of the root directory, made with all that is missing above it."""
    try:
        return os.open(root, LIST)
    except FileNotFoundError:
        above, name = os.path.split(root.rstrip(b"/"))
        directory = make_root(above or b".", durable)
    try:
        try:
            os.mkdir(name, dir_fd=directory)
            if durable:
                syncs.sync(directory)
        except FileExistsError:
            if not os.path.exists(root):
                raise StoreNotFound("the root is a symbolic link to nothing") from None
        return os.open(name, LIST, dir_fd=directory)
    finally:
        os.close(directory)


def retried(attempt: Callable[[], T]) -> T:
    """Try again while directories on the way are removed because others emptied them."""
    end, pause = 0.0, 0.0
    while True:
        try:
            return attempt()
        except FileNotFoundError as error:
            if isinstance(error, StoreError):
                raise
            end = end or monotonic() + PATIENCE
            if monotonic() >= end:
                raise StoreUnavailable("the directories on the way keep vanishing") from error
        # Linux finds a directory by its name until whoever removes it runs on, dead as it is.
        sleep(pause)
        pause = min(pause * 2 or 0.00005, 0.005)
