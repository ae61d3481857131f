"""Deadlines of many operations at once, for a fraction of what one of asyncio's costs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from types import TracebackType
from typing import Self

from .looplocal import LoopLocal


class Deadline:
    """What stands in its block may take so many seconds; then it is cancelled, with `TimeoutError`.

    The same as ``asyncio.timeout``, except that those of the same length share one timer: since
    they end in the order in which they begin, only the first of them needs one.

    Args:
        seconds: How long.
    """

    __slots__ = ("_cancelling", "_queue", "_seconds", "_task", "expired")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.expired = False
        """Whether the time was over before the block was left."""

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is kept for a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._queue = _queues.get()[self._seconds]
        self._queue.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.expired:
            self._queue.remove(self)
        # Somebody else may have cancelled it, too: that goes first.
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """The time is over."""
        self.expired = True
        self._task.cancel()


class _Queue:
    """The deadlines of one length on one loop, the next one first."""

    def __init__(self, seconds: float, queues: _Queues) -> None:
        self._seconds = seconds
        self._queues = queues
        self._loop = asyncio.get_running_loop()
        self._ends: OrderedDict[Deadline, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, deadline: Deadline) -> None:
        end = self._ends[deadline] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(end, self._ring)

    def remove(self, deadline: Deadline) -> None:
        del self._ends[deadline]

    def _ring(self) -> None:
        """End those whose time is over, and wait for the next one."""
        now = self._loop.time()
        while self._ends:
            deadline, end = next(iter(self._ends.items()))
            if end > now:
                self._timer = self._loop.call_at(end, self._ring)
                return
            del self._ends[deadline]
            deadline.expire()
        del self._queues[self._seconds]


class _Queues(dict[float, _Queue]):
    def __missing__(self, seconds: float) -> _Queue:
        queue = self[seconds] = _Queue(seconds, self)
        return queue


_queues: LoopLocal[_Queues] = LoopLocal(_Queues)
