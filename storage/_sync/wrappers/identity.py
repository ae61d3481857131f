# Generated from storage/_async/wrappers/identity.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that hands everything to another: the ground of all that change a little of one."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.identity import AsyncIdentityStore
from ..._core.adapt import to_async
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .children import ParentStore


class IdentityStore(ParentStore):
    """Does what its child does, verb by verb, each natively; made to be subclassed.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncIdentityStore
    _async_type: ClassVar[type[AsyncIdentityStore]] = AsyncIdentityStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))

    @property
    def store(self) -> ObjectStore:
        """The store that it was made of: the very object that was passed, or, where entering that
        gave another store, this one.
        """
        return self._blocking(self._async.store)

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself."""
        return self._async.capabilities

    def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_get(key, expiry))

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_put(key, expiry))
