"""Make one store's contents another's, and never lose anything on the way."""

from __future__ import annotations

import os

from ..._core.protocol import AsyncObjectStore
from .comparing import Comparison
from .options import BUFFER, SyncOptions
from .report import SyncReport, Watcher, telling
from .running import Run
from .safety import HALF
from .selection import Selection
from .tasks import TRANSFERS


async def async_sync_stores(
    source: AsyncObjectStore,
    target: AsyncObjectStore,
    delete: bool = False,
    *,
    compare: Comparison = "auto",
    dry_run: bool = False,
    transfers: int = TRANSFERS,
    buffer: int = BUFFER,
    bandwidth: float | None = None,
    max_delete: float | None = HALF,
    backup: AsyncObjectStore | None = None,
    selection: Selection | None = None,
    journal: str | os.PathLike[str] | None = None,
    fail_fast: bool = False,
    watcher: Watcher | None = None,
) -> SyncReport:
    """Make the target's contents the source's.

    Deletes come last, and only if both listings ended well, every copy succeeded and the source
    is not empty. What somebody changes at either end meanwhile is left alone and reported.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        delete: Also remove from the target what the source does not have.
        compare: What to copy of what both have. ``auto``: what differs in length, checksum or
            else in its bytes; ``size``, ``mtime``: what differs in length (or is newer);
            ``checksum``: as ``auto``, and nothing but digests and bytes are believed;
            ``missing``: nothing; ``always``: everything.
        dry_run: Change nothing; report what would be done.
        transfers: Objects in flight, at most.
        buffer: Bytes in flight, at most.
        bandwidth: Bytes per second, at most.
        max_delete: So many objects are deleted at most, or else none; as a float, such a share of
            those that the target had, rounded up. None: any number.
        backup: A store that takes what is about to be replaced or deleted, under its key.
        selection: Which objects it is about; all others stay as they are. None: all.
        journal: A file that remembers from run to run what is the same, and uploads that were
            begun; buckets that list in order are listed in parts at once by what it knows. None:
            nothing is remembered, so that ``auto`` has to read what no checksum tells.
        fail_fast: Begin nothing more after the first failure.
        watcher: Called with lists of `SyncEvent` while it goes on, in a worker thread.

    Returns:
        The sums.

    Raises:
        SyncError: Some objects failed, or deletes were refused; it has the ``report``.
        StoreError: A listing failed; nothing was deleted.
        ConfigError: Source and target overlap, or an argument makes no sense.
    """
    options = SyncOptions(
        delete=delete,
        compare=compare,
        dry_run=dry_run,
        transfers=transfers,
        buffer=buffer,
        bandwidth=bandwidth,
        max_delete=max_delete,
        backup=backup,
        selection=selection,
        journal=journal,
        fail_fast=fail_fast,
    )
    report = await Run(source, target, options, telling(watcher)).sync()
    report.raise_failures()
    return report
