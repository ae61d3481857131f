# Generated from storage/_async/wrappers/fanout.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""One store made of several that hold the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..._async.wrappers.fanout import AsyncFanoutStore
from ..._core.adapt import to_async_all
from ..._core.protocol import ObjectStore
from .children import ParentStore


class FanoutStore(ParentStore):
    """Puts to all children at once, and gets from the first that has the object.

    A child that fails while another one answers does not fail a read; it is logged. A key counts
    as missing only if every child says so.

    Args:
        children: The stores, in the order in which they are read; at least one.
        timeout: Seconds that one operation may take.

    Raises:
        FanoutError: By a write, when some children failed; the others have done it.
    """

    _async: AsyncFanoutStore
    _async_type: ClassVar[type[AsyncFanoutStore]] = AsyncFanoutStore

    def __init__(self, children: Sequence[ObjectStore], *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async_all(children), timeout=timeout))


MirroringStore = FanoutStore
