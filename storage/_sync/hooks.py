# Generated from storage/_async/hooks.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""What a backend writes: the hooks, and how the verbs run them.

A backend writes four hooks (`_get`, `_put`, `_delete`, `_list`) and overrides of the others what
its medium does better than the default, which is built on those four.
"""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from .._async.hooks import AsyncStoreHooks
from .._core.bridge import Twin
from .._core.info import Capability


class StoreHooks(Twin):
    """The ground of all stores: hooks, deadlines, closing.

    Args:
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    _async: AsyncStoreHooks
    _async_type: ClassVar[type[AsyncStoreHooks]] = AsyncStoreHooks  # type: ignore[type-abstract]

    @property
    def capabilities(self) -> Capability:
        """What the store does by itself and atomically."""
        return self._async.capabilities

    def __init__(self, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(timeout=timeout))

    def close(self) -> None:
        """Let go of all that the store holds; may be called again."""
        self._run(self._async.aclose())

    def __enter__(self) -> Self:
        self._run(self._async.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._run(self._async.__aexit__(kind, error, traceback))
