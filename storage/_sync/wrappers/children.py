# Generated from storage/_async/wrappers/children.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""What all stores that are made of other stores share: their children's life."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..._async.wrappers.children import AsyncParentStore
from ..._core.adapt import to_async_all
from ..._core.protocol import ObjectStore
from ..base import BaseStore


class ParentStore(BaseStore):
    """A store made of others; entering it enters them, and leaving it leaves them.

    Where one cannot be entered, those that were entered before are left again. Leaving tells them
    how the block ended. A parent that was never entered leaves its children alone.

    Args:
        children: Stores of ours, or any objects with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncParentStore
    _async_type: ClassVar[type[AsyncParentStore]] = AsyncParentStore  # type: ignore[type-abstract]

    def __init__(self, children: Iterable[ObjectStore], *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async_all(children), timeout=timeout))

    @property
    def children(self) -> tuple[ObjectStore, ...]:
        """The stores that it is made of: the very objects that were passed, or, where entering one
        of them gave another store, that one.
        """
        return tuple(map(self._blocking, self._async.children))
