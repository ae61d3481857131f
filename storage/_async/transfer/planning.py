"""Plan a sync, and apply a plan."""

from __future__ import annotations

import os
from pathlib import Path

from ..._core import calls
from ..._core.protocol import AsyncObjectStore
from .comparing import Comparison
from .options import BUFFER, SyncOptions
from .plan import PlanWriter, SyncPlan, read_plan
from .report import SyncReport, Watcher, telling
from .running import Run
from .safety import HALF
from .selection import Selection
from .tasks import TRANSFERS


async def async_plan_sync(
    source: AsyncObjectStore,
    target: AsyncObjectStore,
    delete: bool = False,
    *,
    path: str | os.PathLike[str] | None = None,
    compare: Comparison = "auto",
    transfers: int = TRANSFERS,
    selection: Selection | None = None,
    journal: str | os.PathLike[str] | None = None,
    watcher: Watcher | None = None,
) -> SyncPlan:
    """Say what `async_sync_stores` would do, and change nothing.

    Args:
        source: Where the objects are.
        target: Where they would go.
        delete: Also plan to remove from the target what the source does not have.
        path: A file that the plan is written to as it is made. None: it is held in memory.
        compare: As for `async_sync_stores`; what has to be read is read.
        transfers: Objects that are read at once, at most.
        selection: Which objects it is about. None: all.
        journal: The file of what earlier runs found. None: nothing is known of them.
        watcher: Called with lists of `SyncEvent`: what would become of each key.

    Returns:
        The plan, sorted by key, for `async_apply_plan`.

    Raises:
        StoreError: A listing failed; what stands in the file is no plan.
        ConfigError: Source and target overlap, or an argument makes no sense.
    """
    options = SyncOptions(
        delete=delete,
        compare=compare,
        dry_run=True,
        transfers=transfers,
        max_delete=None,
        selection=selection,
        journal=journal,
    )
    header = {"source": repr(source), "target": repr(target), "compare": compare, "delete": delete}
    writer = PlanWriter(None if path is None else Path(path), header)
    try:
        return await Run(source, target, options, telling(watcher)).plan(writer)
    finally:
        await writer.aclose()


async def async_apply_plan(
    plan: SyncPlan | str | os.PathLike[str],
    source: AsyncObjectStore,
    target: AsyncObjectStore,
    *,
    transfers: int = TRANSFERS,
    buffer: int = BUFFER,
    bandwidth: float | None = None,
    max_delete: float | None = HALF,
    backup: AsyncObjectStore | None = None,
    journal: str | os.PathLike[str] | None = None,
    fail_fast: bool = False,
    other_stores: bool = False,
    watcher: Watcher | None = None,
) -> SyncReport:
    """Do what a plan says.

    What an end is by now is not what it was for the plan: such a key is a conflict, and left alone.

    Args:
        plan: The plan, or its file.
        source: Where the objects are.
        target: Where they go.
        transfers: As all that follows: see `async_sync_stores`.
        buffer: Bytes in flight, at most.
        bandwidth: Bytes per second, at most.
        max_delete: So many objects are deleted at most, or else none.
        backup: A store that takes what is about to be replaced or deleted.
        journal: A file that remembers what is the same afterwards.
        fail_fast: Begin nothing more after the first failure.
        other_stores: Do it also to other stores than those that the plan was made for.
        watcher: Called with lists of `SyncEvent`.

    Returns:
        The sums.

    Raises:
        SyncError: Some objects failed or have changed, or deletes were refused; it has the
            ``report``.
        ConfigError: The plan is none, or is cut, or is for other stores, or an argument makes no
            sense.
    """
    if not isinstance(plan, SyncPlan):
        plan = await calls.call(read_plan, plan)
    options = SyncOptions(
        delete=bool(plan.header["delete"]),
        transfers=transfers,
        buffer=buffer,
        bandwidth=bandwidth,
        max_delete=max_delete,
        backup=backup,
        journal=journal,
        fail_fast=fail_fast,
    )
    run = Run(source, target, options, telling(watcher))
    report = await run.apply(plan, other_stores=other_stores)
    report.raise_failures()
    return report
