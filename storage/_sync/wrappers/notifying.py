# Generated from storage/_async/wrappers/notifying.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that tells of its changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ..._async.wrappers.notifying import AsyncNotifyingStore
from ..._core.adapt import to_async, to_async_handler
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class NotifyingStore(IdentityStore):
    """Calls handlers after each change of an object, and after each change that failed.

    A copy puts its target; a move puts its target and deletes its source; verbs on many keys tell
    of each. The first argument of a handler is the store that was wrapped. Handlers are called
    one after the other, before the verb returns; an async one is awaited, and a plain one must
    not block. A handler that fails is logged and keeps neither the others nor the result of the
    verb back. A change that was cancelled is not told of: whether it was made is not known.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take; handlers count.
    """

    _async: AsyncNotifyingStore
    _async_type: ClassVar[type[AsyncNotifyingStore]] = AsyncNotifyingStore

    PUT: ClassVar[str] = "put"

    DELETE: ClassVar[str] = "delete"

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))

    def on_change(
        self, handler: Callable[[ObjectStore, str, str, Exception | None], object]
    ) -> None:
        """Call ``handler(store, action, key, error)`` after every change.

        Args:
            handler: The action is ``"put"`` or ``"delete"``; the error is None if it went well.
        """
        self._async.on_change(to_async_handler(handler))

    def on_put(self, handler: Callable[[ObjectStore, str, Exception | None], object]) -> None:
        """Call ``handler(store, key, error)`` after every put."""
        self._async.on_put(to_async_handler(handler))

    def on_delete(self, handler: Callable[[ObjectStore, str, Exception | None], object]) -> None:
        """Call ``handler(store, key, error)`` after every deletion."""
        self._async.on_delete(to_async_handler(handler))
