"""Who is about a key just now: what keeps a reader from caching what a writer has replaced.

A reader that fetched an object before a write, and comes to put it into the cache after that,
must not. Nobody waits here: writers count up, readers look whether the count is still what it
was, and whoever finds that two have met leaves no entry. While any of this goes on, nobody trusts
the entry. All is shared by the threads and loops of a process; other processes are not seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self


class _Lane:
    """What goes on about one key."""

    __slots__ = ("doomed", "fills", "users", "writers", "writes")

    def __init__(self) -> None:
        self.users = 0
        self.writers = 0
        self.writes = 0
        """Counted up at each beginning and each end of a write."""
        self.fills = 0
        """Entries that are just being stored by readers."""
        self.doomed = 0
        """Those of them that a write has overtaken: they go again before they count."""

    def count_write(self) -> None:
        self.writes += 1
        self.doomed = self.fills


class Traffic:
    """The lanes of all keys that somebody is about."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def enter(self, key: str) -> _Lane:
        """The key's lane; with the lock held."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        lane.users += 1
        return lane

    def leave(self, key: str, lane: _Lane) -> None:
        """With the lock held."""
        lane.users -= 1
        if not lane.users:
            del self._lanes[key]

    def count_all(self) -> None:
        """As if each key that somebody is about had been written."""
        with self.lock:
            for lane in self._lanes.values():
                lane.count_write()


class Visit:
    """A reader's stay: ``with Visit(traffic, key) as visit``."""

    __slots__ = ("_key", "_lane", "_quiet", "_traffic", "writes")

    def __init__(self, traffic: Traffic, key: str) -> None:
        self._traffic = traffic
        self._key = key

    def __enter__(self) -> Self:
        with self._traffic.lock:
            self._lane = lane = self._traffic.enter(self._key)
            self.writes = lane.writes
            self._quiet = not lane.writers and not lane.doomed
        return self

    def __exit__(self, *exception: object) -> None:
        with self._traffic.lock:
            self._traffic.leave(self._key, self._lane)

    def undisturbed(self) -> bool:
        """Whether nobody has been writing since it began."""
        return self._quiet and self._lane.writes == self.writes

    def note(self, function: Callable[[], None]) -> None:
        """Call a function that remembers something of the object, unless a write came between."""
        with self._traffic.lock:
            if self.undisturbed():
                function()

    def begin_fill(self) -> bool:
        """Whether what was read since the beginning may be stored; then `end_fill` must follow."""
        with self._traffic.lock:
            if not self.undisturbed():
                return False
            self._lane.fills += 1
            return True

    def end_fill(self) -> None:
        """It was stored; where the visit was disturbed, it was removed again."""
        with self._traffic.lock:
            self._lane.fills -= 1
            if self._lane.doomed:
                self._lane.doomed -= 1


class Change:
    """A writer's stay, from before the main store changes until the cache agrees."""

    __slots__ = ("_key", "_lane", "_traffic", "_writes")

    def __init__(self, traffic: Traffic, key: str) -> None:
        self._traffic = traffic
        self._key = key

    def __enter__(self) -> Self:
        with self._traffic.lock:
            self._lane = lane = self._traffic.enter(self._key)
            lane.writers += 1
            lane.count_write()
            self._writes = lane.writes
        return self

    def __exit__(self, *exception: object) -> None:
        with self._traffic.lock:
            self._lane.writers -= 1
            self._lane.count_write()
            self._traffic.leave(self._key, self._lane)

    @property
    def alone(self) -> bool:
        """Whether no other writer and no overtaken reader has been about since it began."""
        lane = self._lane
        return lane.writers == 1 and not lane.doomed and lane.writes == self._writes
