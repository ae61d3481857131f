"""Tools of the checks: cancelling at every point, and seeing what was left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import types
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from time import monotonic
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


LINGER = 1.0
"""Seconds after which a task that a cancelled call left behind counts as lost."""
FEW_TURNS = 30
"""Turns of the event loop that are tried in small steps."""
ONE_TURN = 2e-5
"""Seconds that one of those after them takes, about."""


class Moment(Enum):
    """When a cancellation falls, seen from the n-th point at which the work waits."""

    EARLY = "as it begins to wait"
    LATE = "when what it waits for is there, before it goes on"
    TWICE = "as it begins to wait, and again during its clean-up"
    TURN = "after n turns of the event loop"


IN_THREADS = (Moment.EARLY, Moment.LATE)
"""What can make a difference where all that waits is threads, which no cancellation reaches."""


@dataclass
class Attempt:
    """One run of some work, cancelled at one moment."""

    moment: Moment | None
    point: int
    waits: int = 0
    """How often the work has waited before it ended."""
    hit: bool = False
    """Whether the cancellation reached it."""

    def __str__(self) -> str:
        when = "never" if self.moment is None else self.moment.value
        return f"cancelled at point {self.point}, {when}"

    async def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do the work and cancel it; what it raises otherwise passes through.

        Raises:
            AssertionError: It went on to its end as if it had not been cancelled.
        """

        async def watched() -> None:
            await cast("Awaitable[Any]", _watched(work, self._on_wait))

        self._task = asyncio.create_task(watched())
        if self.moment is Moment.TURN:
            await self._count_turns()
        try:
            await asyncio.wait([self._task])
        finally:
            self._task.cancel()
            work.close()  # it may never have begun
        if self._task.cancelled():
            return
        self._task.result()
        assert not self.hit, f"{self}: the cancellation was swallowed"

    async def _count_turns(self) -> None:
        for _ in range(min(self.point, FEW_TURNS)):
            await asyncio.sleep(0)
            if self._task.done():
                return
        if self.point > FEW_TURNS:  # without keeping the threads from it that do the work
            await asyncio.wait([self._task], timeout=(self.point - FEW_TURNS) * ONE_TURN)
        if not self._task.done():
            self._cancel()

    def _on_wait(self, future: asyncio.Future[Any] | None) -> None:
        self.waits += 1
        if self.waits != self.point or self.moment in (None, Moment.TURN):
            return
        loop = asyncio.get_running_loop()
        if self.moment is Moment.LATE and future is not None:
            future.add_done_callback(lambda _: self._cancel())
        else:
            loop.call_soon(self._cancel)
        if self.moment is Moment.TWICE:
            loop.call_soon(loop.call_soon, self._cancel)

    def _cancel(self) -> None:
        self.hit = self._task.cancel() or self.hit


@types.coroutine
def _watched(
    work: Coroutine[Any, Any, T], on_wait: Callable[[Any], None]
) -> Generator[Any, Any, T]:
    """Do the work, and tell each time that it is about to wait."""
    step: Callable[[], Any] = lambda: work.send(None)  # noqa: E731
    while True:
        try:
            future = step()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        on_wait(future)
        try:
            yield future
        except BaseException as error:
            step = lambda thrown=error: work.throw(thrown)  # type: ignore[misc]  # noqa: E731
        else:
            step = lambda: work.send(None)  # noqa: E731


async def ended(tasks: set[asyncio.Task[Any]], idle: int = 0) -> None:
    """Wait until tasks that something left behind have ended; raise where they do not.

    What serves others too may go on for a moment; and for good, if there are ``idle`` at most.
    """
    pending, end = tasks, monotonic() + LINGER
    while len(pending) > idle and monotonic() < end:
        left = end - monotonic()
        _, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    assert len(pending) <= idle, f"tasks were left running: {pending}"


async def interrupt_everywhere(
    act: Callable[[], Coroutine[Any, Any, Any]],
    *,
    prepare: Callable[[], Awaitable[Any]] | None = None,
    check: Callable[[], Awaitable[Any]] | None = None,
    seconds: float = 1.0,
    idle_tasks: int = 0,
    moments: Sequence[Moment] = tuple(Moment),
    clock: Callable[[], float] = monotonic,
) -> list[Attempt]:
    """Do the same work again and again, cancelled at another point each time.

    The points are all at which the work waits, each in three ways, and turns of the event loop in
    growing steps, which reach the tasks that the work starts. Where there are too many for the
    time, they are spread evenly over the work.

    Args:
        act: Makes the work, once for each attempt.
        prepare: Done before each attempt.
        check: Done after each attempt; raises where something is wrong. What it returns must be
            the same when all tasks that the attempt has left behind have ended.
        seconds: What all attempts may take together, about.
        idle_tasks: How many tasks an attempt may leave behind for good (those of pools).
        moments: Which moments to try.
        clock: What tells the seconds; `time.process_time` tries as much on a busy machine as on an
            idle one, in ten times that long at most.

    Returns:
        All attempts.

    Raises:
        AssertionError: A cancellation was swallowed, left a task behind, or ``check`` failed; the
            message says where it fell.
    """
    attempts: list[Attempt] = []

    async def attempt(moment: Moment | None, point: int) -> Attempt:
        if prepare is not None:
            await prepare()
        before = asyncio.all_tasks()
        attempts.append(Attempt(moment, point))
        try:
            await attempts[-1].run(act())
            found = await check() if check is not None else None
            left = asyncio.all_tasks() - before
            if left:
                await ended(left, idle_tasks)
                assert check is None or await check() == found, "a task went on with the work"
        except Exception as error:
            error.add_note(str(attempts[-1]))
            raise
        return attempts[-1]

    def in_time() -> bool:
        return clock() < end and monotonic() < latest

    begin, latest = clock(), monotonic() + 10 * seconds
    first = await attempt(None, 0)
    spent = clock() - begin
    end = begin + spent + seconds
    affordable = max(4, int(seconds / (spent + 1e-6)) // 4)
    stride = max(1, -(-first.waits // affordable))
    for point in sorted({*range(1, first.waits + 1, stride), first.waits} - {0}):
        for moment in moments:
            if moment is not Moment.TURN and (in_time() or point == 1):
                await attempt(moment, point)
    turns = 0
    while Moment.TURN in moments and in_time():
        if not (await attempt(Moment.TURN, turns)).hit:
            break
        # After some, what goes on is in threads or elsewhere, and turns are but time.
        turns += max(1, turns // 2 if turns < FEW_TURNS else turns)
    return attempts


def descriptors() -> dict[str, str]:
    """The open descriptors of this process and what they lead to; nothing where nobody knows."""
    found: dict[str, str] = {}
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for name in names:
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the listing's own
    return found


@contextmanager
def nothing_forgotten() -> Iterator[None]:
    """Raise where the block leaves something to the garbage collector that it had to close."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        warnings.simplefilter("always", RuntimeWarning)
        yield
        gc.collect()
    forgotten = [str(w.message) for w in seen if w.category in (ResourceWarning, RuntimeWarning)]
    assert not forgotten, f"something was not closed or awaited: {forgotten}"


def profile(examples: int, *, shrinks: bool, **more: Any) -> settings:
    """How Hypothesis looks for examples: the same each time, and as long as it takes."""
    shrinking = (Phase.shrink,) if shrinks else ()
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=(Phase.generate, *shrinking),
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
        **more,
    )


async def fuzz(
    strategy: SearchStrategy[T], check: Callable[[T], Coroutine[Any, Any, None]], how: settings
) -> None:
    """Let Hypothesis look for a value for which ``check`` raises, on the loop of the caller."""
    loop = asyncio.get_running_loop()

    @how
    @given(strategy)
    def run(value: T) -> None:
        asyncio.run_coroutine_threadsafe(check(value), loop).result()

    await asyncio.to_thread(run)
