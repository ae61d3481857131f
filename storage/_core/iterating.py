"""Async iterators for blocking callers: one task owns the source, items cross in batches."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from time import monotonic
from typing import Final, Generic, TypeVar

from .athome import attending
from .handover import Signal, as_raised, without_frame
from .loopthread import LoopThread, for_caller
from .permits import as_caller

__all__ = ["BlockingIterator", "iterate"]

T = TypeVar("T")

#: A batch is handed over, full or not, after this many seconds.
CUT_AFTER: Final = 0.005


def iterate(source: AsyncIterator[T], *, max_batch: int = 1024) -> BlockingIterator[T]:
    """Return a blocking iterator over the source, which one task on the background loop owns.

    Items cross in batches of 1, 2, 4 ... `max_batch`, so the source runs ahead by at most that
    many; give 1 where each item must be made on demand. Nothing runs before the first `next`.
    Raises ValueError for a `max_batch` below 1.
    """
    if max_batch < 1:
        raise ValueError(f"max_batch must be at least 1, not {max_batch}")
    return BlockingIterator(source, max_batch)


class BlockingIterator(Iterator[T]):
    """An async iterator from outside. `close` it, or let `with` do it, for prompt clean-up.

    Items that came before an error are delivered before it. An interrupt closes the iterator.
    May be shared by threads, each item going to one of them. Left to the garbage collector, it
    has its source closed in the background.
    """

    __slots__ = ("__weakref__", "_buffer", "_pump")

    def __init__(self, source: AsyncIterator[T], max_batch: int) -> None:
        # The loop refers to the pump only, so that this object can be collected.
        self._pump = _Pump(source, max_batch)
        self._buffer = self._pump.buffer

    def __next__(self) -> T:
        """Return the next item. Raises what the source raises, and what `run` raises."""
        while True:
            if self._buffer:
                try:
                    return self._buffer.popleft()
                except IndexError:  # another thread was faster
                    continue
            if not self._pump.fill():
                raise StopIteration

    def close(self) -> None:
        """Close the source and wait until its clean-up is done; again: no effect.

        Raises what the clean-up raises.
        """
        self._pump.close()

    def abandon(self) -> None:
        """Have the source closed in the background, without waiting."""
        self._pump.abandon()

    def __enter__(self) -> BlockingIterator[T]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._pump.abandon()


class _Pump(Generic[T]):
    """Owns the source. `fill`, `close`, `abandon` are for callers, the rest is the loop's."""

    def __init__(self, source: AsyncIterator[T], max_batch: int) -> None:
        self.buffer: deque[T] = deque()
        self._source = source
        self._max_batch = max_batch
        self._batch = 1
        self._wanted = 0  # items that the waiting callers want; 0: nobody waits
        self._cut_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._resting: asyncio.Future[None] | None = None
        self._hungry: list[Signal] = []
        self._leaving: list[Signal] = []
        self._thread: LoopThread | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._ended = False
        self._error: BaseException | None = None

    def fill(self) -> bool:
        """Wait until there may be items; False: there are none any more.

        Raises the source's error, once.
        """
        if not self._ended:
            thread, signal = self._reach(), Signal()
            with attending(signal):
                try:
                    as_caller(thread.call_soon, self._serve, signal)
                    signal.wait()
                except BaseException:
                    self._shut()
                    self._error = None  # the interrupt goes first
                    raise
        ended = self._ended  # read first: items come before the end
        if ended and not self.buffer and self._error is not None:
            raise self._take_error()
        return bool(self.buffer) or not ended

    def close(self) -> None:
        """Stop the source and wait. Raises what its clean-up raises, not what came before."""
        if self._ended:
            self._error = None
        self._shut()
        if self._error is not None:
            raise self._take_error()

    def abandon(self) -> None:
        """Schedule the source's end; safe in a finalizer, in any thread, in a forked child."""
        if self._thread is not None and self._thread.is_current and not self._ended:
            self._thread.call_soon(self._stop, None)

    def _reach(self) -> LoopThread:
        if self._thread is not None and not self._thread.is_current:
            raise RuntimeError("this was started before the fork and belongs to the parent process")
        self._thread = for_caller(self._source)
        return self._thread

    def _shut(self) -> None:
        if self._thread is None and inspect.isasyncgen(self._source):
            self._ended = True  # never started: there is nothing to clean up
        if not self._ended:
            signal = Signal()
            with attending(signal):
                self._reach().call_soon(self._stop, signal)
                signal.wait()
        self.buffer.clear()

    def _take_error(self) -> BaseException:
        assert self._thread is not None
        assert self._error is not None
        error, self._error = self._error, None
        return as_raised(error, exiting=self._thread.exiting)

    def _serve(self, signal: Signal) -> None:
        """Promise the next batch to the waiting caller."""
        if self.buffer or self._ended:
            signal.set()
            return
        self._hungry.append(signal)
        if len(self._hungry) > 1:
            return
        self._wanted = self._batch
        self._batch = min(2 * self._batch, self._max_batch)
        self._cut_at = monotonic() + CUT_AFTER
        if self._wanted > 1:  # the source may be slow between two items
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CUT_AFTER, self._cut)
        self._resume()

    def _cut(self) -> None:
        if self.buffer:
            self._deliver()

    def _deliver(self) -> None:
        self._wanted = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._hungry:
            self._hungry.pop().set()

    def _resume(self) -> None:
        if self._task is None:
            assert self._thread is not None
            self._task = self._thread.spawn(self._run())
            self._thread.hold(self._task)
            self._task.add_done_callback(self._end_unstarted)
        elif self._resting is not None and not self._resting.done():
            self._resting.set_result(None)

    def _stop(self, signal: Signal | None) -> None:
        """End the source in its own task. Only once: a second cancel would cut its clean-up."""
        if signal is not None:
            self._leaving.append(signal)
        if self._ended:
            self._error = None
            self._end()
        elif not self._stopping:
            self._stopping = True
            if self._task is None or self._resting is not None:
                self._resume()
            else:
                self._task.cancel()

    async def _run(self) -> None:
        forward = step = self._source.__anext__
        try:
            while not self._stopping:
                self.buffer.append(await step())
                step = forward
                # The clock cuts a source that never suspends, the timer one that is slow.
                if len(self.buffer) >= self._wanted or monotonic() >= self._cut_at:
                    step = await self._rest() or forward
        except StopAsyncIteration:
            pass
        except BaseException as error:  # a SystemExit would stop the loop for everybody
            self._note(error)
        try:
            await self._close_source()
        except BaseException as error:
            self._note(error)
        self._end()

    async def _rest(self) -> Callable[[], Awaitable[T]] | None:
        """Hand the batch over and wait until more is wanted; return an unusual next step."""
        self._deliver()
        self._resting = asyncio.get_running_loop().create_future()
        try:
            await self._resting
        except asyncio.CancelledError as error:
            # A timeout or cancel scope that the source holds over its yield: it must see it.
            if not isinstance(self._source, AsyncGenerator):
                raise
            return partial(self._source.athrow, error)
        finally:
            self._resting = None
        return None

    async def _close_source(self) -> None:
        aclose: Callable[[], Awaitable[None]] | None = getattr(self._source, "aclose", None)
        if aclose is not None:
            await aclose()

    def _note(self, error: BaseException) -> None:
        asked_for = self._stopping and isinstance(error, asyncio.CancelledError)
        if self._error is None and not asked_for:
            self._error = without_frame(error)

    def _end_unstarted(self, task: asyncio.Task[None]) -> None:
        """End what was cancelled before its first step, which only a lazy task can be."""
        if not self._ended:
            self._note(asyncio.CancelledError())
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._deliver()
        while self._leaving:
            self._leaving.pop().set()
