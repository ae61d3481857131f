"""What a page of a listing tells of its objects, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple, Self

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo
from . import attributes
from .lane.rows import Table

_FIELDS = "Key", "Size", "ETag", "LastModified"


class Columns(NamedTuple):
    """Of each object of a page, in one order: what a million of them are read by."""

    keys: Sequence[str]
    """With the store's own prefix."""
    sizes: Sequence[int]
    etags: Sequence[str | None]
    times: Sequence[datetime | None]

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Self:
        """Those of the server's entries.

        Raises:
            MalformedResponse: One has no key or no size.
        """
        if isinstance(entries, Table):  # of one form, and read as what they are
            nothing = [None] * len(entries)
            return cls(*(entries.columns.get(name, nothing) for name in _FIELDS))
        columns: Iterable[Any] = ([entry.get(name) for entry in entries] for name in _FIELDS)
        told = cls(*columns)
        for column, kind in (told.keys, str), (told.sizes, int):
            if not all(isinstance(value, kind) for value in column):
                raise MalformedResponse("a listing with an object that has no key or no size")
        return told

    def without(self, key: str) -> Self:
        """All others."""
        return self._kept([each != key for each in self.keys]) if key in self.keys else self

    def beginning_with(self, prefix: str) -> Self:
        """Those whose keys do."""
        return self._kept([key.startswith(prefix) for key in self.keys])

    def _kept(self, kept: list[bool]) -> Self:
        columns: Any = self
        return type(self)(*(list(compress(column, kept)) for column in columns))

    def own_keys(self, own: int) -> Sequence[str]:
        """The keys as the user knows them.

        Args:
            own: How many characters of them are the store's own prefix.
        """
        return [key[own:] for key in self.keys] if own else self.keys

    def infos(self, own: int) -> list[ObjectInfo]:
        """The objects; ``own`` is that of `own_keys`."""
        etags, times = map(attributes.unquoted, self.etags), map(attributes.utc, self.times)
        return list(map(ObjectInfo, self.own_keys(own), self.sizes, etags, times))
