# Generated from storage/_async/transfer/sync.py: do not edit, but run
# `python -m storage._tools.generate`.
"""Make one store's contents another's, and never lose anything on the way."""

from __future__ import annotations

from ..._async.transfer.report import SyncReport, Watcher
from ..._async.transfer.sync import Comparison, async_sync_stores
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.runner import run


def sync_stores(
    source: ObjectStore,
    target: ObjectStore,
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
    return run(
        async_sync_stores(
            to_async(source),
            to_async(target),
            delete,
            compare=compare,
            dry_run=dry_run,
            transfers=transfers,
            watcher=watcher,
        )
    )
