"""Which objects a sync is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile

from ..._core.errors import ConfigError
from ..._core.globs import Globs
from ..._core.info import ObjectInfo
from ..._core.keys import check_key

MOST_PREFIXES = 16
"""Prefixes that are listed one by one; more become what they have in common."""
EVERYTHING = frozenset({"*", "**", "/*", "/**"})


@dataclass(frozen=True)
class Selection:
    """What a sync copies, compares and deletes; all else stays as it is, at both ends.

    Patterns are those of a ``.gitignore`` (`storage._core.globsyntax`). A key is selected if it
    matches `include` and does not match `exclude`, whatever order they are given in; of patterns in
    one of them, the last one that matches decides. With rsync and aws one says ``exclude *`` beside
    an include to mean "nothing else": here include alone means that already, so the two together,
    which would select nothing, are refused.

    Sizes and times are the source's, and those of the target where the source has no such object.
    So an object that grew past `max_size` is neither copied nor deleted.

    Args:
        include: Patterns; none means all keys.
        exclude: Patterns.
        newer: Only objects that were written after this; without a time zone it is local time.
        older: Only objects that were written before this.
        min_size: Only objects of at least so many bytes.
        max_size: Only objects of at most so many bytes.
        files_from: Only these keys, exactly; they have to match the patterns, too.

    Raises:
        ConfigError: An argument makes no sense.
    """

    include: Iterable[str] = ()
    exclude: Iterable[str] = ()
    newer: datetime | None = None
    older: datetime | None = None
    min_size: int | None = None
    max_size: int | None = None
    files_from: Iterable[str] | None = None
    _included: Globs = field(init=False, repr=False, compare=False)
    _excluded: Globs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            if isinstance(getattr(self, name), str):
                raise ConfigError(f"{name} is several patterns, not a str")
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.files_from is not None:
            object.__setattr__(self, "files_from", frozenset(map(check_key, self.files_from)))
        for name in ("newer", "older"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                object.__setattr__(self, name, moment.astimezone())
        object.__setattr__(self, "_included", Globs(self.include))
        object.__setattr__(self, "_excluded", Globs(self.exclude))
        self._check()

    def _check(self) -> None:
        for size in (self.min_size, self.max_size):
            if size is not None and size < 0:
                raise ConfigError(f"a size is at least 0, not {size!r}")
        if self.max_size is not None and self.max_size < (self.min_size or 0):
            raise ConfigError(f"no size is from {self.min_size} to {self.max_size}")
        if self.newer is not None and self.older is not None and self.newer >= self.older:
            raise ConfigError(f"nothing is newer than {self.newer} and older than {self.older}")
        excluded = self._excluded.patterns
        if self._included and _excludes_all(excluded):
            raise ConfigError("include alone means nothing else; leave out the exclude of all")

    def __bool__(self) -> bool:
        return self.by_key or self.by_info

    @property
    def by_key(self) -> bool:
        """Whether `selects_key` may say no."""
        return bool(self._included or self._excluded) or self.files_from is not None

    @property
    def by_info(self) -> bool:
        """Whether `selects` may say no."""
        limits = (self.newer, self.older, self.min_size, self.max_size)
        return any(limit is not None for limit in limits)

    def selects_key(self, key: str) -> bool:
        """Whether a key is selected, whatever is under it."""
        if self.files_from is not None and key not in self.files_from:
            return False
        if self._included and not self._included.matches(key):
            return False
        return not (self._excluded and self._excluded.matches(key))

    def selects(self, info: ObjectInfo, unknown: bool = True) -> bool:
        """Whether an object's size and time are selected.

        Args:
            info: What the source says of it; or what the target says, if only that has it.
            unknown: What to answer where the store does not tell what is asked for: to copy too
                much is better than to miss something, and to delete too little is better, too.
        """
        return self._selects_size(info.size, unknown) and self._selects_time(info.modified, unknown)

    def _selects_size(self, size: int | None, unknown: bool) -> bool:
        if size is None:
            return unknown or (self.min_size is None and self.max_size is None)
        if self.min_size is not None and size < self.min_size:
            return False
        return self.max_size is None or size <= self.max_size

    def _selects_time(self, modified: datetime | None, unknown: bool) -> bool:
        if modified is None:
            return unknown or (self.newer is None and self.older is None)
        if self.newer is not None and modified <= self.newer:
            return False
        return self.older is None or modified < self.older

    def prefixes(self) -> tuple[str, ...]:
        """What the selected keys begin with: in order, and none begins with another.

        Returns:
            ``("",)`` where that says nothing.
        """
        if self.files_from is not None:
            heads: Iterable[str] = self.files_from
        elif self._included:
            heads = self._included.prefixes()
        else:
            return ("",)
        found = _disjoint(heads)
        return found if len(found) <= MOST_PREFIXES else (_in_common(found[0], found[-1]),)


def _disjoint(prefixes: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for prefix in sorted(prefixes):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return tuple(found)


def _in_common(first: str, last: str) -> str:
    """What all that lies between two texts begins with, too."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in pairs)


def _excludes_all(patterns: Iterable[str]) -> bool:
    taken_back = any(pattern.startswith("!") for pattern in patterns)
    return not taken_back and not EVERYTHING.isdisjoint(patterns)
