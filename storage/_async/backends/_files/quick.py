"""The short way of a whole object that replaces nothing and need not wait for a disk by itself."""

from __future__ import annotations

import os
from datetime import datetime
from time import time_ns

from ...._core.info import ObjectInfo
from ...._core.writing import AT_ONCE
from . import hidden
from .attributes import UNKNOWN
from .layout import Layout
from .pending import Pending, nanoseconds
from .places import describe
from .straight import EMPTY_PATH, straight_linker
from .tree import LIST, Tree


def is_quick(tree: Tree, layout: Layout) -> bool:
    """Whether objects may go the short way here, where each need not be synced by itself."""
    return not layout.keeps and tree.mode is None and hidden.UNNAMED != 0


def put_new(
    tree: Tree, layout: Layout, key: str, data: bytes | memoryview, modified: datetime | None
) -> ObjectInfo | Pending | None:
    """Store an object that has no attributes and no end, unless something is there already.

    The same as `Pending` does, in the same order, without all that is only needed elsewhere. It
    takes no lock: what gets its name by a link replaces nothing, so that whatever another writer
    has just looked at, holding the lock, is still there when he replaces or removes it.

    Args:
        tree: Where it lies; not durable now.
        layout: What the key means there.
        key: The object's key.
        data: Its bytes.
        modified: The time to be given to it; None: that of now.

    Returns:
        What the object is; or, where something is in the way, the file with all that is to be in
        it, which has yet to appear; or None, where nothing was done, and the long way tells why.
    """
    link = straight_linker()
    if link is None or len(data) > AT_ONCE or tree.folds is not False:
        return None
    parts = layout.parts(key)
    name = parts[-1]
    file = directory = -1
    named = False
    try:
        directory = tree.enter(parts[:-1])
        file = os.open(b".", hidden.UNNAMED, 0o666, dir_fd=directory)
        if os.write(file, data) < len(data):
            return None
        dated = None if modified is None else nanoseconds(modified)
        stamp = time_ns() if dated is None else dated
        os.utime(file, ns=(stamp, stamp))  # as when `Pending` seals it, where this and
        os.close(os.dup(file))  # this are explained
        if link(file, b"", directory, name, EMPTY_PATH):
            listed = os.open(b".", LIST, dir_fd=directory)  # to be locked
            pending = Pending(tree, layout, key, begun=(listed, file))
            pending.dated = dated
            file = -1
            return pending
        named = True
        return describe(key, os.fstat(file), (None, {}) if tree.attributes else UNKNOWN)
    except (OSError, OverflowError):  # the latter of a time that there is not
        if named:
            raise  # put once more, it would be in its own way
        return None
    finally:
        if directory >= 0:
            os.close(directory)
        if file >= 0:
            try:
                os.close(file)
            except OSError:
                pass  # what was to be reported was reported when its copy was closed
