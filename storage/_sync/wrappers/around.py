# Generated from storage/_async/wrappers/around.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store with one door around all of its operations: the ground of those that watch or limit."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.around import AsyncAroundStore
from .identity import IdentityStore


class AroundStore(IdentityStore):
    """Hands everything to its child, each operation with `_during` around it.

    Operations go by the names of the verbs, less a few: ``get`` is all that reads an object whole
    or one range of it, ``open_reader`` and ``open_writer`` are all streams, and the verbs that are
    made of others are those.
    """

    _async: AsyncAroundStore
    _async_type: ClassVar[type[AsyncAroundStore]] = AsyncAroundStore

    def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_get(key, expiry))

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return self._run(self._async.presigned_put(key, expiry))
