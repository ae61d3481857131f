"""When an entry is true enough to be served."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from ...._core.errors import ConfigError
from ...._core.info import ObjectInfo
from .entry import Seal

V = TypeVar("V")

Revalidate: TypeAlias = Literal["always", "ttl", "never"]
"""Whether the main store is asked before an entry is served."""
CacheWrites: TypeAlias = Literal["through", "around", "invalidate"]
"""What a write does to the cache."""

REMEMBERED = 65_536
"""Keys that a process remembers something of beside the cache store."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The arguments of `AsyncCachingStore`, checked and with their defaults."""

    ttl: float | None
    revalidate: Revalidate | None
    negative_ttl: float
    stale_if_error: float
    write: CacheWrites
    max_bytes: int | None
    max_objects: int | None
    max_object_bytes: int | None
    plain: bool | None

    def __post_init__(self) -> None:
        mode = self.revalidate or ("never" if self.ttl is None else "ttl")
        plain = mode == "never" if self.plain is None else self.plain
        object.__setattr__(self, "revalidate", mode)
        object.__setattr__(self, "plain", plain)
        _choose("revalidate", mode, ("always", "ttl", "never"))
        _choose("write", self.write, ("through", "around", "invalidate"))
        for name in ("ttl", "negative_ttl", "stale_if_error"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(f"{name} is a number of seconds from 0, not {value!r}")
        for name in ("max_bytes", "max_objects", "max_object_bytes"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(f"{name} is a number from 0 or None, not {value!r}")
        if (mode == "ttl") != (self.ttl is not None):
            raise ConfigError("ttl= and revalidate='ttl' need each other")
        if plain and mode != "never":
            raise ConfigError("a plain entry tells too little of itself to be revalidated")
        if self.write == "around" and mode == "never":
            raise ConfigError("write='around' leaves what revalidate='never' never finds out")

    @property
    def bears_age(self) -> float:
        """Seconds that what is served may be older than the wish for it."""
        ages = {"always": 0.0, "never": math.inf}
        return ages.get(self.revalidate or "", self.ttl or 0.0)

    def takes(self, size: int) -> bool:
        """Whether an object of ``size`` bytes is cached at all."""
        limits = (self.max_bytes, self.max_object_bytes)
        return all(limit is None or size <= limit for limit in limits) and self.max_objects != 0


def _choose(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is one of {', '.join(allowed)}, not {value!r}")


class Freshness:
    """What this process knows of how true things are, beside what the entries tell."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._confirmed: Memo[tuple[bytes, float]] = Memo(REMEMBERED)
        self._missing: Memo[float] = Memo(REMEMBERED)

    def holds(self, key: str, seal: Seal) -> bool:
        """Whether an entry may be served without asking."""
        if self._policy.revalidate == "ttl":
            return self._age(key, seal) < (self._policy.ttl or 0)
        return self._policy.revalidate == "never"

    def bears_error(self, key: str, seal: Seal) -> bool:
        """Whether an entry may be served while the main store is unavailable."""
        return self._age(key, seal) < self._policy.stale_if_error

    def confirm(self, key: str, seal: Seal, asked: float) -> None:
        """The main store said, asked at ``asked`` (monotonic), that the entry is its object."""
        self._confirmed.put(key, (seal.mark, asked))

    def _age(self, key: str, seal: Seal) -> float:
        """Seconds since the entry was known to be its object; for ever if clocks disagree."""
        age = time.time() - seal.stored
        if age < 0:
            age = math.inf
        confirmed = self._confirmed.get(key)
        if confirmed is not None and confirmed[0] == seal.mark:
            age = min(age, time.monotonic() - confirmed[1])
        return age

    def note_missing(self, key: str, asked: float) -> None:
        """The main store said, asked at ``asked`` (monotonic), that there is no such object."""
        if self._policy.negative_ttl:
            self._missing.put(key, asked + self._policy.negative_ttl)

    def is_missing(self, key: str) -> bool:
        """Whether that was said not too long ago."""
        until = self._missing.get(key)
        return until is not None and time.monotonic() < until

    def forget(self, key: str) -> None:
        """The object has been written, or may have been."""
        self._missing.pop(key)
        self._confirmed.pop(key)

    def forget_all(self) -> None:
        """The cache was cleared."""
        self._missing.clear()
        self._confirmed.clear()


def same_object(known: ObjectInfo, found: ObjectInfo) -> bool:
    """Whether two descriptions are of one version: by etag, else by size and time."""
    if known.etag is not None and found.etag is not None:
        return known.etag == found.etag
    if None in (known.size, known.modified):
        return False
    return (known.size, known.modified) == (found.size, found.modified)


class Memo(Generic[V]):
    """A dict of bounded size, which loses what was not used for longest; for many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._items: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """The value, or None."""
        if not self._items:  # as a rule
            return None
        with self._lock:
            value = self._items.get(key)
            if value is not None:
                self._items.move_to_end(key)
            return value

    def put(self, key: Hashable, value: V) -> None:
        """Remember a value."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            if len(self._items) > self._limit:
                self._items.popitem(last=False)

    def pop(self, key: Hashable) -> None:
        """Forget it."""
        with self._lock:
            self._items.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._items.clear()
