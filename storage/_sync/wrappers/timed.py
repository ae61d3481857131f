# Generated from storage/_async/wrappers/timed.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that answers in time or not at all."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.timed import AsyncTimeoutStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class TimeoutStore(IdentityStore):
    """Gives each operation of its child so many seconds, and each piece of a stream as well.

    A verb on many keys has them for each key. What runs in a worker thread (files, for one)
    cannot be interrupted: there the error comes when the thread has done what it was at.

    Args:
        store: A store of ours, or any object with the five async verbs.
        seconds: How long one operation may take, all its waiting included; above 0.

    Raises:
        StoreTimeout: By every verb that took longer.
    """

    _async: AsyncTimeoutStore
    _async_type: ClassVar[type[AsyncTimeoutStore]] = AsyncTimeoutStore

    def __init__(self, store: ObjectStore, seconds: float) -> None:
        self._hold(self._async_type(to_async(store), seconds))

    def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_get(key, expiry))

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_put(key, expiry))
