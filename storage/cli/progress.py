"""A bar with objects, bytes and rate; nothing where standard error is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ..aioutils import SyncEvent


class Progress:
    """Shows what a sync does.

    Args:
        title: What stands before the bar.
    """

    def __init__(self, title: str) -> None:
        self._bar: Any = None
        self._objects = 0
        self._title = title

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm  # takes a while to import

            self._bar = tqdm(desc=self._title, unit="B", unit_scale=True, leave=False)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def watch(self, events: list[SyncEvent]) -> None:
        """Take outcomes, in any thread."""
        if self._bar is None:
            return
        self._objects += len(events)
        self._bar.set_postfix_str(f"{self._objects} objects", refresh=False)
        self._bar.update(sum(event.size for event in events))


def readable(size: float) -> str:
    """A number of bytes with a decimal unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
