# Generated from storage/_async/checks.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""What the verbs ask of their arguments before a hook sees them."""

from __future__ import annotations

from typing import ClassVar

from .._async.checks import AsyncStoreChecks
from .hooks import StoreHooks


class StoreChecks(StoreHooks):
    """Checks of a read's and of a write's arguments."""

    _async: AsyncStoreChecks
    _async_type: ClassVar[type[AsyncStoreChecks]] = AsyncStoreChecks  # type: ignore[type-abstract]
