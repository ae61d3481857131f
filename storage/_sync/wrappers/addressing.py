# Generated from storage/_async/wrappers/addressing.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores that find out for each key whose it is, and what it is called there."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.addressing import AsyncAddressingStore
from .children import ParentStore


class AddressingStore(ParentStore):
    """Hands each verb on one object to a child, natively, under the key that it has there."""

    _async: AsyncAddressingStore
    _async_type: ClassVar[type[AsyncAddressingStore]] = AsyncAddressingStore  # type: ignore[type-abstract]

    def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_get(key, expiry))

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_put(key, expiry))
