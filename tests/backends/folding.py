"""A file system in user space that takes names for one which differ in case or composition.

Run as ``python folding.py DIRECTORY MOUNTPOINT``; it shows the directory until it is unmounted.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from importlib import import_module
from typing import Any

mfusepy: Any = import_module("mfusepy")  # not everybody has it, type checkers included

FACTS = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino")
TIMES = ("st_atime", "st_mtime", "st_ctime")


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


class Folding(mfusepy.Operations):  # type: ignore[misc]
    """Passes everything on to a directory, under the name that is there."""

    use_ns = True

    def __init__(self, root: str) -> None:
        self.root = root

    def _real(self, path: str) -> str:
        real = self.root
        for part in filter(None, path.split("/")):
            names = os.listdir(real) if os.path.isdir(real) else []
            there = [name for name in names if folded(name) == folded(part)]
            real = f"{real}/{there[0] if there else part}"
        return real

    def getattr(self, path: str, fh: Any = None) -> dict[str, int]:
        found = os.lstat(self._real(path))
        times = {name: getattr(found, f"{name}_ns") for name in TIMES}
        return {name: getattr(found, name) for name in FACTS} | times

    def readdir(self, path: str, fh: Any) -> list[str]:
        return [".", "..", *os.listdir(self._real(path))]

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._real(path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._real(path))

    def unlink(self, path: str) -> None:
        os.unlink(self._real(path))

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(self._real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real(path), flags & os.O_ACCMODE)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def rename(self, old: str, new: str) -> None:
        os.rename(self._real(old), self._real(new))

    def utimens(self, path: str, times: Any = None) -> None:
        os.utime(self._real(path), ns=times)


if __name__ == "__main__":
    mfusepy.FUSE(Folding(sys.argv[1]), sys.argv[2], foreground=True)
