# Generated from storage/_async/transfer/verify.py: do not edit, but run
# `python -m storage._tools.generate`.
"""Compare two stores without changing either."""

from __future__ import annotations

from ..._async.transfer.verify import VerifyReport, async_verify_stores
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.runner import run


def verify_stores(a: ObjectStore, b: ObjectStore, *, transfers: int = 32) -> VerifyReport:
    """Compare all keys and the bytes of all objects.

    Args:
        a: A store.
        b: Another one.
        transfers: Objects compared at once.

    Returns:
        How many are identical, and which are not, and why.

    Raises:
        StoreError: A listing failed: nothing can be said.
    """
    return run(async_verify_stores(to_async(a), to_async(b), transfers=transfers))
