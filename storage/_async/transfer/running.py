"""One run of a sync, a plan or its application: the parts put together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..._core import calls
from ..._core.adapt import is_async, to_async
from ..._core.budget import ByteBudget, Pace
from ..._core.closing import closing
from ..._core.errors import ConfigError, StoreError
from ..._core.protocol import AsyncObjectStore, ObjectStore
from ..._core.text import shorten
from ..base import AsyncBaseStore
from ..foreign import lift
from .ahead import ahead
from .applying import Applier
from .comparing import judge
from .copying import Copier
from .deciding import Decider
from .journal import Journal, identity, open_journal
from .ledger import Ledger
from .listing import DisorderError, Listing, source_listing, target_listing
from .merge import merge, nothing
from .options import SyncOptions
from .performing import Performer, Rehearsal
from .report import SyncReport, Tell
from .safety import check_apart, refusal
from .steps import Step
from .tasks import Window

if TYPE_CHECKING:
    from ..._core.rate import RateLimit
    from .plan import PlanWriter, SyncPlan


class Run:
    """Makes one target what a source is, once.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        options: How.
        tell: Is told of events; None: nobody is.
        listings: The two ends' where they were begun already.
    """

    def __init__(
        self,
        source: AsyncObjectStore,
        target: AsyncObjectStore,
        options: SyncOptions,
        tell: Tell | None = None,
        listings: tuple[Listing, Listing] | None = None,
    ) -> None:
        self.report = SyncReport(dry_run=options.dry_run)
        self._options = options
        self._tell = tell
        self._source, self._target = lift(source), lift(target)
        self._backup = None if options.backup is None else _either(options.backup)
        self._here, self._there = listings or (
            source_listing(self._source, options.selection),
            target_listing(self._target, options.selection),
        )
        self._journal: Journal | None = None
        self._begun = monotonic()
        self._repeats = False
        self._budget = ByteBudget(options.buffer)
        self._rate = _rate(options.bandwidth)

    # -- what it can do ---------------------------------------------------------------------

    async def sync(self) -> SyncReport:
        """List both ends and do what is to be done; what fails of it is in the report."""
        async with self._prepared():
            while not await self._pass():
                self._begin_again()
            await self._make_whole()
        return self.report

    async def plan(self, writer: PlanWriter) -> SyncPlan:
        """List both ends and write down what is to be done; do none of it."""
        async with self._prepared(writer.path):
            writer.header["ends"] = await calls.call(self._identities)
            while True:
                await writer.begin()
                if await self._pass(writer):
                    break
                self._begin_again()
            report, here, there = self.report, self._here.count, self._there.count
            return await writer.end(
                identical=report.identical,
                skipped=report.skipped,
                source_keys=here,
                target_keys=there,
                doubts=report.doubts,
            )

    async def apply(self, plan: SyncPlan, *, other_stores: bool = False) -> SyncReport:
        """Do what was written down; for ``other_stores`` than these only where that is meant."""
        from .plan import pages_of

        counts, self._repeats = plan.counts, True
        if not other_stores and plan.header.get("ends") != await calls.call(self._identities):
            raise ConfigError(
                f"the plan is for {plan.header.get('source')} and {plan.header.get('target')}, "
                "and these are others: name those, or say other_stores if that is meant"
            )
        async with self._prepared(), self._applier() as applier:
            await applier.apply(pages_of(plan))
            self.report.doubts += counts["doubts"]
            await applier.finish(self._refusal(counts["source_keys"], counts["target_keys"]))
            await self._make_whole()
        return self.report

    # -- its parts --------------------------------------------------------------------------

    @asynccontextmanager
    async def _prepared(self, plan: Path | None = None) -> AsyncIterator[None]:
        """Ends that do not overlap, a journal, and a clock."""
        options, report = self._options, self.report
        files = {"journal": options.journal, "plan": plan}
        await check_apart([self._source, self._target, self._backup], files)
        try:
            if options.journal is not None and not await self._is_spared(options.journal):
                self._journal = await open_journal(options.journal, self._source, self._target)
                report.warnings = self._journal.warnings
            yield
        except asyncio.CancelledError:
            report.interrupted = True
            raise
        finally:
            report.seconds = monotonic() - self._begun
            if self._journal is not None:
                await self._journal.aclose()

    async def _is_spared(self, journal: str | os.PathLike[str]) -> bool:
        """Whether a journal is not there, and is not made by a run that changes nothing."""
        return self._options.dry_run and not await calls.call(os.path.exists, journal)

    async def _pass(self, writer: PlanWriter | None = None) -> bool:
        """Go through both listings; False: one of them has to be sorted first."""
        known = nothing() if self._journal is None else ahead(self._journal.rows())
        decide = judge(
            self._options.compare,
            source_keeps=self._source._keeps_modified,
            target_keeps=self._target._keeps_modified,
        )
        forget = None
        if self._journal is not None:
            self._here.pivots = self._there.pivots = self._journal.pivots
            forget = None if self._options.dry_run else self._journal.forget
        decider = Decider(decide, self._options.selection, forget)
        self._here.sorts = writer is not None  # so that plans can be compared
        steps = decider.steps(merge(self._here.pages, self._there.pages(), known))
        async with self._applier() as applier, aclosing(self._here):
            await self._here.begin()
            if writer is not None:
                steps = self._written(steps, writer)
            try:
                await applier.apply(steps)
            except DisorderError:
                return False
            self.report.doubts += [*self._here.doubts, *self._there.doubts]
            self._miss()
            await self._account(applier, planned=writer is not None)
            await applier.finish(self._refusal(self._here.count, self._there.count))
        if self._journal is not None and not self._options.dry_run:
            await self._give_up(self._journal)
        return True

    async def _make_whole(self) -> None:
        for store in (self._target, self._backup):
            if store is not None and not self._options.dry_run:
                try:
                    await store._make_whole()
                except StoreError as error:  # nothing is lost by that: what was stored, is
                    self.report.warnings.append(f"other programs do not see all of it: {error}")

    async def _give_up(self, journal: Journal) -> None:
        """Take back uploads that earlier runs have begun of what the source has no more."""
        if not self.report.complete or self.report.doubts or self._options.selection:
            return  # the object may be there still
        async with self._copier() as copier:
            for key in await journal.uploads():
                with suppress(StoreError):
                    await copier.forget(key)

    @asynccontextmanager
    async def _applier(self) -> AsyncIterator[Applier]:
        options = self._options
        async with AsyncExitStack() as stack:
            copier = await stack.enter_async_context(self._copier())
            applier = Applier(
                await self._performer(copier, stack),
                Ledger(self.report, copier.settle, self._journal, self._tell),
                Pace(options.transfers),
                delete=options.delete,
                fail_fast=options.fail_fast,
            )
            stack.push_async_callback(applier.aclose)
            yield applier

    def _copier(self) -> Copier:
        ends, uploads = (self._source, self._target), self._journal
        return Copier(*ends, budget=self._budget, rate=self._rate, uploads=uploads)

    async def _performer(self, copier: Copier, stack: AsyncExitStack) -> Rehearsal:
        ends = self._source, self._target, self._budget
        if self._options.dry_run:
            return Rehearsal(*ends)
        if self._backup is None:
            return Performer(*ends, copier, repeats=self._repeats)
        # At once, since what it is a backup of goes right after.
        backup = Copier(
            self._target, self._backup, budget=self._budget, rate=self._rate, at_once=True
        )
        return Performer(
            *ends, copier, await stack.enter_async_context(backup), repeats=self._repeats
        )

    async def _written(
        self, pages: AsyncIterator[list[Step]], writer: PlanWriter
    ) -> AsyncGenerator[list[Step], None]:
        """The same steps, read where they have to be, and written down."""
        window = Window(Pace(self._options.transfers))
        rehearsal = Rehearsal(self._source, self._target, self._budget)

        async def resolve(page: list[Step], index: int) -> None:
            with suppress(Exception):  # what cannot be read now is to be compared later
                page[index] = await rehearsal.resolve(page[index])

        try:
            async with closing(pages) as source:
                async for page in source:
                    for index, step in enumerate(page):
                        if step.action == "compare":
                            await window.start(resolve(page, index))
                    await window.drain()
                    await writer.add(page if self._options.delete else _kept(page))
                    yield page
        finally:
            await window.cancel()

    async def _account(self, applier: Applier, *, planned: bool) -> None:
        """See to what the source has and no key stands for."""
        unlisted, selection = self._here.unlisted, self._options.selection
        if selection is not None:
            unlisted = unlisted.chosen(selection.selects_key)
        if not planned:
            await applier.leave(unlisted)
        elif unlisted.count:
            example = shorten(repr(unlisted.names[0]))
            self.report.doubts.append(
                f"the source has files that no key stands for, such as {example}"
            )

    def _miss(self) -> None:
        """Say how many of the keys that were named one by one the source does not have."""
        selection = self._options.selection
        if selection is not None and selection.files_from is not None:
            wanted = sum(map(selection.selects_key, selection.files_from))
            if missing := wanted - self._here.count:
                self.report.warnings.append(
                    f"the source has no objects under {missing} of the {wanted} keys of files_from"
                )

    def _identities(self) -> list[str]:
        return [identity(self._source), identity(self._target)]

    def _refusal(self, here: int, there: int) -> partial[str | None]:
        return partial(
            refusal, listed_here=here, listed_there=there, max_delete=self._options.max_delete
        )

    def _begin_again(self) -> None:
        self.report.identical = self.report.skipped = self.report.listed = 0


def _rate(bandwidth: float | None) -> RateLimit | None:
    if bandwidth is None:
        return None
    from ..._core.rate import RateLimit

    return RateLimit(bandwidth)


def _kept(page: list[Step]) -> list[Step]:
    return [step for step in page if step.action != "delete"]


def _either(store: AsyncObjectStore | ObjectStore) -> AsyncBaseStore:
    return lift(store if is_async(store) else to_async(store))
