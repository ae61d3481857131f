# Generated from storage/_async/wrappers/routing.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""One store made of several, each with a part of the keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..._async.wrappers.routing import AsyncRoutingStore
from ..._core.adapt import to_async, to_async_rows
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .addressing import AddressingStore


class RoutingStore(AddressingStore):
    """Gives each key to the store of the first prefix that it begins with.

    A key that begins with none of them does not exist, and every verb but ``exists`` raises
    `RefusedKey` for it. What a store holds under other keys than those that lead to it stays out
    of sight. Listings are merged; an object that is copied or moved from one store to another goes
    through this process, and such a move is no single step.

    Args:
        routes: Pairs of prefix and store, asked in their order; ``""`` takes all that is left. A
            third item that is true makes the store see its keys without the prefix.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncRoutingStore
    _async_type: ClassVar[type[AsyncRoutingStore]] = AsyncRoutingStore

    def __init__(
        self,
        routes: Iterable[tuple[str, ObjectStore] | tuple[str, ObjectStore, bool]] | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(None if routes is None else to_async_rows(routes), timeout=timeout)
        )

    def add_route(self, prefix: str, store: ObjectStore, strip_prefix: bool = False) -> None:
        """Ask one more prefix, after all others; a store that comes late is not entered."""
        self._async.add_route(prefix, to_async(store), strip_prefix)

    @property
    def capabilities(self) -> Capability:
        """What all stores do by themselves."""
        return self._async.capabilities
