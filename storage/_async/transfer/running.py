"""One run of a sync: its parts put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from time import monotonic

from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..foreign import lift
from .applying import Applier, FixedPace
from .comparing import judge
from .deciding import Decider
from .ledger import Ledger
from .listing import DisorderError, Listing
from .merge import merge, nothing
from .options import SyncOptions
from .performing import Performer, Rehearsal
from .plain import PlainCopier
from .report import SyncReport, Tell
from .safety import check_apart, refusal
from .steps import Copier


class Run:
    """Makes one target what a source is, once.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        options: How.
        tell: Is told of events; None: nobody is.
    """

    def __init__(
        self,
        source: AsyncObjectStore,
        target: AsyncObjectStore,
        options: SyncOptions,
        tell: Tell | None = None,
    ) -> None:
        self.report = SyncReport(dry_run=options.dry_run)
        self._options = options
        self._tell = tell
        self._source: AsyncBaseStore = lift(source)
        self._target: AsyncBaseStore = lift(target)
        self._here = Listing(self._source, "the source", options.selection)
        self._there = Listing(self._target, "the target", options.selection, missing_ok=True)

    async def run(self) -> SyncReport:
        """Do all of it; what becomes of single keys is in the report and raises nothing."""
        begun = monotonic()
        try:
            backup = self._options.backup
            await check_apart(self._source, self._target, lift(backup) if backup else None)
            while not await self._pass():
                self.report.identical = self.report.skipped = self.report.listed = 0
        except asyncio.CancelledError:
            self.report.interrupted = True
            raise
        finally:
            self.report.seconds = monotonic() - begun
        return self.report

    async def _pass(self) -> bool:
        """Go through both listings; False: one of them has to be sorted first."""
        options = self._options
        decider = Decider(judge(options.compare), options.selection)
        known = nothing() if options.journal is None else options.journal.rows()
        rows = merge(self._here.pages(), self._there.pages(), known)
        async with AsyncExitStack() as stack:
            copier = await stack.enter_async_context(PlainCopier(self._source, self._target))
            ledger = Ledger(self.report, copier.settle, options.journal, self._tell)
            applier = Applier(
                await self._performer(copier, stack),
                ledger,
                FixedPace(options.transfers),
                delete=options.delete,
                fail_fast=options.fail_fast,
            )
            stack.push_async_callback(applier.aclose)
            try:
                await applier.apply(decider.steps(rows))
            except DisorderError:
                return False
            self.report.doubts += [*self._here.doubts, *self._there.doubts]
            await applier.finish(self._why_not)
        return True

    async def _performer(self, copier: Copier, stack: AsyncExitStack) -> Performer:
        if self._options.dry_run:
            return Rehearsal(self._source, self._target, copier)
        backup: Copier | None = None
        if self._options.backup is not None:
            keeper = PlainCopier(self._target, lift(self._options.backup))
            backup = await stack.enter_async_context(keeper)
        return Performer(self._source, self._target, copier, backup)

    def _why_not(self, report: SyncReport, deletes: int) -> str | None:
        here, there = self._here.count, self._there.count
        return refusal(report, deletes, here, there, self._options.max_delete)
