"""A look through all members of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...._core.errors import CorruptStore, MissingExtra, NotSupported
from .format import Entry, Limits
from .member import read_some

NAMED = 100
"""Keys of a kind that are told one by one."""
PACE = 4 * 1024 * 1024
"""Bytes after which whoever looks is asked whether to go on; a small member counts as 4 KiB."""


@dataclass(frozen=True)
class ZipCheckReport:
    """What a look through a whole archive has found."""

    objects: int
    """How many there are."""
    size: int
    """Bytes in all of them, unpacked."""
    damaged: tuple[str, ...]
    """The keys of objects that cannot be read as the archive declares them; at most 100."""
    unread: tuple[str, ...]
    """The keys of objects that nobody here can read: encrypted ones and such; at most 100."""

    @property
    def sound(self) -> bool:
        """Whether there is nothing to complain about."""
        return not self.damaged


@dataclass
class Findings:
    """What has been found so far."""

    objects: int = 0
    size: int = 0
    damaged: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def report(self) -> ZipCheckReport:
        """All of it."""
        damaged, unread = self.damaged[:NAMED], self.unread[:NAMED]
        return ZipCheckReport(self.objects, self.size, tuple(damaged), tuple(unread))


def look_through(entries: Iterator[Entry], limits: Limits, found: Findings) -> Iterator[int]:
    """Read every member; gives the bytes that were read since it gave something last."""
    pace = 0
    for entry in entries:
        found.objects, found.size = found.objects + 1, found.size + entry.size
        try:
            for piece in read_some(entry, 0, entry.size, limits):
                pace += len(piece)
                if pace >= PACE:
                    yield pace
                    pace = 0
        except (NotSupported, MissingExtra):
            found.unread.append(entry.key)
        except CorruptStore:
            found.damaged.append(entry.key)
        pace += 4096
    yield pace
