# Generated from storage/_async/transfer/planning.py: do not edit, but run
# `python -m storage._tools.generate`.
"""Plan a sync, and apply a plan."""

from __future__ import annotations

import os

from ..._async.transfer.comparing import Comparison
from ..._async.transfer.options import BUFFER
from ..._async.transfer.plan import SyncPlan
from ..._async.transfer.planning import async_apply_plan, async_plan_sync
from ..._async.transfer.report import SyncReport, Watcher
from ..._async.transfer.safety import HALF
from ..._async.transfer.selection import Selection
from ..._async.transfer.tasks import TRANSFERS
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.runner import run


def plan_sync(
    source: ObjectStore,
    target: ObjectStore,
    delete: bool = False,
    *,
    path: str | os.PathLike[str] | None = None,
    compare: Comparison = "auto",
    transfers: int = TRANSFERS,
    selection: Selection | None = None,
    journal: str | os.PathLike[str] | None = None,
    watcher: Watcher | None = None,
) -> SyncPlan:
    """Say what `sync_stores` would do, and change nothing.

    Args:
        source: Where the objects are.
        target: Where they would go.
        delete: Also plan to remove from the target what the source does not have.
        path: A file that the plan is written to as it is made. None: it is held in memory.
        compare: As for `sync_stores`; what has to be read is read.
        transfers: Objects that are read at once, at most.
        selection: Which objects it is about. None: all.
        journal: The file of what earlier runs found. None: nothing is known of them.
        watcher: Called with lists of `SyncEvent`: what would become of each key.

    Returns:
        The plan, sorted by key, for `apply_plan`.

    Raises:
        StoreError: A listing failed; what stands in the file is no plan.
        ConfigError: Source and target overlap, or an argument makes no sense.
    """
    return run(
        async_plan_sync(
            to_async(source),
            to_async(target),
            delete,
            path=path,
            compare=compare,
            transfers=transfers,
            selection=selection,
            journal=journal,
            watcher=watcher,
        )
    )


def apply_plan(
    plan: SyncPlan | str | os.PathLike[str],
    source: ObjectStore,
    target: ObjectStore,
    *,
    transfers: int = TRANSFERS,
    buffer: int = BUFFER,
    bandwidth: float | None = None,
    max_delete: float | None = HALF,
    backup: ObjectStore | None = None,
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
        transfers: As all that follows: see `sync_stores`.
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
    return run(
        async_apply_plan(
            plan,
            to_async(source),
            to_async(target),
            transfers=transfers,
            buffer=buffer,
            bandwidth=bandwidth,
            max_delete=max_delete,
            backup=None if backup is None else to_async(backup),
            journal=journal,
            fail_fast=fail_fast,
            other_stores=other_stores,
            watcher=watcher,
        )
    )
