"""Directories made durable: those who wait for the same one share its sync."""

from __future__ import annotations

import os
import threading
from typing import TypeAlias

Identity: TypeAlias = tuple[int, int]


class _Round:
    """One sync, which covers all that was done before it begins."""

    __slots__ = ("done", "error", "over")

    def __init__(self) -> None:
        self.over = threading.Lock()
        self.over.acquire()
        self.done = False
        self.error: OSError | None = None

    def wait(self) -> None:
        with self.over:
            pass


class Syncs:
    """The syncs of directories in this process.

    One that is under way may have begun before a change was made, so who comes meanwhile needs
    the next. The first of them leads it, as soon as the other has ended; the rest only wait.
    """

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Identity, _Round] = {}
        self._next: dict[Identity, _Round] = {}

    def sync(self, directory: int) -> None:
        """Make durable what was done in a directory until now.

        Args:
            directory: A descriptor of it.

        Raises:
            OSError: It failed, for all who shared it: nobody tries again, since a second one
                would succeed without the data.
        """
        found = os.fstat(directory)
        identity = found.st_dev, found.st_ino
        while True:
            with self._lock:
                before, ours = self._running.get(identity), self._next.get(identity)
                leads = ours is None
                if ours is None:
                    ours = _Round()
                    (self._running if before is None else self._next)[identity] = ours
            if leads:
                self._lead(identity, before, ours, directory)
                return
            ours.wait()
            if ours.error is not None:
                raise OSError(ours.error.errno, ours.error.strerror) from ours.error
            if ours.done:
                return
            # Its leader was interrupted.

    def _lead(
        self, identity: Identity, before: _Round | None, ours: _Round, directory: int
    ) -> None:
        try:
            if before is not None:
                before.wait()
                with self._lock:
                    del self._next[identity]  # from here on nobody joins
                    self._running[identity] = ours
            os.fsync(directory)
            ours.done = True
        except OSError as error:
            ours.error = error
            raise
        finally:
            with self._lock:
                for rounds in (self._running, self._next):
                    if rounds.get(identity) is ours:
                        del rounds[identity]
            ours.over.release()


syncs = Syncs()

if hasattr(os, "register_at_fork"):  # the leaders' threads do not survive a fork
    os.register_at_fork(after_in_child=syncs._renew)
