"""A store that tells of its changes."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from ..._core.closing import closing
from ..._core.info import ObjectInfo, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..base import Keys, Outcome
from ..pieces import Sink
from .identity import AsyncIdentityStore

logger = logging.getLogger("storage.notifying")


class AsyncNotifyingStore(AsyncIdentityStore):
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

    PUT: ClassVar[str] = "put"
    DELETE: ClassVar[str] = "delete"

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, timeout=timeout)
        self._handlers: list[tuple[str | None, Callable[..., Any]]] = []

    def on_change(
        self,
        handler: Callable[
            [AsyncObjectStore, str, str, Exception | None], Awaitable[object] | object
        ],
    ) -> None:
        """Call ``handler(store, action, key, error)`` after every change.

        Args:
            handler: The action is ``"put"`` or ``"delete"``; the error is None if it went well.
        """
        self._add(None, handler)

    def on_put(
        self,
        handler: Callable[[AsyncObjectStore, str, Exception | None], Awaitable[object] | object],
    ) -> None:
        """Call ``handler(store, key, error)`` after every put."""
        self._add(self.PUT, handler)

    def on_delete(
        self,
        handler: Callable[[AsyncObjectStore, str, Exception | None], Awaitable[object] | object],
    ) -> None:
        """Call ``handler(store, key, error)`` after every deletion."""
        self._add(self.DELETE, handler)

    def _add(self, action: str | None, handler: Callable[..., Any]) -> None:
        if not callable(handler):
            raise TypeError(f"a handler is a function, not {type(handler).__name__}")
        self._handlers.append((action, handler))
        if inspect.iscoroutinefunction(handler) and not getattr(handler, "inline", False):
            self.inline = False  # who knows what it awaits

    async def _tell(self, action: str, key: str, error: Exception | None = None) -> None:
        for wanted, handler in list(self._handlers):
            if wanted not in (None, action):
                continue
            what = (key, error) if wanted else (action, key, error)
            try:
                told = handler(self.store, *what)
                if inspect.isawaitable(told):
                    await told
            except Exception:
                logger.exception("a handler failed after %s of %r", action, key)

    @asynccontextmanager
    async def _telling(self, *changes: tuple[str, str]) -> AsyncIterator[None]:
        """Tell of changes, once the block has ended, well or not."""
        try:
            yield
        except Exception as error:
            for change in changes:
                await self._tell(*change, error)
            raise
        for change in changes:
            await self._tell(*change)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        async with self._telling((self.PUT, key)):
            return await super()._put(key, data, options)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._telling((self.PUT, key)), super()._create(key, options) as sink:
            yield sink

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._telling((self.DELETE, key)):
            await super()._delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._telling((self.PUT, target)):
            return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._telling((self.PUT, target), (self.DELETE, source)):
            return await super()._move(source, target, if_absent)

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(super()._delete_many(keys, missing_ok)) as outcomes:
            async for key, error in outcomes:
                await self._tell(self.DELETE, key, error)
                yield key, error
