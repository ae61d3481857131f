"""What a library of data frames does for the formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, BinaryIO

from ..packages import is_a, package

PARQUET, CSV, ARROW = "Parquet", "CSV", "Arrow"
WAY_OUT = {
    PARQUET: "convert the column, or write .pkl",
    CSV: "convert the column, or write .parquet",
    ARROW: "convert the column, or write the frame as a whole",
}


class Library(ABC):
    """One library. Values that it would not read back as they are give a ``TypeError``."""

    module: str
    extra: str
    kinds: tuple[str, ...]
    """The names of its classes of frames; the first is what pieces are."""

    def owns(self, value: object) -> bool:
        """Whether a value is one of its frames."""
        return is_a(value, self.module, *self.kinds)

    def gives(self, as_: object) -> bool:
        """Whether a type is one of its frames'."""
        # A class that a user has is one of a package that is loaded.
        return isinstance(as_, type) and any(
            base.__name__ in self.kinds and base.__module__.partition(".")[0] == self.module
            for base in as_.__mro__
        )

    def load(self) -> Any:
        """The library itself. Raises `MissingExtra`."""
        return package(self.module, self.extra)

    @abstractmethod
    def write_parquet(self, value: Any, out: BinaryIO) -> None: ...

    @abstractmethod
    def read_parquet(self, source: BinaryIO, as_: Any) -> Any: ...

    @abstractmethod
    def csv_of(self, value: Any, *, header: bool) -> bytes:
        """The text of a frame, which was read again to see that it is the same."""

    @abstractmethod
    def read_csv(self, source: BinaryIO, as_: Any) -> Any: ...

    @abstractmethod
    def to_table(self, value: Any) -> Any:
        """A frame as a table of Arrow."""

    @abstractmethod
    def from_table(self, table: Any, as_: Any) -> Any:
        """A frame of a table of Arrow."""


def refused(what: str, reason: object) -> TypeError:
    """The error for a frame that a form cannot hold."""
    return TypeError(f"{what} would not read back as it is: {reason}; {WAY_OUT[what]}")


def check_columns(written: Iterable[tuple[Any, Any]], read: Iterable[tuple[Any, Any]]) -> None:
    """Compare the columns that CSV gives back, by name and sort.

    Args:
        written: Each column's name and sort.
        read: The same of what was read.

    Raises:
        TypeError: They differ.
    """
    before, after = list(written), list(read)
    if [name for name, _ in before] != [name for name, _ in after]:
        raise refused(CSV, f"its columns would be {[name for name, _ in after]}")
    for (name, kind), (_, other) in zip(before, after, strict=True):
        if kind != other:
            raise refused(CSV, f"the column {name!r} is {kind} and would be {other}")
