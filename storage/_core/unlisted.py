"""What a listing passes over although it is data, because no key can be its name.

Who has to account for all that is there sets `current`; it is heard through any wrapper, and in
the worker threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar

MOST = 1000
"""Names that are kept; more are only counted."""


class Unlisted:
    """Names of files that no key stands for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.count = 0
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Note one; any thread may."""
        with self._lock:
            self.count += 1
            if len(self.names) < MOST:
                self.names.append(name)

    def chosen(self, wanted: Callable[[str], bool]) -> Unlisted:
        """Those of the names that are kept which are wanted."""
        some = Unlisted()
        for name in filter(wanted, self.names):
            some.add(name)
        return some


current: ContextVar[Unlisted | None] = ContextVar("unlisted", default=None)
"""Takes the names that the listing at hand passes over."""
