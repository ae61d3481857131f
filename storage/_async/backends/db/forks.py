"""Forks wait until no thread is within SQLite.

SQLite's own locks would stay locked in the child for ever, if another thread held one of them.
"""

from __future__ import annotations

import os
import threading
from threading import get_ident
from time import monotonic, sleep

PATIENCE = 10.0
"""Seconds that a fork waits at most."""


class _Inside:
    """``with inside:`` around all that a thread does with SQLite; not to be nested."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._door = threading.Lock()
        self._closed = False
        self._threads: set[int] = set()

    # Each side says what it does before it looks at the other, so that no lock is needed: whoever
    # enters sees the door closed, or is seen by whoever closed it.

    def __enter__(self) -> None:
        self._threads.add(get_ident())
        if self._closed:
            self._wait()

    def __exit__(self, *exception: object) -> None:
        self._threads.discard(get_ident())

    def _wait(self) -> None:
        while self._closed:
            self._threads.discard(get_ident())
            with self._door:
                self._threads.add(get_ident())

    def before(self) -> None:
        """Let nobody in, and wait until all are out."""
        self._door.acquire()
        self._closed = True
        end = monotonic() + PATIENCE
        while self._threads - {get_ident()} and monotonic() < end:
            sleep(0.0005)

    def after_in_parent(self) -> None:
        self._closed = False
        self._door.release()

    def after_in_child(self) -> None:
        self._reset()


inside = _Inside()

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=inside.before,
        after_in_parent=inside.after_in_parent,
        after_in_child=inside.after_in_child,
    )
