"""An object in the making: a hidden file that becomes the object at once, or nothing."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import datetime
from time import time_ns

from ...._core.errors import ObjectExists, StoreError
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.moments import microseconds
from ...._core.writing import write_all
from . import hidden, lifetimes
from .attributes import UNKNOWN, pack, unpack, write
from .layout import Layout
from .locks import locked, require
from .names import is_anothers
from .places import describe, make_room, make_way, rename, taken
from .tree import Tree, retried

_SECOND = 1_000_000_000


class Pending:
    """A file in the making, in the directory where it will be an object.

    Args:
        tree: Where it lies.
        layout: What else is kept beside it.
        key: The object's key.
        fresh: Whether it replaces nothing, so that it needs no name until it is the object; None
            where that is to be seen. It may still turn out otherwise.
        ttl: Seconds that the object lives; None: for ever.
        begun: Descriptors of the directory and of a file in it without a name, where that is
            written already; else both are made.
    """

    def __init__(
        self,
        tree: Tree,
        layout: Layout,
        key: str,
        *,
        fresh: bool | None = False,
        ttl: float | None = None,
        begun: tuple[int, int] | None = None,
    ) -> None:
        if ttl is not None and not tree.lifetimes.able:
            raise lifetimes.unable()
        self.tree = tree
        self.layout = layout
        self.key = key
        self.parts = layout.parts(key)
        self.fresh = fresh
        self.temp: bytes | None = None
        self.published = False
        self.dated: int | None = None
        """The time to be given to the object, in nanoseconds since 1970; None: that of now."""
        self.ttl = ttl
        self.end: int | None = None
        """When it is over, where that is known from another object, without a ``ttl``."""
        if begun is not None:
            self.directory, self.file = begun
            return
        self.file = -1
        try:
            self.directory = retried(self._begin)
        except BaseException as error:
            tree.prune(self.parts[:-1])
            if isinstance(error, OSError):
                tree.fail(error, self.parts[:-1], writing=True)
            raise

    def _begin(self) -> int:
        directory = make_way(self.tree, self.parts[:-1])
        try:
            if self.fresh is None:
                self.fresh = not _is_there(directory, self.parts[-1])
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
        write_all(self.file, data)

    def publish(self, options: WriteOptions, attributes: bytes = b"") -> ObjectInfo:
        """Make it the object, if the conditions hold.

        Args:
            options: The conditions, and what is kept beside the bytes.
            attributes: What is kept, packed, where that is known from another object.
        """
        attributes = attributes or pack(options)
        self._seal(attributes, options)
        return self.appear(options, attributes)

    def appear(self, options: WriteOptions, attributes: bytes = b"") -> ObjectInfo:
        """The rest of `publish`, where the file has all but its name."""
        try:
            found = self._publish_new(options) or self._publish(options)
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

    def _publish_new(self, options: WriteOptions) -> os.stat_result | None:
        """Publish what has no name under one that is free, which needs no lock; or do nothing."""
        if self.temp is not None or options.if_match is not None or self.layout.keeps:
            return None
        if is_anothers(self.tree, self.directory, self.parts):
            return None
        self._prepare(None)
        try:
            self._appear(True, False)
        except ObjectExists:  # or an empty directory, which gives way
            return None
        return os.fstat(self.file)

    def _publish(self, options: WriteOptions) -> os.stat_result:
        with locked(self.directory) as held:
            if options.if_match is not None:
                require(held)
            old = make_room(self.tree, self.directory, self.parts, held)
            if options.conditional:
                options.check(self.key, None if old is None else describe(self.key, old))
            if self.temp is None and not options.if_absent:
                self.temp = hidden.name(self.file, self.directory)
            self._prepare(old)
            self.layout.keep(self.directory, self.parts[-1], self.key, self.tree.durable)
            self._appear(options.if_absent, held)
            return os.fstat(self.file)  # only now, since a new name is a change of it, too

    def _seal(self, attributes: bytes, options: WriteOptions) -> None:
        if attributes:
            write(self.file, attributes)
        if self.ttl is not None:
            self.end = lifetimes.end_after(self.ttl)
        if self.end is not None:
            self.tree.lifetimes.announce(self.tree.durable)
            lifetimes.write(self.file, self.end)
        if self.dated is None and options.modified is not None:
            self.dated = nanoseconds(options.modified)
        if self.dated is None:
            now = time_ns()
            # The clock that files are stamped with ticks every few milliseconds; this one does not,
            # and two versions must not look alike.
            os.utime(self.file, ns=(now, now))
        if self.tree.durable:
            os.fsync(self.file)  # never tried again: a second one would succeed without the data
        else:
            os.close(os.dup(self.file))  # a network file system reports its failures here

    def _prepare(self, old: os.stat_result | None) -> None:
        """Give the file its permissions and its time."""
        mode = self.tree.mode
        if mode is None and old is not None:  # as private as the one that it replaces
            mode = stat.S_IMODE(old.st_mode) & 0o777
        if mode is not None:
            found = os.fstat(self.file)
            if self.end is not None:
                mode |= lifetimes.MARK
            if mode != stat.S_IMODE(found.st_mode):
                os.fchmod(self.file, mode)
            if old is not None:
                self._renew(found, old)
        if self.dated is not None:
            self._date(self.dated)

    def _renew(self, found: os.stat_result, old: os.stat_result) -> None:
        """Make the file newer than the one that it replaces."""
        for more in (1, 1_000, _SECOND, 2 * _SECOND):  # file systems differ in their grain
            if found.st_mtime_ns > old.st_mtime_ns:
                break
            newer = old.st_mtime_ns + more
            os.utime(self.file, ns=(newer, newer))
            found = os.fstat(self.file)

    def _date(self, nanoseconds: int) -> None:
        """Give the file the time of what it is a copy of."""
        with suppress(OSError, OverflowError):  # a time that the file system does not know
            os.utime(self.file, ns=(nanoseconds, nanoseconds))

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


def _is_there(directory: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def nanoseconds(moment: datetime) -> int:
    """A moment as file systems count it, since 1970."""
    return microseconds(moment) * 1000
