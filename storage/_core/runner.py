"""Coroutines for blocking callers: the one background event loop of the process, from outside.

`run` drives one coroutine, `iterate` an async iterator and `enter` an async context manager.
Each costs a hand-over to the loop's thread (about 25 us), which `iterate` makes once a batch.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from .athome import attending
from .entering import Entered, enter
from .handover import BlockingCallError, CallCancelled, Signal, as_raised, without_frame
from .iterating import BlockingIterator, iterate
from .looplocal import LoopLocal
from .loopthread import LoopThread, at_exit, for_caller, on_runner_loop, set_loop_factory
from .permits import as_caller

__all__ = [
    "BlockingCallError",
    "BlockingIterator",
    "CallCancelled",
    "Entered",
    "LoopLocal",
    "at_exit",
    "enter",
    "iterate",
    "on_runner_loop",
    "run",
    "set_loop_factory",
]

T = TypeVar("T")


def run(coro: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine on the background loop, wait for it, and return what it returns.

    It sees the caller's context variables. Works in any thread but the loop's own, also where
    another event loop runs (which is blocked meanwhile). An interrupt (Ctrl-C, a signal
    handler's exception) cancels the coroutine, waits for its clean-up and is raised again; a
    second one leaves at once.

    Raises what the coroutine raises, SystemExit and KeyboardInterrupt included; CallCancelled
    if it was cancelled; BlockingCallError on the loop's own thread, where the coroutine is
    closed unstarted.
    """
    call = _Call(coro)
    with attending(call.ended):
        try:
            call.thread = thread = for_caller(coro)
            as_caller(thread.call_soon, call.start)
            call.ended.wait()
        except BaseException:
            call.abort()
            raise
    if call.error is not None:
        raise call.take_error()
    return call.result


class _Call(Generic[T]):
    """One coroutine on its way through the loop. `start`, `cancel`, `guard` run on the loop."""

    __slots__ = ("coro", "ended", "error", "result", "task", "thread")

    result: T
    thread: LoopThread | None
    task: asyncio.Task[None] | None
    error: BaseException | None

    def __init__(self, coro: Coroutine[Any, Any, T]) -> None:
        self.coro = coro
        self.ended = Signal()
        self.thread = self.task = self.error = None

    def start(self) -> None:
        assert self.thread is not None
        self.task = self.thread.spawn(self.guard())
        if sys.version_info < (3, 12):  # a lazy task that is cancelled early never starts
            self.task.add_done_callback(self.end_unstarted)

    async def guard(self) -> None:
        try:
            self.result = await self.coro
        except BaseException as error:  # a SystemExit would stop the loop for everybody
            self.error = without_frame(error)
        self.ended.set()

    def cancel(self) -> None:
        if self.task is None:  # the interrupt came before the call was handed over
            self.coro.close()
            self.ended.set()
        else:
            assert self.thread is not None
            self.thread.hold(self.task)  # its caller may leave before its clean-up is done
            self.task.cancel()

    def end_unstarted(self, task: asyncio.Task[None]) -> None:
        if not self.ended.is_set:
            self.coro.close()
            self.error = asyncio.CancelledError()
            self.ended.set()

    def abort(self) -> None:
        """Cancel the call and wait for its clean-up."""
        if self.thread is None:
            self.coro.close()
        else:
            # Comes after `start` where that was handed over, which the interrupt leaves unknown.
            self.thread.call_soon(self.cancel)
            self.ended.wait()

    def take_error(self) -> BaseException:
        """Return the error and forget it: kept, it would tie the caller's frame into a cycle."""
        assert self.thread is not None
        assert self.error is not None
        error, self.error = self.error, None
        return as_raised(error, exiting=self.thread.exiting)
