"""File systems that take names for the same which differ in case or in how accents are composed."""

from __future__ import annotations

import os
from contextlib import suppress

from . import hidden
from .tree import LIST, Parts, Tree

_COMPOSED, _APART = "\u00e9".encode(), "e\u0301".encode()


def is_anothers(tree: Tree, directory: int, parts: Parts) -> bool:
    """Whether a change would go to the file or the directory of another key.

    Args:
        tree: Where the key is to be written, moved or removed.
        directory: A descriptor of the directory that has its file or is to have it.
        parts: The way to the file.
    """
    if tree.folds is None:
        tree.folds = _folds(directory)
    if not tree.folds:
        return False
    for end in range(1, len(parts) + 1):
        with tree.entered(parts[: end - 1], LIST) as above:
            names = {os.fsencode(name) for name in os.listdir(above)}
            if parts[end - 1] not in names and _exists(above, parts[end - 1]):
                return True
    return False


def _folds(directory: int) -> bool | None:
    """Try it; None where it cannot be tried."""
    try:
        name, file = hidden.create(directory, _COMPOSED)
    except OSError:
        return None
    os.close(file)
    try:
        return _exists(directory, name.upper()) or _exists(
            directory, name.replace(_COMPOSED, _APART)
        )
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)


def _exists(directory: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
