"""Outcomes on their way to the journal, the report and whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from ..._core.window import finish_all
from .journal import remembering
from .report import SyncEvent, SyncReport, Tell
from .steps import PAGE, Action, Outcome, Remembered, Step

INTERVAL = 0.25
"""Seconds that an outcome may wait for others to be told with it."""


_KEPT = {"keep": Action.IDENTICAL, "skip": Action.SKIPPED}


class Memory(Protocol):
    """What a sync asks of a journal."""

    def rows(self) -> AsyncIterator[list[Remembered]]:
        """All that is known, by key, in pages."""
        ...

    async def remember(self, rows: Sequence[Remembered]) -> None:
        """Keep rows, in place of what is known of their keys."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Drop the rows of keys."""
        ...


class Ledger:
    """Takes outcomes one by one, and passes them on in batches, one batch at a time.

    What was copied is made durable first, then remembered, then counted and told: nobody hears of
    a copy that a power cut could still undo.

    Args:
        report: Counts.
        settle: Makes durable what was copied until now.
        journal: Remembers what is the same at both ends. None: nobody does.
        tell: Is told of events. None: nobody is.
    """

    def __init__(
        self,
        report: SyncReport,
        settle: Callable[[], Awaitable[None]],
        journal: Memory | None = None,
        tell: Tell | None = None,
    ) -> None:
        self.report = report
        self.begun = datetime.now(UTC)
        self._settle = settle
        self._journal = journal
        self._tell = tell
        self._outcomes: list[Outcome] = []
        self._events: list[SyncEvent] = []
        self._passing: asyncio.Task[None] | None = None
        self._passed = monotonic()

    def keep(self, steps: list[Step]) -> None:
        """Count what is left as it is, which needs no journal."""
        skipped = sum(step.action == "skip" for step in steps)
        self.report.skipped += skipped
        self.report.identical += len(steps) - skipped
        if self._tell is not None:
            self._events += [
                SyncEvent(_KEPT[step.action], step.key, reason=step.reason) for step in steps
            ]

    def add(self, outcome: Outcome) -> None:
        """Take what became of a step."""
        self._outcomes.append(outcome)

    def poke(self) -> None:
        """Begin to pass on what has come together, if it is time, and the last batch is through."""
        if (self._passing is None or _is_through(self._passing)) and self._is_time():
            self._passing = asyncio.create_task(self._pass_on())

    async def turn(self) -> None:
        """The same; waits where too much has come together. Raises what listeners raise."""
        self.poke()
        if self._passing is not None and (self._passing.done() or self._waiting() > 4 * PAGE):
            await self._passing

    def _waiting(self) -> int:
        return len(self._outcomes) + len(self._events)

    def _is_time(self) -> bool:
        waiting = self._waiting()
        return waiting >= PAGE or (waiting > 0 and monotonic() - self._passed >= INTERVAL)

    async def flush(self) -> None:
        """Pass on all there is, and wait for it; also when the waiting is cancelled."""
        finishing = asyncio.create_task(self._finish())
        try:
            await asyncio.shield(finishing)
        except asyncio.CancelledError:
            await finish_all([_ended(finishing)])
            raise

    async def _finish(self) -> None:
        if self._passing is not None:
            await self._passing
        await self._pass_on()

    async def _pass_on(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        self._passed = monotonic()
        outcomes = await self._settled(outcomes)
        events, self._events = self._events, []
        events += map(self.report.count, outcomes)
        if events and self._tell is not None:
            await self._tell(events)

    async def _settled(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The same outcomes, certain and remembered; or failures, where that cannot be had."""
        if not any(outcome.action is Action.COPIED for outcome in outcomes):
            await self._remember(outcomes)
            return outcomes
        try:
            await self._settle()
        except Exception as error:
            return [_failed(outcome, error) for outcome in outcomes]
        await self._remember(outcomes)
        return outcomes

    async def _remember(self, outcomes: list[Outcome]) -> None:
        if self._journal is None:
            return
        rows = [
            remembering(step.here, info, digest, self.begun, copied=action is Action.COPIED)
            for step, action, _, info, digest, _ in outcomes
            if step.here is not None and info is not None
        ]
        await self._journal.remember([row for row in rows if row is not None])
        gone = [outcome.step.key for outcome in outcomes if outcome.action is Action.DELETED]
        if gone and not self.report.dry_run:
            await self._journal.forget(gone)


def _is_through(task: asyncio.Task[None]) -> bool:
    """Whether it ended well."""
    return task.done() and not task.cancelled() and task.exception() is None


async def _ended(task: asyncio.Task[None]) -> None:
    await task


def _failed(outcome: Outcome, error: Exception) -> Outcome:
    """What is left of an outcome if nothing can be made durable."""
    if outcome.action is not Action.COPIED:
        return outcome
    return outcome._replace(action=Action.FAILED, error=error, size=0)
