# Generated from storage/_async/wrappers/expiring.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Lifetimes for stores that know none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from ..._async.wrappers.expiring import AsyncTTLStore
from ..._core.adapt import to_async
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class TTLStore(IdentityStore):
    """Objects of its child go by themselves some time after they were put.

    The end of an object's life is a metadata entry of it, written with it, so the child has to
    keep attributes. From then on the object is neither read nor listed; it is removed when
    something else is to be created under its key, and by `sweep`. Objects without that entry live
    for ever. Where the child's listings leave metadata out (files, S3), each object that is listed
    is looked at.

    This is how files and buckets get lifetimes. S3's own lifecycle rules count days, from the day
    of the put, for all objects under a prefix or a tag: such a rule may do the sweeping, where
    nothing under it is to live longer, but it cannot say when an object ends to be read.

    A presigned URL of the child works beyond an object's life. Clocks of several machines have to
    agree as well as lifetimes are to be kept.

    Args:
        store: A store of ours that keeps attributes.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever.
        clock: Tells the time for that, in seconds since 1970.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncTTLStore
    _async_type: ClassVar[type[AsyncTTLStore]] = AsyncTTLStore

    def __init__(
        self,
        store: ObjectStore,
        ttl: float | None = None,
        *,
        clock: Callable[[], float] = time.time,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), ttl, clock=clock, timeout=timeout))

    @property
    def capabilities(self) -> Capability:
        """The child's; who is to create only must be able to remove what is over, and only that."""
        return self._async.capabilities

    def with_ttl(self, ttl: float | None) -> TTLStore:
        """The same store, where what is put lives for another time.

        ``store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        return TTLStore.around(self._async.with_ttl(ttl))

    def sweep(self) -> int:
        """Remove the objects whose time is over; returns how many.

        Raises:
            NotSupported: The child cannot remove an object only if it is still the same.
        """
        return self._run(self._async.sweep())
