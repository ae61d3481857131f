"""Make one store's contents another's, and never lose anything on the way."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from ..._core.closing import closing
from ..._core.errors import ConfigError
from ..._core.info import ObjectInfo
from ..._core.protocol import AsyncObjectStore
from ..._core.window import in_order
from ..base import AsyncBaseStore
from ..foreign import lift
from .listing import merge, ordered_listing
from .objects import copy_object, same_object
from .report import Action, Recorder, SyncEvent, SyncReport, Watcher

Comparison: TypeAlias = Literal["auto", "missing", "always"]
Pair: TypeAlias = tuple[ObjectInfo | None, ...]


async def async_sync_stores(
    source: AsyncObjectStore,
    target: AsyncObjectStore,
    delete: bool = False,
    *,
    compare: Comparison = "auto",
    dry_run: bool = False,
    transfers: int = 32,
    watcher: Watcher | None = None,
) -> SyncReport:
    """Make the target's contents the source's.

    Deletes come last, and only if both listings ended well, every copy succeeded and the source
    is not empty.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        delete: Also remove from the target what the source does not have.
        compare: What to copy of what both have: ``auto``, what differs in length, checksum or
            else in its bytes; ``missing``, nothing; ``always``, everything.
        dry_run: Change nothing; report what would be done.
        transfers: Objects in flight.
        watcher: Called with lists of `SyncEvent` while it goes on, in a worker thread.

    Returns:
        The sums.

    Raises:
        SyncError: Some objects failed, or deletes were refused; it has the ``report``.
        StoreError: A listing failed; nothing was deleted.
        ConfigError: Source and target are the same store, or an argument makes no sense.
    """
    if compare not in get_args(Comparison):
        raise ConfigError(f"compare is one of {get_args(Comparison)}, not {compare!r}")
    if transfers < 1:
        raise ConfigError(f"transfers is at least 1, not {transfers!r}")
    if source is target:
        raise ConfigError("source and target are the same store")
    sync = _Sync(lift(source), lift(target), delete, compare, dry_run, transfers, watcher)
    report = await sync.run()
    report.raise_failures()
    return report


class _Sync:
    """One run."""

    def __init__(
        self,
        source: AsyncBaseStore,
        target: AsyncBaseStore,
        delete: bool,
        compare: Comparison,
        dry_run: bool,
        transfers: int,
        watcher: Watcher | None,
    ) -> None:
        self.source = source
        self.target = target
        self.delete = delete
        self.compare = compare
        self.dry_run = dry_run
        self.transfers = transfers
        self.recorder = Recorder(watcher, dry_run=dry_run)
        self.surplus: list[str] = []
        self.source_count = 0

    async def run(self) -> SyncReport:
        try:
            await self._copy_all()
            if self.delete:
                await self._delete_all()
        finally:
            await self.recorder.flush()
        return self.recorder.report

    async def _copy_all(self) -> None:
        pairs = merge([ordered_listing(self.source), ordered_listing(self.target, missing_ok=True)])
        async with closing(in_order(self._handle, pairs, self.transfers)) as outcomes:
            async for (here, there), outcome in outcomes:
                if isinstance(outcome, Exception):
                    info = here or there
                    assert info is not None
                    outcome = SyncEvent(Action.FAILED, info.key, error=outcome)
                if outcome is not None:
                    await self.recorder.add(outcome)

    async def _handle(self, pair: Pair) -> SyncEvent | None:
        here, there = pair
        if here is None:
            assert there is not None
            self.surplus.append(there.key)
            return None
        self.source_count += 1
        if there is not None and await self._may_stay(here, there):
            return SyncEvent(Action.IDENTICAL, here.key)
        size = here.size or 0
        if not self.dry_run:
            size = await copy_object(self.source, self.target, here)
        return SyncEvent(Action.COPIED, here.key, size)

    async def _may_stay(self, here: ObjectInfo, there: ObjectInfo) -> bool:
        if self.compare == "auto":
            return await same_object(self.source, self.target, here, there)
        return self.compare == "missing"

    async def _delete_all(self) -> None:
        report = self.recorder.report
        if not self.surplus:
            return
        if report.failed:
            report.deletes_refused = "some objects could not be copied"
        elif not self.source_count:
            report.deletes_refused = "the source is empty; clear the target if that is meant"
        else:
            async with closing(in_order(self._delete, self.surplus, self.transfers)) as outcomes:
                async for key, error in outcomes:
                    action = Action.DELETED if error is None else Action.FAILED
                    await self.recorder.add(SyncEvent(action, key, error=error))

    async def _delete(self, key: str) -> None:
        if not self.dry_run:
            await self.target.delete(key, missing_ok=True)
