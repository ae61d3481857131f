"""Ends of lives, each kept with the object's own file."""

from __future__ import annotations

import errno
import os
import stat
from time import time, time_ns

from ...._core.errors import NotSupported

NAME = "user.storage.expires"
"""The extended attribute of a file: when it is over, in milliseconds since 1970, as decimals."""
MARK = stat.S_ISVTX
"""The bit in the modes of files that have one. It means nothing else for a file, and whoever
opens or lists files learns their modes anyhow; so all other files cost nothing."""
IN_USE = "user.storage.lifetimes"
"""The extended attribute of a root under which some files have ends."""

_ABLE = hasattr(os, "getxattr")
_NONE = {errno.ENODATA, errno.EOPNOTSUPP, errno.ENOSYS}
_SETTLED = 2 * 10**9
"""Nanoseconds after which the time of a change tells it from the next one, everywhere."""


def end_after(ttl: float | None) -> int | None:
    """When something is over that lives so long from now on."""
    return None if ttl is None else int((time() + ttl) * 1000)


def is_past(end: int | None) -> bool:
    """Whether an end has come."""
    return end is not None and end <= time() * 1000


def read(file: int) -> int | None:
    """The end that `write` kept; None for none, and for what is none of ours."""
    if not _ABLE:
        return None
    try:
        return int(os.getxattr(file, NAME))
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _NONE:
            return None
        raise


def write(file: int, end: int) -> None:
    """Keep an end with a file that is open, and mark it."""
    try:
        os.setxattr(file, NAME, b"%d" % end)
    except OSError as error:
        if error.errno in _NONE:
            raise unable() from error
        raise
    mark(file)
    if not os.fstat(file).st_mode & MARK:
        raise unable()


def mark(file: int) -> None:
    """Mark a file that has an end."""
    os.fchmod(file, stat.S_IMODE(os.fstat(file).st_mode) | MARK)


def unable() -> NotSupported:
    """The error where ends cannot be kept."""
    return NotSupported("this file system keeps no lifetimes with its files")


def is_over(file: int, found: os.stat_result) -> bool:
    """Whether the time of a file is over that is open."""
    return bool(found.st_mode & MARK) and is_past(read(file))


def is_over_in(directory: int, name: bytes, found: os.stat_result, *, follow: bool = False) -> bool:
    """Whether the time of a file in a directory is over; not where it cannot be read."""
    return bool(found.st_mode & MARK) and is_past(end_in(directory, name, follow=follow))


def end_in(directory: int, name: bytes, *, follow: bool = False) -> int | None:
    """When a file in a directory is over; None where that cannot be told, either."""
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        file = os.open(name, flags, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return None
    try:
        return read(file)
    finally:
        os.close(file)


class Lifetimes:
    """Whether there are files with ends under a root, which the root itself says.

    Only listings of bare keys ask, since they do not look at the files otherwise.

    Args:
        root: The root's path.
        able: Whether its file system has extended attributes.
    """

    def __init__(self, root: bytes, able: bool) -> None:
        self.able = able
        self._root = root
        self._announced: tuple[int, int] | None = None
        self._durably = False
        self._without: tuple[int, int, int] | None = None

    def announce(self, durable: bool) -> None:
        """Have the root say so, before the first file has an end."""
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            found = os.fstat(root)
            identity = found.st_dev, found.st_ino
            known = identity == self._announced and (self._durably or not durable)
            if known and IN_USE in os.listxattr(root):
                return
            os.setxattr(root, IN_USE, b"1")
            if durable:
                os.fsync(root)  # also after others, who may not be so far
            self._announced, self._durably = identity, durable
        except OSError as error:
            if error.errno in _NONE:
                raise unable() from error
            raise
        finally:
            os.close(root)

    def are_there(self, found: os.stat_result) -> bool:
        """Whether there are any, by what is known of the root, as of just now."""
        state = found.st_dev, found.st_ino, found.st_ctime_ns
        if not self.able or state == self._without:
            return False
        try:
            os.getxattr(self._root, IN_USE)
        except OSError as error:
            if error.errno not in _NONE:
                return True  # unreadable, perhaps
        else:
            return True
        if found.st_ctime_ns < time_ns() - _SETTLED:
            self._without = state  # to say something else is a change of the root
        return False
