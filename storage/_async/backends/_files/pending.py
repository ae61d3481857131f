"""An object in the making: a hidden file that becomes the object at once, or nothing."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import time_ns

from ...._core.errors import InvalidKey, ObjectExists, StoreError
from ...._core.info import ObjectInfo, WriteOptions
from . import hidden
from .attributes import UNKNOWN, Known, pack, unpack, write
from .layout import Layout
from .locks import locked, require
from .names import is_anothers
from .tree import LIST, Parts, Tree, linked, retried

NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}
"""What is said where a file cannot have a second name."""
_SECOND = 1_000_000_000
_at = datetime.fromtimestamp
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Pending:
    """A file in the making, in the directory where it will be an object.

    Args:
        tree: Where it lies.
        layout: What else is kept beside it.
        key: The object's key.
        fresh: Whether it replaces nothing, so that it needs no name until it is the object.
    """

    def __init__(self, tree: Tree, layout: Layout, key: str, *, fresh: bool = False) -> None:
        self.tree = tree
        self.layout = layout
        self.key = key
        self.parts = layout.parts(key)
        self.fresh = fresh
        self.temp: bytes | None = None
        self.file = -1
        self.published = False
        self.dated: int | None = None
        """The time to be given to the object, in nanoseconds since 1970; None: that of now."""
        try:
            self.directory = retried(self._begin)
        except OSError as error:
            tree.prune(self.parts[:-1])
            tree.fail(error, self.parts[:-1], writing=True)

    def _begin(self) -> int:
        directory = self.tree.make(self.parts[:-1])
        try:
            unnamed = hidden.create_unnamed(directory) if self.fresh else None
            if unnamed is None:
                # With a file in it the directory can no longer be removed.
                self.temp, self.file = hidden.create(directory)
            else:
                self.file = unnamed
        except BaseException:
            os.close(directory)
            raise
        return directory

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes, all of them."""
        hidden.write_all(self.file, data)

    def publish(self, options: WriteOptions, attributes: bytes = b"") -> ObjectInfo:
        """Make it the object, if the conditions hold.

        Args:
            options: The conditions, and what is kept beside the bytes.
            attributes: What is kept, packed, where that is known from another object.
        """
        attributes = attributes or pack(options)
        self._seal(attributes)
        try:
            found = self._publish(options)
        except FileNotFoundError as error:
            if self.temp is not None or isinstance(error, StoreError):
                raise
            found = retried(lambda: self._publish_anew(options))
        self.tree.sync(self.directory)
        return describe(self.key, found, unpack(attributes) if self.tree.attributes else UNKNOWN)

    def _publish_anew(self, options: WriteOptions) -> os.stat_result:
        """Publish what has no name, after others have removed the empty directory."""
        directory = self.tree.make(self.parts[:-1])
        os.close(self.directory)
        self.directory = directory
        return self._publish(options)

    def _publish(self, options: WriteOptions) -> os.stat_result:
        with locked(self.directory) as held:
            if options.if_match is not None:
                require(held)
            old = make_room(self.tree, self.directory, self.parts)
            if options.conditional:
                options.check(self.key, None if old is None else describe(self.key, old))
            found = stamp(self.tree, self.file, old)
            if self.dated is None and options.modified is not None:
                self.dated = (options.modified - _EPOCH) // _MICROSECOND * 1000
            if self.dated is not None:
                found = self._date(self.dated)
            self.layout.keep(self.directory, self.parts[-1], self.key, self.tree.durable)
            self._appear(options.if_absent, held)
        return found

    def _seal(self, attributes: bytes) -> None:
        if attributes:
            write(self.file, attributes)
        now = time_ns()
        # The clock that files are stamped with ticks every few milliseconds; this one does not,
        # and two versions must not look alike.
        os.utime(self.file, ns=(now, now))
        if self.tree.durable:
            os.fsync(self.file)  # never tried again: a second one would succeed without the data
        else:
            os.close(os.dup(self.file))  # a network file system reports its failures here

    def _date(self, nanoseconds: int) -> os.stat_result:
        """Give the file the time of what it is a copy of."""
        with suppress(OSError, OverflowError):  # a time that the file system does not know
            os.utime(self.file, ns=(nanoseconds, nanoseconds))
        return os.fstat(self.file)

    def _appear(self, if_absent: bool, held: bool) -> None:
        name = self.parts[-1]
        if self.temp is not None:
            rename(self.temp, self.directory, name, self.directory, if_absent, held)
        else:
            try:
                hidden.give_name(self.file, self.directory, name)
            except FileExistsError as error:
                raise taken() from error
        self.published = True

    @property
    def closed(self) -> bool:
        """Whether nothing is left to let go of."""
        return self.file < 0

    def close(self) -> None:
        """Let go; a file that was not published is removed. May be called again."""
        if self.closed:
            return
        temp, file, self.file = self.temp, self.file, -1
        try:
            if temp is not None and not self.published:
                with suppress(FileNotFoundError):
                    os.unlink(temp, dir_fd=self.directory)
        finally:
            try:
                os.close(file)
            except OSError:
                pass  # what was to be reported was reported when it was sealed
            os.close(self.directory)
        if not self.published:
            self.tree.prune(self.parts[:-1])


def stamp(tree: Tree, file: int, old: os.stat_result | None) -> os.stat_result:
    """Make a file newer than the one that it replaces, and as private."""
    found = os.fstat(file)
    mode = tree.mode
    if mode is None and old is not None:
        mode = old.st_mode & 0o777
    if mode is not None and mode != found.st_mode & 0o7777:
        os.fchmod(file, mode)
    if old is None:
        return found
    for more in (1, 1_000, _SECOND, 2 * _SECOND):  # file systems differ in their grain
        if found.st_mtime_ns > old.st_mtime_ns:
            break
        newer = old.st_mtime_ns + more
        os.utime(file, ns=(newer, newer))
        found = os.fstat(file)
    return found


def found_in(tree: Tree, directory: int, parts: Parts) -> os.stat_result | None:
    """What stands at the end of a way; None for nothing, and an error for a link."""
    try:
        found = os.stat(parts[-1], dir_fd=directory, follow_symlinks=tree.follow)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise linked(parts)
    return found


def make_room(tree: Tree, directory: int, parts: Parts) -> os.stat_result | None:
    """The object that a write is to replace; None for none.

    A directory without objects gives way; anything else is refused.
    """
    if tree.folds is not False and is_anothers(tree, directory, parts):
        raise InvalidKey(
            "this file system takes the key for another one that is there: "
            "use the safe or the hashed layout"
        )
    found = found_in(tree, directory, parts)
    if found is None or stat.S_ISREG(found.st_mode):
        return found
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidKey("a device, a pipe or a socket stands under this name")
    if not _remove_empty(directory, parts[-1]):
        raise InvalidKey(
            "there are objects below this key; plain files cannot hold both: "
            "use the safe or the hashed layout"
        )
    return None


def _remove_empty(directory: int, name: bytes) -> bool:
    """Remove a directory and those in it, if there are no files in any."""
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
        if not all(_remove_empty(below, os.fsencode(entry)) for entry in os.listdir(below)):
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
    etag = f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
    try:
        modified = _at(found.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        modified = None  # a time outside of the calendar
    return ObjectInfo(key, found.st_size, etag, modified, *attributes)
