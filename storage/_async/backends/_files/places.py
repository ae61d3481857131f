"""What stands under a name, what gives way to a new file, and how that gets the name."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime

from ...._core.errors import InvalidKey, ObjectExists, StoreTimeout
from ...._core.info import ObjectInfo
from .attributes import UNKNOWN, Known
from .lifetimes import is_over_in
from .locks import locked, require
from .names import is_anothers
from .tree import LIST, Parts, Tree, linked

NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}
"""What is said where a file cannot have a second name."""
_at = datetime.fromtimestamp


def found_in(tree: Tree, directory: int, parts: Parts) -> os.stat_result | None:
    """What stands at the end of a way; None for nothing, and an error for a link."""
    try:
        found = tree.stat_in(directory, parts[-1])
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise linked(parts)
    return found


def make_room(tree: Tree, directory: int, parts: Parts, held: bool) -> os.stat_result | None:
    """The object that a write is to replace; None for none.

    An object whose time is over gives way, and a directory without objects; anything else is
    refused. ``held`` is whether the directory's lock is.
    """
    if tree.folds is not False and is_anothers(tree, directory, parts):
        raise InvalidKey(
            "this file system takes the key for another one that is there: "
            "use the safe or the hashed layout"
        )
    found = found_in(tree, directory, parts)
    if found is None or stat.S_ISREG(found.st_mode):
        return None if found is None or gives_way(tree, directory, parts, found, held) else found
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidKey("a device, a pipe or a socket stands under this name")
    if not _remove_empty(directory, parts[-1]):
        raise InvalidKey(
            "there are objects below this key; plain files cannot hold both: "
            "use the safe or the hashed layout"
        )
    return None


def gives_way(tree: Tree, directory: int, parts: Parts, found: os.stat_result, held: bool) -> bool:
    """Whether the time of a file is over; then it is removed, if the lock is held."""
    over = is_over_in(directory, parts[-1], found, follow=tree.follow)
    if over and held:  # or somebody might just have put another one there
        with suppress(FileNotFoundError):
            os.unlink(parts[-1], dir_fd=directory)
    return over


def make_way(tree: Tree, parts: Parts) -> int:
    """A descriptor of a directory, as `Tree.make` gives it; an object that is over gives way."""
    try:
        return tree.make(parts)
    except NotADirectoryError:
        if not any(_clear(tree, parts[:end]) for end in range(1, len(parts) + 1)):
            raise
    return tree.make(parts)


def _clear(tree: Tree, parts: Parts) -> bool:
    """Remove an object that stands where a directory is to be, if it is over."""
    try:
        with tree.entered(parts[:-1], LIST) as directory:
            found = found_in(tree, directory, parts)
            if found is None or not stat.S_ISREG(found.st_mode):
                return False
            with locked(directory) as held:
                return held and gives_way(tree, directory, parts, found, held)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _remove_over(directory: int, name: bytes) -> bool:
    """Remove a file whose time is over, unless somebody is at work in its directory."""
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not is_over_in(directory, name, found):
            return False
        # No waiting: the lock of the directory above is held, which others take after this one.
        with locked(directory, patience=0) as held:
            over = held and is_over_in(directory, name, found)
            if over:
                os.unlink(name, dir_fd=directory)
            return over
    except (FileNotFoundError, StoreTimeout):
        return False


def _remove_empty(directory: int, name: bytes) -> bool:
    """Remove a directory and those in it, if there are no files in any but what is over."""
    try:
        os.rmdir(name, dir_fd=directory)
        return True
    except NotADirectoryError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            return False
    below = os.open(name, LIST | os.O_NOFOLLOW, dir_fd=directory)
    try:
        entries = [os.fsencode(entry) for entry in os.listdir(below)]
        if not all(_remove_empty(below, each) or _remove_over(below, each) for each in entries):
            return False
        os.rmdir(name, dir_fd=directory)
        return True
    except OSError:
        return False
    finally:
        os.close(below)


def rename(
    source: bytes, above: int, target: bytes, below: int, if_absent: bool, held: bool
) -> None:
    """Give a file another name; with ``if_absent`` one that must be free.

    Args:
        source: Its name in the directory ``above``.
        above: A descriptor.
        target: Its new name in the directory ``below``.
        below: A descriptor.
        if_absent: Whether nothing may stand there, also nothing that another program has just put
            there without our lock.
        held: Whether our lock is held.

    Raises:
        ObjectExists: The name is taken.
    """
    if if_absent:
        try:
            os.link(source, target, src_dir_fd=above, dst_dir_fd=below, follow_symlinks=False)
        except FileExistsError as error:
            raise taken() from error
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            require(held)
        else:
            os.unlink(source, dir_fd=above)
            return
    os.rename(source, target, src_dir_fd=above, dst_dir_fd=below)


def taken() -> ObjectExists:
    """The error for a name that is not free."""
    return ObjectExists("there is an object under this key")


def describe(key: str, found: os.stat_result, attributes: Known = UNKNOWN) -> ObjectInfo:
    """What an object's file tells of it."""
    # The time of the last change of any kind is the one that no program can set.
    size = found.st_size
    told = found.st_mtime_ns, size, found.st_ino, found.st_ctime_ns
    etag = "%x-%x-%x-%x" % told  # noqa: UP031 - one is made for each key, in half the time
    try:
        modified = _at(found.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        modified = None  # a time outside of the calendar
    content_type, metadata = attributes
    return ObjectInfo(key, size, etag, modified, content_type, metadata)
