"""What passes between a thread that waits and the background loop that works for it."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress

from .athome import mine

__all__ = ["BlockingCallError", "CallCancelled", "Signal", "as_raised", "without_frame"]


class BlockingCallError(RuntimeError):
    """A blocking call was made where it could never end: on the background loop's thread."""


class CallCancelled(RuntimeError):
    """The coroutine behind a blocking call was cancelled, and not by the caller.

    Not asyncio.CancelledError: a blocking caller is not a task, and would not catch it.
    """


class Signal:
    """Set once by the loop, awaited by one blocked thread; a third of an Event's price.

    While the thread waits, it takes the calls that are for it alone; see `athome`.
    """

    __slots__ = ("_lock", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Let the waiter go on. Only the loop thread calls this."""
        if not self.is_set:
            self.is_set = True
            self.wake()

    def wake(self) -> None:
        """Let the waiter look round."""
        with suppress(RuntimeError):  # it is awake
            self._lock.release()

    def wait(self) -> None:
        """Wait until set; a second wait, after an interrupted first one, works as well.

        The flag decides and not the lock: an interrupt may fall right after the lock was taken.
        """
        desk = mine()
        while True:
            ended = self.is_set  # read first: what is for this thread came before the end
            desk.work_off()
            if ended:
                return
            # Nothing interrupts a lock on Windows, so that Ctrl-C needs a poll there.
            self._lock.acquire(timeout=0.05 if sys.platform == "win32" else -1)

    def wait_at_most(self, seconds: float) -> bool:
        """Wait until set or for that long; return whether it was set."""
        return self.is_set or self._lock.acquire(timeout=seconds)


def without_frame(error: BaseException) -> BaseException:
    """Return the error without the innermost catcher's frame, which shows the user nothing."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    return error


def as_raised(error: BaseException, *, exiting: bool) -> BaseException:
    """Return what a blocking caller gets for the error: never asyncio.CancelledError."""
    if not isinstance(error, asyncio.CancelledError):
        return error
    if exiting and threading.current_thread().daemon:
        return SystemExit()  # ends the thread without a word on stderr, as the exit would
    cancelled = CallCancelled("the coroutine behind this blocking call was cancelled")
    cancelled.__cause__ = error
    return cancelled
