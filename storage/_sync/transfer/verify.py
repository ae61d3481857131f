# Generated from storage/_async/transfer/verify.py: do not edit, but run
# `python -m storage._tools.generate`.
"""Compare two stores without changing either."""

from __future__ import annotations

from ..._async.transfer.tasks import TRANSFERS
from ..._async.transfer.verify import Thoroughness, VerifyReport, async_verify_stores
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.runner import run


def verify_stores(
    a: ObjectStore, b: ObjectStore, *, compare: Thoroughness = "bytes", transfers: int = TRANSFERS
) -> VerifyReport:
    """Compare all keys, and all objects.

    Args:
        a: A store.
        b: Another one.
        compare: ``bytes``: read everything from both ends. ``checksum``: read only where not both
            ends know a strong digest. ``size``: read nothing unless a length is not known.
        transfers: Objects compared at once.

    Returns:
        How many are identical, and which are not, and why.

    Raises:
        StoreError: A listing failed, or an object could not be read: nothing can be said.
        ConfigError: There is no such way to compare.
    """
    return run(async_verify_stores(to_async(a), to_async(b), compare=compare, transfers=transfers))
