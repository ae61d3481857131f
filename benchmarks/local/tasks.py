"""What the stores do, how much of it, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

KIB = 1024
MIB = 1024 * KIB

SMALL = 4 * KIB
LARGE = 256 * MIB
PIECE = MIB
FOLDERS = 50
IN_FLIGHT = 32
LARGE_KEY = "large"

SMALL_VERBS = ("put", "get", "exists", "list", "delete")
"""In this order: what is read was written, and what was written goes."""
LARGE_VERBS = ("write", "read")
AT_ONCE = ("list", *LARGE_VERBS)
"""Those that are one call."""


@dataclass(frozen=True)
class Mode:
    """How they do it.

    Args:
        waits: Whether one operation waits for the one before it, in a blocking loop; else so many
            are in flight.
        durable: Whether what is written survives a power cut.
    """

    waits: bool
    durable: bool

    @property
    def turn(self) -> int:
        """Operations of one turn.

        Where the machine has other work, most turns of some milliseconds go undisturbed, and the
        median is one of those; with many in flight it takes some to begin and to end.
        """
        return 100 if self.waits else 500

    def __str__(self) -> str:
        how = "blocking, one after the other" if self.waits else f"{IN_FLIGHT} in flight"
        return f"{how}, {'durable' if self.durable else 'not durable'}"


MODES = tuple(Mode(waits, durable) for durable in (False, True) for waits in (True, False))


def key(number: int) -> str:
    """One of the small objects."""
    return f"{number % FOLDERS:02}/key-{number:05}"


def pieces(size: int) -> Iterator[bytes]:
    """What a large object is made of."""
    return repeat(bytes(range(256)) * (PIECE // 256), size // PIECE)
