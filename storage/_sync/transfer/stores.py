# Generated from storage/_async/transfer/stores.py: do not edit, but run
# `python -m storage._tools.generate`.
"""Whole stores: copy one, empty one."""

from __future__ import annotations

from ..._async.transfer.report import SyncReport
from ..._async.transfer.stores import async_clear_store, async_copy_store
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.runner import run


def copy_store(source: ObjectStore, target: ObjectStore, overwrite: bool = True) -> SyncReport:
    """Copy all objects of one store into another, which keeps what else it has.

    Args:
        source: Where the objects are.
        target: Where they go.
        overwrite: Also copy what the target has under the same key already.

    Returns:
        The sums.

    Raises:
        SyncError: Some objects failed; it has the ``report``.
        StoreError: A listing failed.
    """
    return run(async_copy_store(to_async(source), to_async(target), overwrite))


def clear_store(store: ObjectStore) -> int:
    """Remove all objects of a store.

    The whole listing is read first, so that an error in it removes nothing.

    Returns:
        How many there were.

    Raises:
        BulkError: Some could not be removed.
        StoreError: The listing failed.
    """
    return run(async_clear_store(to_async(store)))
