"""Files in the making: hidden from listings, or without a name, until they get their own."""

from __future__ import annotations

import errno
import fcntl
import os

TEMPORARY = b".storage-tmp-"
"""What their names begin with; in any case of letters."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_UNNAMED = getattr(os, "O_TMPFILE", 0) if os.path.isdir("/proc/self/fd") else 0
UNNAMED = os.O_WRONLY | _UNNAMED if _UNNAMED else 0
"""Opens a file without a name in a directory; 0 where there are none."""
_UNABLE = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS}


def is_temporary(name: bytes) -> bool:
    """Whether a file is in the making, or was when its writer was killed."""
    return name[: len(TEMPORARY)].lower() == TEMPORARY


def create(directory: int, end: bytes = b"") -> tuple[bytes, int]:
    """Make a new file in a directory that is open; gives its name and its descriptor.

    As long as the descriptor is open, `is_alive` says so.
    """
    temporary = _new_name() + end
    file = os.open(temporary, _NEW, 0o666, dir_fd=directory)
    _hold(file)
    return temporary, file


def name(file: int, directory: int) -> bytes:
    """Give an unnamed file a hidden name, as `create` does; gives the name."""
    temporary = _new_name()
    _hold(file)
    give_name(file, directory, temporary)
    return temporary


def _new_name() -> bytes:
    return TEMPORARY + os.urandom(8).hex().encode()


def _hold(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        pass  # where there are no locks, only the age tells


def create_unnamed(directory: int) -> int | None:
    """Make a new file without a name, which is gone with its writer; None where there are none."""
    if not _UNNAMED:
        return None
    try:
        return os.open(".", os.O_WRONLY | _UNNAMED, 0o666, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.EPERM and not os.fstat(directory).st_nlink:
            # What ext4 says of a directory that was removed.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        if error.errno not in _UNABLE:
            raise
        return None


def give_name(file: int, directory: int, new: bytes) -> None:
    """Give an unnamed file its name, which must be free."""
    path = f"/proc/self/fd/{file}"
    # With a descriptor for the first directory, too, or Python leaves the link to be followed out.
    os.link(path, new, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=True)


def is_alive(file: int) -> bool:
    """Whether somebody is still at a file that `create` made."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
