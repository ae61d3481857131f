"""Whole stores: copy one, empty one."""

from __future__ import annotations

from ..._core.protocol import AsyncObjectStore
from ..foreign import lift
from .report import SyncReport
from .sync import async_sync_stores


async def async_copy_store(
    source: AsyncObjectStore, target: AsyncObjectStore, overwrite: bool = True
) -> SyncReport:
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
    return await async_sync_stores(source, target, compare="always" if overwrite else "missing")


async def async_clear_store(store: AsyncObjectStore) -> int:
    """Remove all objects of a store.

    The whole listing is read first, so that an error in it removes nothing.

    Returns:
        How many there were.

    Raises:
        BulkError: Some could not be removed.
        StoreError: The listing failed.
    """
    lifted = lift(store)
    keys = [key async for key in lifted.keys()]
    return await lifted.delete_many(keys)
