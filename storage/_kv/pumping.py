"""Bytes from one file into another."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeGuard

BUFFER = 1024 * 1024
"""Bytes that are read at once."""


def is_path(file: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a file is named; else it has a ``read`` or a ``write``."""
    return isinstance(file, str | os.PathLike)


def pump(read: Callable[[int], bytes], take: Callable[[bytes], object]) -> None:
    """Hand on all that there is to read; a read may give less than it was asked for."""
    while piece := read(BUFFER):
        take(piece)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file that takes the place of another at the end, and leaves it alone after an error.

    Args:
        path: Where it goes. What is no plain file (a pipe, a device) is written as it is.
    """
    place = Path(path).resolve()  # a link stays one
    if place.exists() and not place.is_file():
        with place.open("wb") as file:
            yield file
        return
    # The mode is that of any new file: the kernel applies the umask, which no thread can ask for
    # without changing it for all.
    draft = place.with_name(f".storage-{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), place.stat().st_mode & 0o777)
            yield file
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
