"""What a store holds at one moment: the archive's members, and the journal's changes to them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import TypeAlias

from ...._core.errors import ConfigError, CorruptStore, ObjectNotFound, StoreNotFound
from ...._core.info import ObjectInfo
from .directory import NO_ARCHIVE, Directory, Entries, read_directory
from .files import OpenFile, Stamp, open_file, stamp_at, stamp_of
from .format import Entry, Limits, check_name, entry_of
from .journal import DELETE, MARK, PUT, Journal, Record

Look: TypeAlias = tuple[Stamp | None, tuple[int, int, int] | None]
"""What a look at archive and journal shows, enough to see whether either has changed."""


class Changed(Exception):
    """The files were changed while they were read: read them again."""


def look_at(path: str, journal: str) -> Look:
    """Look at both files; the archive last, as it is replaced before the journal goes."""
    found = stamp_at(journal)
    return stamp_at(path), found and found[:3]


class State:
    """The members of an archive and its journal.

    It is changed in place by a writer; readers need no lock, as each looks up a key just once.

    Args:
        directory: What the archive holds; None where there is none.
        seen: What the look showed that this state was read after.
    """

    def __init__(self, directory: Directory | None, seen: Look) -> None:
        self.directory = directory
        self.seen = seen
        self.identity = NO_ARCHIVE if directory is None else directory.identity
        self._entries: Entries = {} if directory is None else directory.positions
        self.journal: Journal | None = None
        self.marked = False
        """Whether the journal's changes belong to this archive."""
        self.pending = 0
        """Changes that the archive does not hold yet."""
        self._version = 0
        self._sorted: tuple[int, list[str]] = (-1, [])

    @property
    def missing(self) -> bool:
        """Whether there is no store at all."""
        return self.directory is None and not self.pending

    def find(self, key: str) -> Entry:
        """The member under ``key``.

        Raises:
            InvalidKey: There is none, and there never can be.
            StoreNotFound: There is no store.
            ObjectNotFound: There is no such member.
        """
        entry = self.peek(key)
        if entry is None:
            self.require()
            raise ObjectNotFound("there is no object under this key", key=key)
        return entry

    def peek(self, key: str) -> Entry | None:
        """The member under ``key`` or None; raises `InvalidKey` as `find` does."""
        entry = self.get(key)
        if entry is None:
            check_name(key)  # only now: archives from elsewhere have what we would not write
        return entry

    def get(self, key: str) -> Entry | None:
        """The member under ``key`` or None."""
        found = self._entries.get(key)
        if type(found) is not int:
            return found  # type: ignore[return-value]
        assert self.directory is not None
        return self.directory.entry(found)

    def info(self, key: str) -> ObjectInfo | None:
        """What is known of the object under ``key``, or None."""
        found = self._entries.get(key)
        if type(found) is int and self.directory is not None:
            return self.directory.info(key, found)
        return None if found is None else found.info()  # type: ignore[union-attr]

    def require(self) -> None:
        """Raise `StoreNotFound` where there is no store."""
        if self.missing:
            raise StoreNotFound("there is no such archive; the first write creates it")

    def keys(self) -> list[str]:
        """All keys in the order of Python's, which is that of their UTF-8 bytes."""
        version, keys = self._sorted
        if version != self._version:
            version = self._version  # before the keys are read: a change meanwhile shows
            keys = sorted(self._entries)
            self._sorted = version, keys
        return keys

    def members(self) -> Iterator[Entry]:
        """All members, in any order."""
        return (entry for key in self._entries if (entry := self.get(key)) is not None)

    # -- reading the files ------------------------------------------------------------------

    def follow(self, journal: Journal) -> None:
        """Take over a journal's changes; raises as `extend` does."""
        self._entries = dict(self._entries)  # the directory's own stay as they are
        self.journal = journal
        self.extend()

    def extend(self) -> None:
        """Read what the journal holds beyond the last look.

        Raises:
            CorruptStore: The journal is damaged, or belongs to another archive.
        """
        assert self.journal is not None
        orphans = 0
        for record in self.journal.replay():
            if record.kind != MARK:
                self.apply(record)
                orphans += not self.marked
            elif record.head == self.identity:
                self._start_over()
                orphans = 0
        if orphans:
            raise CorruptStore(
                f"its journal holds {orphans} changes to another archive than this one: bring that"
                " archive back, or remove the journal to lose the changes"
            )

    def _start_over(self) -> None:
        self._entries = {} if self.directory is None else dict(self.directory.positions)
        self.marked, self.pending = True, 0
        self._version += 1

    def apply(self, record: Record) -> Entry | None:
        """Do one of the journal's changes; returns the new member."""
        assert self.journal is not None
        self._version += 1
        self.pending += 1
        if record.kind == DELETE:
            self._entries.pop(record.head.decode(errors="replace"), None)
            return None
        entry = entry_of(record.head, self.journal.file, record.position)
        if record.kind != PUT or record.data_size != entry.packed:
            raise CorruptStore("the journal holds a change that makes no sense")
        self._entries[entry.key] = entry
        return entry

    def can_extend(self, look: Look) -> bool:
        """Whether the files differ from this state by nothing but a longer journal."""
        now, then = look[1], self.seen[1]
        if look[0] != self.seen[0] or now is None or then is None or self.journal is None:
            return False
        return now[:2] == then[:2] and now[2] >= self.journal.end


def read_state(
    path: str, journal: str, look: Look, limits: Limits, known: Directory | None
) -> State:
    """Read both files as the look found them.

    Args:
        path: The archive.
        journal: Its journal.
        look: What `look_at` showed just before.
        limits: What the archive may hold.
        known: The archive's directory, where that was read before.

    Raises:
        Changed: A file is another one by now.
        CorruptStore: A file is damaged.
    """
    directory = known if known or look[0] is None else _open_archive(path, look[0], limits)
    state = State(directory, look)
    if look[1] is not None:
        try:
            file = open_file(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise Changed from None
        if stamp_of(os.fstat(file.fd))[:2] != look[1][:2]:
            raise Changed
        state.follow(Journal(file))
    return state


def _open_archive(path: str, stamp: Stamp, limits: Limits) -> Directory:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ConfigError("what stands under the path is not a file")
        # Not blocking: a pipe that takes its place now must not hang us.
        file: OpenFile = open_file(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Changed from None
    if stamp_of(os.fstat(file.fd)) != stamp:
        raise Changed
    return read_directory(file, stamp[2], limits)
