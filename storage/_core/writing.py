"""Bytes written into open files, all of them; blocking."""

from __future__ import annotations

import os

from .errors import StoreUnavailable, from_oserror

AT_ONCE = 256 * 1024
"""Bytes that are given to the kernel at once. For more of them Linux takes larger pieces of memory,
which are not at hand on machines that give back what they do not use: four times as slow there."""


def write_all(file: int, data: bytes | bytearray | memoryview) -> None:
    """Append, however few bytes the system takes at a time."""
    done = os.write(file, data) if len(data) <= AT_ONCE else 0
    if done < len(data):
        rest = memoryview(data)[done:]
        while rest:
            rest = rest[os.write(file, rest[:AT_ONCE]) :]


def write_at(file: int, data: memoryview, at: int) -> None:
    """Write at a position, however few bytes the system takes at a time."""
    while data:
        done = os.pwrite(file, data[:AT_ONCE], at)
        at, data = at + done, data[done:]


def reserve(file: int, size: int) -> None:
    """Give an empty file its length, and room for it where the file system can do that.

    Raises:
        OSError: There is not so much room; that is known before anything is written.
    """
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
            return
        except OSError as error:
            if not isinstance(from_oserror(error), StoreUnavailable):
                raise  # the disk is full; other errors: this file system cannot
    os.ftruncate(file, size)
