"""Files in the making: hidden from listings until they get their names."""

from __future__ import annotations

import os

TEMPORARY = b".storage-tmp-"
"""What their names begin with; in any case of letters."""


def is_temporary(name: bytes) -> bool:
    """Whether a file is in the making, or was when its writer was killed."""
    return name[: len(TEMPORARY)].lower() == TEMPORARY


def create(directory: int, end: bytes = b"") -> tuple[bytes, int]:
    """Make a new file in a directory that is open; gives its name and its descriptor."""
    name = TEMPORARY + os.urandom(8).hex().encode() + end
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return name, os.open(name, flags, 0o666, dir_fd=directory)


def write_all(file: int, data: bytes | bytearray | memoryview) -> None:
    """Append bytes, however few the system takes at a time."""
    done = os.write(file, data)
    if done < len(data):
        rest = memoryview(data)
        while done < len(data):
            done += os.write(file, rest[done:])
