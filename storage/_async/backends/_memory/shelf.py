"""Objects in a dict, what is known of them, and when they go. It does not wait for anything."""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from ...._core.errors import ObjectNotFound
from ...._core.info import ObjectInfo, WriteOptions
from .lifetimes import Deadlines
from .room import Room
from .snapshots import Item
from .sorting import sorted_parts

Known: TypeAlias = tuple[bytes, ObjectInfo, float | None]
"""What is known of the very bytes that stand beside it, and when they go."""

SWEPT = 64
"""Objects that a put sweeps away, of those whose time is over."""

_PROCESS = os.urandom(4).hex()
_versions = itertools.count(1)


class Shelf:
    """The objects of a store and of its views; safe to use from many threads.

    Args:
        objects: The objects themselves, which others may change.
        room: How many bytes there may be; None: any number.
        clock: Tells the time in seconds.
    """

    def __init__(
        self, objects: MutableMapping[str, bytes], room: Room | None, clock: Callable[[], float]
    ) -> None:
        self.objects = objects
        self.room = room
        self._limited = room is not None
        self.deadlines = Deadlines(clock)
        self._due = self.deadlines.heap  # empty, where nothing goes by itself
        self.lock = threading.Lock()
        self._known: dict[str, Known] = {}

    def find(self, key: str) -> Known:
        """What stands under a key; raises `ObjectNotFound` where nothing does."""
        known = self._known.get(key)
        if known is not None and known[2] is None and self.objects.get(key) is known[0]:
            return known
        with self.lock:
            known = self.look(key)
        if known is None:
            raise ObjectNotFound("there is no object under this key", key=key)
        return known

    def holds(self, key: str) -> bool:
        """Whether anything stands under a key."""
        if not self._due:
            return key in self.objects
        with self.lock:
            return self.look(key) is not None

    def keys(self, prefix: str, start_after: str) -> Iterator[str]:
        """The keys that a listing asks for, in order; what goes meanwhile is left out."""
        parts = sorted_parts(self.objects, prefix, start_after)
        while True:
            with self.lock:
                part = next(parts, None)
            if part is None:
                return
            for key in part:
                if key > start_after and key.startswith(prefix) and self.holds(key):
                    yield key

    # -- with the lock held -----------------------------------------------------------------

    def look(self, key: str) -> Known | None:
        """What stands under a key; None if nothing does, or its time is over."""
        data = self.objects.get(key)
        if data is None:
            return None
        known = self._known.get(key)
        if known is None or known[0] is not data:  # others have put it there
            known = self._known[key] = data, _info(key, data), None
        elif known[2] is not None and known[2] <= self.deadlines.now():
            self.drop(key)
            return None
        return known

    def peek(self, key: str) -> ObjectInfo | None:
        """What is known of what stands under a key."""
        known = self.look(key)
        return None if known is None else known[1]

    def store(
        self, key: str, data: bytes, options: WriteOptions, deadline: float | None
    ) -> ObjectInfo:
        """Put an object there, whatever the conditions; raises `NoSpace`."""
        if self._limited or self._due:
            self._prepare(key, len(data))
        metadata = options.metadata
        info = ObjectInfo(
            key,
            len(data),
            f"{_PROCESS}-{next(_versions):x}",
            datetime.now(UTC),
            options.content_type,
            dict(metadata) if metadata else {},
        )
        self.objects[key] = data
        self._known[key] = data, info, deadline
        if self._limited or deadline is not None:
            self._note(key, len(data), deadline)
        return info

    def copy(self, source: str, target: str, if_absent: bool, *, move: bool = False) -> ObjectInfo:
        """Put an object under another key as well, or instead; it goes when the first one does."""
        known = self.look(source)
        if known is None:
            raise ObjectNotFound("there is no object under this key", key=source)
        data, info, deadline = known
        options = WriteOptions(if_absent, None, info.content_type, info.metadata)
        options.check(target, self.peek(target))
        if source == target:
            return info
        if move:
            self.drop(source)
        return self.store(target, data, options, deadline)

    def drop(self, key: str) -> None:
        """Let an object go."""
        self.objects.pop(key, None)
        self._known.pop(key, None)
        if self.room is not None:
            self.room.drop(key)

    def sweep(self, limit: float = math.inf) -> int:
        """Let objects go whose time is over; returns how many."""
        before = len(self.objects)
        for key in self.deadlines.due(limit):
            self.look(key)
        return before - len(self.objects)

    def snapshot(self) -> list[Item]:
        """All objects."""
        items, now = [], self.deadlines.now()
        for key in list(self.objects):
            known = self.look(key)
            if known is not None:
                data, info, deadline = known
                items.append(Item(key, data, info, None if deadline is None else deadline - now))
        return items

    def take_over(self, items: Sequence[Item], delete: bool, deadline: float | None) -> None:
        """Put all the objects there, and let all others go if asked; raises `NoSpace` before."""
        new = {item.key: len(item.data) for item in items}
        if self.room is not None:
            self.sweep()
            self.room.check_all(new, alone=delete)
        for key in [key for key in self.objects if key not in new] if delete else ():
            self.drop(key)
        for item in items:
            self.store(item.key, item.data, item.options(), deadline)

    def _prepare(self, key: str, size: int) -> None:
        self.sweep(SWEPT)
        room = self.room
        if room is None or room.holds(key, size):
            return
        self.sweep()
        if not room.holds(key, size):
            for victim in room.victims(key, size):
                self.drop(victim)

    def _note(self, key: str, size: int, deadline: float | None) -> None:
        if self.room is not None:
            self.room.add(key, size)
        if deadline is not None:
            self.deadlines.add(deadline, key, self._living)

    def _living(self) -> Iterator[tuple[float, str]]:
        return ((known[2], key) for key, known in self._known.items() if known[2] is not None)


def _info(key: str, data: bytes) -> ObjectInfo:
    now = datetime.now(UTC)
    return ObjectInfo(key, len(data), f"{_PROCESS}-{next(_versions):x}", now, None, {})
