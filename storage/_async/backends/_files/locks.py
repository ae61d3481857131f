"""Locks on directories, which hold between threads and between processes."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from ...._core.errors import NotSupported, StoreTimeout

PATIENCE = 30.0
"""Seconds to wait for a lock; ours are held for one rename."""
_UNABLE = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def locked(*directories: int) -> Iterator[bool]:
    """Hold the lock of each directory for a block.

    A lock belongs to the open descriptor: whoever opened the directory by himself is kept out, in
    this process and in all others.

    Args:
        directories: Their descriptors; two may be of the same directory.

    Yields:
        Whether it is held: some file systems, such as NFS, cannot lock directories.

    Raises:
        StoreTimeout: Somebody held a lock all the time.
    """
    if len(directories) > 1:
        # In one order for all, so that two who want both do not wait for each other.
        by_identity = {(s.st_dev, s.st_ino): d for d in directories for s in (os.fstat(d),)}
        directories = tuple(by_identity[identity] for identity in sorted(by_identity))
    held: list[int] = []
    try:
        for directory in directories:
            if _lock(directory):
                held.append(directory)  # noqa: PERF401 - known also if the next one raises
        yield len(held) == len(directories)
    finally:
        # Not left to the closing: a process forked meanwhile has the descriptor as well.
        for directory in held:
            fcntl.flock(directory, fcntl.LOCK_UN)


def require(held: bool) -> None:
    """Raise `NotSupported` unless the lock is held that a condition needs."""
    if not held:
        raise NotSupported("this file system cannot lock directories, as the condition needs it to")


def _lock(directory: int) -> bool:
    # Not a wait in the kernel, which no deadline could end: a user may lock the whole directory
    # for hours, as in `flock DIRECTORY COMMAND`.
    end, pause = 0.0, 0.00005
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            end = end or monotonic() + PATIENCE
            if monotonic() >= end:
                raise StoreTimeout(
                    f"another program has held the lock on the directory for {PATIENCE:g} s"
                ) from None
        except OSError as error:
            if error.errno not in _UNABLE:
                raise
            return False
        sleep(pause)
        pause = min(pause * 1.5, 0.005)
