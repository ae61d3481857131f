"""Files by descriptor: parallel reads, whole writes, copies within the kernel."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias

from ...._core.errors import CorruptStore
from ...._core.writing import AT_ONCE

CHUNK = 256 * 1024
"""Bytes that large members are read and handed on by."""
STEP = 1 << 30
"""Bytes that one call of the system is asked for at most."""

_NO_KERNEL_COPY = {
    errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.ETXTBSY,
}  # fmt: skip

Stamp: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size and time of change: which file stands under a path, in which state."""


class OpenFile:
    """A descriptor that is closed when nobody refers to it any more.

    Every member refers to the file that it was found in, so that a reader keeps reading that very
    file, however often the archive is replaced meanwhile.
    """

    __slots__ = ("__weakref__", "fd")

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)


def open_file(path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> OpenFile:
    """Open a file; it is not inherited by child programs."""
    return OpenFile(os.open(path, flags | os.O_CLOEXEC, mode))


def stamp_of(found: os.stat_result) -> Stamp:
    """The stamp in what ``stat`` tells."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def stamp_at(path: str) -> Stamp | None:
    """The stamp of the file under ``path``; None where there is none."""
    try:
        return stamp_of(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_pieces(file: OpenFile, start: int, end: int) -> Iterator[bytes]:
    """The bytes from ``start`` to ``end`` of a file, in pieces.

    Raises:
        CorruptStore: The file is shorter.
    """
    while start < end:
        piece = os.pread(file.fd, min(CHUNK, end - start), start)
        if not piece:
            raise CorruptStore(f"the archive ends {end - start} bytes too early")
        yield piece
        start += len(piece)


def read_exactly(file: OpenFile, start: int, size: int) -> bytes:
    """``size`` bytes from ``start``; raises as `read_pieces` does."""
    data = os.pread(file.fd, min(size, STEP), start)
    if len(data) == size:
        return data
    return data + b"".join(read_pieces(file, start + len(data), start + size))


def write_all(fd: int, buffers: Sequence[bytes | bytearray | memoryview], start: int) -> None:
    """Write all the buffers, one after the other, from ``start`` on."""
    rest = [memoryview(buffer) for buffer in buffers if len(buffer)]
    while rest:
        done = os.pwritev(fd, _at_once(rest), start)
        start += done
        while rest and done >= len(rest[0]):
            done -= len(rest.pop(0))
        if done:
            rest[0] = rest[0][done:]


def _at_once(views: Sequence[memoryview]) -> list[memoryview]:
    taken, size = list[memoryview](), 0
    for view in views:
        size += len(view)
        if size > AT_ONCE:
            return taken or [view[:AT_ONCE]]
        taken.append(view)
    return taken


def copy_bytes(source: int, start: int, target: int, position: int, size: int) -> None:
    """Copy ``size`` bytes from one descriptor to another, within the kernel where it can.

    Raises:
        CorruptStore: The source is shorter.
    """
    while size:
        done = _copy_some(source, start, target, position, min(size, STEP))
        if not done:
            raise CorruptStore(f"the archive ends {size} bytes too early")
        start, position, size = start + done, position + done, size - done


def _copy_some(source: int, start: int, target: int, position: int, size: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, size, start, position)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    data = os.pread(source, min(size, CHUNK), start)
    write_all(target, [data], position)
    return len(data)


def make_directory(path: str) -> None:
    """Make a directory and those above it, so that they survive a power cut."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(path))
    with suppress(FileExistsError):
        os.mkdir(path)
        sync_directory(path)


def sync_directory(path: str) -> None:
    """Make what was created, renamed or removed in a file's directory survive a power cut."""
    fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
