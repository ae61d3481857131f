"""How many bytes there may be, and who goes first where there are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from ...._core.errors import ConfigError, NoSpace


class Room:
    """Counts the bytes of objects, and knows which of them were not used for longest.

    Args:
        objects: The objects that are there, which others may change: that is noticed by their
            number, at the next put.
        limit: Bytes that they may have together.
        evict: Whether the ones that were not used for longest make room for new ones.
    """

    def __init__(self, objects: Mapping[str, bytes], limit: int, evict: bool) -> None:
        if limit < 1:
            raise ConfigError(f"max_size is a number of bytes above 0 or None, not {limit!r}")
        self.limit = limit
        self.evicts = evict
        self.total = 0
        self._objects = objects
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._count()

    def touch(self, key: str) -> None:
        """Note that an object was used."""
        try:
            self._sizes.move_to_end(key)
        except KeyError:  # it goes just now, or came without being noticed yet
            return

    def holds(self, key: str, size: int) -> bool:
        """Whether an object fits in, in place of what is there under its key."""
        if len(self._sizes) != len(self._objects):
            self._count()
        return self.total - self._sizes.get(key, 0) + size <= self.limit

    def victims(self, key: str, size: int) -> list[str]:
        """The objects that have to go for another.

        Raises:
            NoSpace: It is too large, or none may go.
        """
        if not self.evicts or size > self.limit:
            text = f"{size} bytes more than the {self.total} that are there"
            raise NoSpace(f"{text} exceed max_size={self.limit}", key=key)
        excess = self.total - self._sizes.get(key, 0) + size - self.limit
        found = []
        for other, freed in self._sizes.items():
            if excess <= 0:
                break
            if other != key:
                found.append(other)
                excess -= freed
        return found

    def check_all(self, sizes: Mapping[str, int], *, alone: bool) -> None:
        """Raise `NoSpace` unless all these can be there at once.

        Args:
            sizes: Of each object.
            alone: Whether nothing else will be there.
        """
        total = sum(sizes.values())
        if not (alone or self.evicts):
            self._count()
            total += sum(size for key, size in self._sizes.items() if key not in sizes)
        if total > self.limit:
            raise NoSpace(f"{total} bytes exceed max_size={self.limit}")

    def add(self, key: str, size: int) -> None:
        """Note that an object was stored."""
        self.total += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        self._sizes.move_to_end(key)

    def drop(self, key: str) -> None:
        """Note that an object went."""
        self.total -= self._sizes.pop(key, 0)

    def _count(self) -> None:
        sizes = {key: len(data) for key, data in self._objects.items()}
        known = [key for key in self._sizes if key in sizes]  # which tell the order of use
        self._sizes = OrderedDict((key, sizes.pop(key)) for key in known)
        self._sizes.update(sizes)
        self.total = sum(self._sizes.values())
