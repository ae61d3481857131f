"""Locks on directories, which hold between threads and between processes."""

from __future__ import annotations

import errno
import fcntl
import os
from time import monotonic, sleep

from ...._core.errors import NotSupported, StoreTimeout

PATIENCE = 30.0
"""Seconds to wait for a lock; ours are held for one rename."""
_UNABLE = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class locked:  # noqa: N801 - reads as a function; a generator would take longer than the lock
    """``with locked(directory) as held``: hold the lock of each directory for a block.

    A lock belongs to the open descriptor: whoever opened the directory by himself is kept out, in
    this process and in all others.

    Args:
        directories: Their descriptors; two may be of the same directory.
        patience: Seconds to wait for each.

    The block is told whether the lock is held: some file systems, such as NFS, cannot lock
    directories.

    Raises:
        StoreTimeout: Somebody held a lock all the time.
    """

    __slots__ = ("_directories", "_held", "_patience")

    def __init__(self, *directories: int, patience: float = PATIENCE) -> None:
        self._directories = directories
        self._patience = patience
        self._held: list[int] = []

    def __enter__(self) -> bool:
        directories = self._directories
        if len(directories) > 1:
            directories = _in_order(directories)
        try:
            for directory in directories:
                if _lock(directory, self._patience):
                    self._held.append(directory)
        except BaseException:
            self._release()
            raise
        return len(self._held) == len(directories)

    def __exit__(self, *exception: object) -> None:
        self._release()

    def _release(self) -> None:
        # Not left to the closing: a process forked meanwhile has the descriptor as well.
        for directory in self._held:
            fcntl.flock(directory, fcntl.LOCK_UN)


def _in_order(directories: tuple[int, ...]) -> tuple[int, ...]:
    """One descriptor of each directory, in one order for all: nobody waits in a circle."""
    by_identity = {(s.st_dev, s.st_ino): d for d in directories for s in (os.fstat(d),)}
    return tuple(by_identity[identity] for identity in sorted(by_identity))


def require(held: bool) -> None:
    """Raise `NotSupported` unless the lock is held that a condition needs."""
    if not held:
        raise NotSupported("this file system cannot lock directories, as the condition needs it to")


def _lock(directory: int, patience: float) -> bool:
    # Not a wait in the kernel, which no deadline could end: a user may lock the whole directory
    # for hours, as in `flock DIRECTORY COMMAND`.
    end, pause = 0.0, 0.00005
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            end = end or monotonic() + patience
            if monotonic() >= end:
                raise StoreTimeout(
                    f"another program has held the lock on the directory for {patience:g} s"
                ) from None
        except OSError as error:
            if error.errno not in _UNABLE:
                raise
            return False
        sleep(pause)
        pause = min(pause * 1.5, 0.005)
