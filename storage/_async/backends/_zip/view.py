"""Reading an archive with its journal, as they are at the moment of each call."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from ...._core.errors import CorruptStore, StoreError, StoreUnavailable
from ...._core.info import ObjectInfo, ReadOptions
from .files import stamp_at
from .format import Entry, Limits
from .member import read_some, read_whole
from .state import Changed, Look, State, look_at, read_state

BATCH = 512
"""Objects of a listing that are looked at in one call."""
TRIES = 50
"""Times that files which change while they are read are read again."""


class Busy(StoreUnavailable):
    """Another process or thread is writing; it is worth another try."""


class ZipView:
    """An archive with its journal, for reading; safe to use from many threads, needs no lock file.

    Args:
        path: The archive.
        limits: What it may hold and unpack to.
    """

    def __init__(self, path: str, limits: Limits) -> None:
        self._given = path
        self._path = ""
        self.limits = limits
        self._state: State | None = None
        self._lock = threading.Lock()
        self._writing = False
        """Whether this object holds the lock between processes, its state being read under it."""

    @property
    def path(self) -> str:
        """The archive itself: its journal and the new archive belong beside that, not a link."""
        if not self._path:
            self._path = os.path.realpath(self._given)
        return self._path

    @property
    def directory(self) -> str:
        """Where the archive is."""
        return os.path.dirname(self.path)

    @property
    def journal_path(self) -> str:
        """The journal."""
        return self.path + "-journal"

    def find(self, key: str) -> Entry:
        """The member under a key; raises as `State.find` does."""
        return self.view().find(key)

    def head(self, key: str) -> ObjectInfo:
        """What is known of an object."""
        return self.find(key).info()

    def exists(self, key: str) -> bool:
        """Whether there is an object; raises `StoreNotFound` where there is no store."""
        state = self.view()
        if state.peek(key) is not None:
            return True
        state.require()
        return False

    def keys(self, prefix: str, start_after: str) -> list[str]:
        """What begins and comes where a listing says, in order.

        Raises:
            StoreNotFound: There is no store.
        """
        return self._listed(prefix, start_after)[1]

    def infos(self, prefix: str, start_after: str) -> Iterator[list[ObjectInfo]]:
        """What is known of the objects, in batches; what goes meanwhile is left out."""
        state, keys = self._listed(prefix, start_after)
        for first in range(0, len(keys), BATCH):
            infos = map(state.info, keys[first : first + BATCH])
            yield [info for info in infos if info is not None]

    def members(self) -> Iterator[Entry]:
        """All members that stay there while one looks at them; raises as `keys` does."""
        state, keys = self._listed("", "")
        return (entry for key in keys if (entry := state.get(key)) is not None)

    def _listed(self, prefix: str, start_after: str) -> tuple[State, list[str]]:
        state = self.view()
        state.require()
        keys = state.keys()
        first = max(bisect_left(keys, prefix), bisect_right(keys, start_after))
        end = bisect_right(keys, prefix, first, key=lambda key: key[: len(prefix)])
        return state, keys[first:end]

    def get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        """An object's bytes, or a range of them."""
        if options.byte_range is not None:
            info, pieces = self.open(key, options)
            return b"".join(pieces), info
        entry = self.find(key)
        info = entry.info()
        options.check(info)
        return read_whole(entry, self.limits), info

    def data(self, key: str) -> bytes:
        """An object's bytes."""
        return read_whole(self.find(key), self.limits)

    def open(self, key: str, options: ReadOptions) -> tuple[ObjectInfo, Iterator[bytes]]:
        """An object's pieces; they stay readable whatever becomes of the archive."""
        entry = self.find(key)
        info = entry.info()
        options.check(info)
        start, end = 0, entry.size
        if options.byte_range is not None:
            start, end = options.byte_range.resolve(entry.size)
        return info, read_some(entry, start, end, self.limits)

    def view(self) -> State:
        """The state of now."""
        if self._writing and (state := self._state) is not None:
            return state  # nobody else changes anything
        state = self._state
        if state is not None and state.seen == self._look():
            return state
        with self._lock:
            return self._refresh()

    def _look(self) -> Look:
        return look_at(self.path, self.journal_path)

    def _refresh(self, first: Look | None = None) -> State:
        """Read again whatever has changed since a look, or now; under the thread's lock."""
        for attempt in range(TRIES):
            look, first = first or self._look(), None
            state, self._state = self._state, None
            try:
                if state is None or not _extended(state, look):
                    state = self._read(state, look)
            except (Changed, StoreError) as error:
                # Someone is at work, unless nothing has moved meanwhile.
                if isinstance(error, StoreError) and look == self._look():
                    raise
                time.sleep(attempt / 1000)
            else:
                self._state = state
                return state
        raise Busy("the archive keeps changing while it is read")

    def _read(self, old: State | None, look: Look) -> State:
        known = old.directory if old is not None and old.seen[0] == look[0] else None
        state = read_state(self.path, self.journal_path, look, self.limits, known)
        if stamp_at(self.path) != look[0]:
            raise Changed
        return state


def _extended(state: State, look: Look) -> bool:
    """Bring a state up to date, where nothing but the journal has grown."""
    if state.seen == look:
        return True
    if not state.can_extend(look):
        return False
    try:
        state.extend()
    except CorruptStore:
        return False  # or the journal was cut back: a fresh look tells
    state.seen = look
    return True
