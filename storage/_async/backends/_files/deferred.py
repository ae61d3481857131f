"""Whole file systems made durable at once, for jobs that write many files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

from ...._core.errors import StoreUnavailable

TELLS_ERRORS = (5, 8)
"""The Linux that has ``syncfs`` tell of data that it could not write; before, it kept silent."""


class FileSystems:
    """The file systems under a root; they tell of all that goes wrong after this was made.

    Args:
        root: An existing directory.
    """

    def __init__(self, root: bytes) -> None:
        self._handles: list[int] = []
        try:
            for directory in (root, *_mounted_below(os.path.realpath(root))):
                self._handles.append(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
        except BaseException:
            self.release()
            raise

    def redeem(self) -> None:
        """Write all that was written to them to their disks."""
        from ctypes import get_errno

        sync = _syncfs()
        assert sync is not None
        for handle in self._handles:
            if sync(handle):
                error = OSError(get_errno(), os.strerror(get_errno()))
                raise StoreUnavailable(
                    "files were written, but it is unknown whether they survive a power cut: "
                    f"{error.strerror}"
                ) from error

    def release(self) -> None:
        """Close what is open."""
        while self._handles:
            os.close(self._handles.pop())


def file_systems(root: bytes) -> FileSystems | None:
    """Those under a root; None where they cannot be made durable, or would not tell of errors."""
    return FileSystems(root) if _syncfs() is not None else None


@cache
def _syncfs() -> Callable[[int], int] | None:
    if not hasattr(os, "uname") or os.uname().sysname != "Linux":
        return None
    release = os.uname().release.split("-")[0].split(".")
    if tuple(int(part) for part in release[:2] if part.isdecimal()) < TELLS_ERRORS:
        return None
    import ctypes  # only such jobs need it

    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = [ctypes.c_int], ctypes.c_int
    return function


def _mounted_below(root: bytes) -> Iterator[bytes]:
    above = root.rstrip(b"/") + b"/"
    with open("/proc/self/mounts", "rb") as mounts:
        for line in mounts:
            path = line.split(b" ")[1]
            for code, text in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n")):
                path = path.replace(code, text)
            if path.startswith(above) and os.access(path, os.R_OK):
                yield path.replace(b"\\134", b"\\")
