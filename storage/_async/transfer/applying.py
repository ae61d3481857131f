"""Steps done, many at once; deletes last, and only without a doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from ..._core.closing import closing
from ..._core.errors import InvalidKey
from ..._core.unlisted import Unlisted
from .ledger import Ledger
from .report import SyncReport
from .spill import Spill
from .steps import Action, Outcome, Step
from .tasks import Window


class Performs(Protocol):
    """Does one step, here or elsewhere."""

    async def perform(self, step: Step) -> Outcome:
        """Do a step; whatever goes wrong is its outcome."""
        ...


class Rhythm(Protocol):
    """How many steps may be at work, by how well they go."""

    limit: int

    def succeeded(self) -> None:
        """A step went well."""
        ...

    def failed(self, error: Exception) -> None:
        """A step failed."""
        ...


class Applier:
    """Does the steps of one run.

    Args:
        performer: Does each.
        ledger: Is told what became of each.
        pace: How many are at work at once.
        delete: Whether to delete at all.
        fail_fast: Begin nothing more after the first failure.
    """

    def __init__(
        self,
        performer: Performs,
        ledger: Ledger,
        pace: Rhythm,
        *,
        delete: bool = False,
        fail_fast: bool = False,
    ) -> None:
        self.deletes = Spill()
        self._performer = performer
        self._ledger = ledger
        self._pace = pace
        self._delete = delete
        self._fail_fast = fail_fast
        self._stopped = False
        self._window = Window(pace)

    @property
    def report(self) -> SyncReport:
        """The sums."""
        return self._ledger.report

    async def apply(self, pages: AsyncIterator[list[Step]]) -> None:
        """Do all steps but the deletes, which are kept for `finish`.

        Raises:
            Whatever ``pages`` raises, after the end of all that was begun.
        """
        try:
            async with closing(pages) as source:
                async for page in source:
                    await self._page(page)
                    await self._ledger.turn()
                    if self._stopped:
                        break
        except Exception:
            await self._drain()
            raise
        await self._drain()

    async def leave(self, unlisted: Unlisted) -> None:
        """Let what no key stands for be failures, since it cannot be copied."""
        for name in unlisted.names:
            error = InvalidKey("no key can be the name of this file")
            step = Step("copy", name, None, None, "name")
            self._ledger.add(Outcome(step, Action.FAILED, error=error))
        await self._ledger.flush()
        self.report.failed += unlisted.count - len(unlisted.names)

    async def finish(self, why_not: Callable[[SyncReport, int], str | None]) -> None:
        """Do the deletes, if there are any.

        Args:
            why_not: Says why nothing may be deleted, given the number of deletes.
        """
        if not self.deletes.count:
            return
        self.report.deletes_refused = why_not(self.report, self.deletes.count)
        if self.report.deletes_refused is None:
            async with closing(self.deletes.pages()) as pages:
                async for page in pages:
                    for step in page:
                        await self._begin(step)
            await self._drain()

    async def aclose(self) -> None:
        """End what is at work, and tell what was done until then."""
        try:
            await self._window.cancel()
        finally:
            try:
                await self._ledger.flush()
            finally:
                await self.deletes.aclose()

    async def _page(self, page: list[Step]) -> None:
        deletes: list[Step] = []
        kept: list[Step] = []
        self.report.listed += len(page)
        for step in page:
            action = step.action
            if action == "keep" or action == "skip":  # noqa: PLR1714 - most of them, by far
                kept.append(step)
            elif action == "delete":
                deletes.append(step)
            else:
                await self._begin(step)
        self._ledger.keep(kept)
        if deletes and self._delete:
            await self.deletes.add(deletes)

    async def _begin(self, step: Step) -> None:
        if self._stopped:
            return
        if step.action == "copy" and step.here is not None:
            self.report.bytes_planned += step.here.size or 0
        await self._window.start(self._perform(step))
        await self._ledger.turn()

    async def _perform(self, step: Step) -> None:
        self.report.in_flight += 1
        try:
            outcome = await self._performer.perform(step)
        finally:
            self.report.in_flight -= 1
        if outcome.error is None:
            self._pace.succeeded()
        else:
            self._pace.failed(outcome.error)
            self._stopped |= self._fail_fast and outcome.action is Action.FAILED
        if step.action == "compare":
            self.report.bytes_planned += outcome.size
        self._ledger.add(outcome)
        self._ledger.poke()

    async def _drain(self) -> None:
        await self._window.drain()
        await self._ledger.flush()
        lost, self._window.lost = self._window.lost, 0
        if lost:
            self.report.failed += lost
            self.report.doubts.append(f"{lost} steps ended without a word")
