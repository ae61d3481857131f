"""Worker threads whose hops are shared by the calls that wait at the same time."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from math import inf
from time import monotonic
from typing import Any, TypeAlias

Loop: TypeAlias = asyncio.AbstractEventLoop

TICK = 0.001
"""Seconds between two looks of a loop at its calls, while some of them wait."""
BRISK = 8
"""Calls done within a tick that show that the workers at work are enough."""
IDLE = 10.0
"""Seconds without work after which a worker ends."""
_NOTHING: dict[str, Any] = {}


class Job:
    """One call of a function, and the future of the task that awaits it."""

    __slots__ = (
        "args", "born", "context", "delivered", "error", "function", "future", "kwargs", "loop",
        "outbox", "result",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        loop: Loop,
        outbox: _Outbox,
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.loop, self.outbox = loop, outbox
        self.context = copy_context()
        self.future: asyncio.Future[Any] = loop.create_future()
        self.born = monotonic()
        self.delivered = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self.context.run(self.function, *self.args, **self.kwargs)
        except StopIteration as error:
            # A future refuses StopIteration: it would end the awaiting coroutine.
            self.error = RuntimeError("a call raised StopIteration")
            self.error.__cause__ = error
        except BaseException as error:
            self.error = error
        self.outbox.done.append(self)

    def send(self) -> None:
        """Let the loop know that it has run; for threads that may be interrupted in the midst."""
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.loop.call_soon_threadsafe(self.outbox.deliver)

    def give_up(self) -> None:
        """Take it for cancelled, since nobody knows how far it came."""
        self.error = asyncio.CancelledError()
        self.outbox.done.append(self)
        self.send()

    def hand_to(self, pool: Pool) -> None:
        """Let a pool run it; for those who are not on the loop."""
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.loop.call_soon_threadsafe(pool.add, self)

    def deliver(self) -> None:
        """Hand over the outcome, on the loop."""
        self.delivered = True
        if self.future.done():  # cancelled meanwhile: `settle` looks at `delivered`
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _Outbox:
    """The finished jobs of one loop; the loop is woken once for all that are there."""

    __slots__ = ("done", "watching", "woken")

    def __init__(self) -> None:
        self.done: deque[Job] = deque()
        self.woken = False
        self.watching = False

    def wake(self, loop: Loop) -> None:
        if self.woken:
            return
        self.woken = True
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(self.deliver)

    def deliver(self) -> None:
        # The flag falls first: a job that is done from here on wakes the loop again.
        self.woken = False
        done = self.done
        while done:
            done.popleft().deliver()


class Pool:
    """Threads that drain one queue: few while calls are short, more when a call has to wait.

    Args:
        limit: The most threads at a time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._reset()

    def _reset(self) -> None:
        self._queue: deque[Job] = deque()
        self._ready = threading.Condition(threading.Lock())
        self._threads = 0
        self._asleep = 0
        self._calls = 0  # wake-up calls that no sleeper has heard yet
        self._done = 0  # calls since the last tick
        self._outboxes: weakref.WeakKeyDictionary[Loop, _Outbox] = weakref.WeakKeyDictionary()
        self._recent: tuple[Callable[[], Loop | None], _Outbox] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a call waits for a worker, or one of these is at work."""
        return bool(self._queue) or self._threads > self._asleep

    async def submit(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] = _NOTHING,
        dispose: Callable[[Any], object] | None = None,
    ) -> Any:
        """Run a function in a worker; see `storage._core.calls.call` and `acquire`."""
        job = self.job(function, args, kwargs)
        self.add(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            if not self.take_back(job):
                await settle(job)
                if dispose is not None and job.error is None:
                    await self._dispose(dispose, job.result)
            raise
        finally:
            job.error = None  # it holds the frames that hold this job

    async def _dispose(self, dispose: Callable[[Any], object], result: Any) -> None:
        job = self.job(dispose, (result,), _NOTHING)
        self.add(job)
        await settle(job)

    def _outbox(self, loop: Loop) -> _Outbox:
        box = self._outboxes.get(loop)
        if box is None:
            box = self._outboxes[loop] = _Outbox()
        self._recent = weakref.ref(loop), box
        return box

    def job(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Job:
        """A call that the running loop waits for."""
        loop, recent = get_running_loop(), self._recent
        if recent is not None and recent[0]() is loop:
            return Job(function, args, kwargs, loop, recent[1])
        return Job(function, args, kwargs, loop, self._outbox(loop))

    def add(self, job: Job) -> None:
        """Let a worker run it; on the loop."""
        self._queue.append(job)
        # A look without the lock: a worker says that it sleeps before it looks at the queue for the
        # last time, so that it finds this job, or is found asleep here.
        if self._threads <= self._asleep - self._calls:
            with self._ready:
                if self._queue and self._threads <= self._asleep - self._calls:
                    self._wake_one()
        box = job.outbox
        if not box.watching:
            box.watching = True
            job.loop.call_later(TICK, self._watch, job.loop, box)

    def _watch(self, loop: Loop, box: _Outbox) -> None:
        """Look, from the loop, whether calls or results wait behind a slow call."""
        box.deliver()
        with self._ready:
            done, self._done = self._done, 0
            if done < BRISK and self._waits_since() <= monotonic() - TICK:
                self._wake_one()
        box.watching = bool(self._queue or box.done)
        if box.watching:
            loop.call_later(TICK, self._watch, loop, box)

    def _waits_since(self) -> float:
        """When the first job came that waits; workers take jobs without the lock."""
        try:
            return self._queue[0].born
        except IndexError:
            return inf

    def _wake_one(self) -> None:
        if self._asleep > self._calls:
            self._calls += 1
            self._ready.notify()
        elif self._threads < self._limit:
            self._threads += 1
            # Daemon: a call that hangs must not hang the interpreter's exit.
            threading.Thread(target=self._work, name="storage-worker", daemon=True).start()

    def _work(self) -> None:
        # Results leave in one wake-up for all calls of a loop that waited together; the few that
        # are caught before a slow call of the same loop leave with its next tick.
        last: Job | None = None
        queue = self._queue
        while True:
            try:
                job = queue.popleft()
            except IndexError:
                if last is not None:
                    last.outbox.wake(last.loop)
                    last = None
                if not self._sleep():
                    return
                continue
            if last is not None and last.outbox is not job.outbox:
                # Another loop's ticks end while this worker is busy with what is not its own.
                last.outbox.wake(last.loop)
            last = job
            job.run()
            self._done += 1
            del job

    def _sleep(self) -> bool:
        """Wait for work; False where this worker is to end."""
        with self._ready:
            self._asleep += 1
            if self._queue:
                self._asleep -= 1
                return True
            self._ready.wait_for(lambda: self._calls, IDLE)
            woken = self._calls > 0
            if woken:
                self._calls -= 1
            else:
                self._threads -= 1  # first: `add` must not take it for one that is awake
            self._asleep -= 1
            return woken

    def take_back(self, job: Job) -> bool:
        """Take a waiting job back; False where it has begun."""
        try:
            self._queue.remove(job)
        except ValueError:
            return False
        return True


async def settle(job: Job) -> None:
    """Wait until a job has run, however often the waiting itself is cancelled."""
    while not job.delivered:
        job.future = asyncio.get_running_loop().create_future()
        try:
            await job.future
        except asyncio.CancelledError:
            continue
        except BaseException:
            return


ours = Pool(limit=32)
"""For the functions of this package, which never wait for another call."""
theirs = Pool(limit=256)
"""For users' code, which may call blocking stores again: it must not starve the first pool."""


def _renew() -> None:
    # Threads do not survive a fork, and their locks may be held for ever.
    ours._reset()
    theirs._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
