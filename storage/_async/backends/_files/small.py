"""Small objects put without conditions: the same steps as `Pending` takes, in one straight line."""

from __future__ import annotations

import os
from contextlib import suppress
from time import time_ns

from ...._core.errors import StoreError
from ...._core.info import ObjectInfo
from . import hidden
from .attributes import UNKNOWN, unpack
from .layout import Layout
from .locks import lock, unlock
from .pending import describe, make_room, stamp
from .tree import LIST, Parts, Tree

SMALL = 256 * 1024
"""Bytes of an object that is written in one go."""


def put_small(tree: Tree, layout: Layout, key: str, data: bytes | memoryview) -> ObjectInfo | None:
    """Put an object whose durability is not asked for.

    Returns:
        What it is; None, and nothing has changed: this needs all that `Pending` knows, since there
        is no such directory, or others have removed it or swept away the file in the making.
    """
    parts = layout.parts(key)
    try:
        directory = tree.enter(parts[:-1], LIST)
    except OSError:
        return None
    try:
        found = _put(tree, layout, key, parts, directory, data)
    except FileNotFoundError as error:
        if isinstance(error, StoreError):
            raise
        return None
    finally:
        os.close(directory)
    return describe(key, found, unpack(b"") if tree.attributes else UNKNOWN)


def _put(
    tree: Tree, layout: Layout, key: str, parts: Parts, directory: int, data: bytes | memoryview
) -> os.stat_result:
    # It is not locked: where a sweep takes it for litter nonetheless, the put begins again.
    temp, file = hidden.create_next(directory)
    try:
        hidden.write_all(file, data)
        now = time_ns()
        os.utime(file, ns=(now, now))
        held = lock(directory)
        try:
            found = stamp(tree, file, make_room(tree, directory, parts))
            layout.keep(directory, parts[-1], key, False)
            written, file = file, -1
            os.close(written)  # a network file system reports its failures here
            os.rename(temp, parts[-1], src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            if held:
                unlock(directory)
    except BaseException:
        if file >= 0:
            with suppress(OSError):
                os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(temp, dir_fd=directory)
        tree.prune(parts[:-1])
        raise
    return found
