"""Calls that run in the very thread that waits for them.

What a user's blocking store holds may belong to the thread that made it, as a connection of
``sqlite3`` does. Above a store that runs on the background loop, such a child's verbs are handed
to the blocking caller's own thread, which takes them while it waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Protocol

from .workers import Job, settle, theirs


class Waiting(Protocol):
    """What a thread waits for; see `handover.Signal`."""

    is_set: bool

    def wake(self) -> None: ...


class Desk:
    """Where calls wait for one thread. `call` is for the loop, the rest for the thread.

    Nothing is locked: each side says what it does before it looks at the other, so that a call
    is either seen by the thread before it leaves, or given to a worker by whoever is the last.
    """

    def __init__(self) -> None:
        self._waits: list[Waiting] = []  # innermost last: what runs here may wait for more
        self._jobs: deque[Job] = deque()
        self._interrupt: BaseException | None = None

    @property
    def attended(self) -> bool:
        """Whether the thread waits for something that has not happened yet."""
        return any(not each.is_set for each in list(self._waits))

    async def call(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a function in the thread; in a worker where the thread left meanwhile.

        If the task is cancelled, a function that has not begun never begins, and one that has is
        waited for.
        """
        job = theirs.job(self._guarded, (function, args, kwargs), {})
        self._jobs.append(job)
        if not self.attended and self._take_back(job):
            theirs.add(job)
        for each in list(self._waits):
            each.wake()
        try:
            return await job.future
        except asyncio.CancelledError:
            if not (self._take_back(job) or theirs.take_back(job)):
                await settle(job)
            raise
        finally:
            job.error = None  # it holds the frames that hold this job

    def _guarded(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What interrupts the function is for the thread; for the task it is cancelled."""
        try:
            return function(*args, **kwargs)
        except Exception:
            raise
        except BaseException as error:
            self._interrupt = error
            raise asyncio.CancelledError from error

    def _take_back(self, job: Job) -> bool:
        try:
            self._jobs.remove(job)
        except ValueError:
            return False
        return True

    def work_off(self) -> None:
        """Run what waits here. Raises what interrupts it."""
        while self._jobs:
            job = None
            try:
                job = self._jobs[0]
                self._jobs.remove(job)
                job.run()
                job.send()
            except (IndexError, ValueError):  # it was taken back
                continue
            except BaseException:  # it fell between these lines
                if job is not None and not self._take_back(job):
                    job.give_up()
                raise
            error, self._interrupt = self._interrupt, None
            if error is not None:
                raise error

    def enter(self, waiting: Waiting) -> None:
        """Begin to wait for something."""
        if self._waits:  # one whose leaving was interrupted is still there
            self._waits[:] = [each for each in self._waits if not each.is_set]
        self._waits.append(waiting)

    def leave(self, waiting: Waiting) -> None:
        """Wait for it no more."""
        with suppress(ValueError):
            self._waits.remove(waiting)
        while self._jobs and not self.attended:
            try:
                job = self._jobs.popleft()
            except IndexError:
                return
            job.hand_to(theirs)


class _Thread(threading.local):
    def __init__(self) -> None:
        self.desk = Desk()


_thread = _Thread()
_desk: ContextVar[Desk | None] = ContextVar("desk", default=None)
"""That of the thread which waits for the code that runs."""


def mine() -> Desk:
    """The desk of this thread."""
    return _thread.desk


def waiting_one() -> Desk | None:
    """The desk of the thread that waits for the code that runs; None where nobody does.

    That is never this thread: while it runs a loop, say within a user's function, nobody is there
    to take what comes.
    """
    desk = _desk.get()
    if desk is None or desk is _thread.desk or not desk.attended:
        return None
    return desk


class attending:  # noqa: N801 - reads as contextlib's
    """``with attending(signal):`` around what hands work over and waits for the signal."""

    __slots__ = ("_before", "_desk", "_waiting")

    def __init__(self, waiting: Waiting) -> None:
        self._desk = _thread.desk
        self._before = _desk.get()
        self._waiting = waiting

    def __enter__(self) -> None:
        try:
            self._desk.enter(self._waiting)
            _desk.set(self._desk)
        except BaseException:  # an interrupt, after which nobody would leave
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        try:
            _desk.set(self._before)  # and no token, which an interrupt may lose
        finally:
            self._desk.leave(self._waiting)
