"""What a cache counts."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a caching store has done since it was made, in this process."""

    hits: int = 0
    """Reads that were answered from the cache."""
    misses: int = 0
    """Reads for which the main store had to give an object's bytes."""
    revalidations: int = 0
    """Questions to the main store whether an entry is still its object."""
    absences: int = 0
    """Calls for an object that was known to be missing, within ``negative_ttl``."""
    stale: int = 0
    """Hits with an entry that could not be checked, since the main store was unavailable."""
    evictions: int = 0
    """Entries that were removed to keep within the limits."""
    corrupt: int = 0
    """Entries that were damaged, cut short or somebody else's, and were not served."""
    errors: int = 0
    """Failures of the cache store that were gone around."""
    bytes: int = 0
    """Bytes of objects that came from the cache."""


class Counters:
    """Adds up, from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count something by the name it has in `CacheStats`."""
        with self._lock:
            self._counts[name] += count

    def hit(self, size: int) -> None:
        """Count a read from the cache."""
        with self._lock:
            self._counts["hits"] += 1
            self._counts["bytes"] += size

    def stats(self) -> CacheStats:
        """How things stand."""
        with self._lock:
            return CacheStats(**self._counts)
