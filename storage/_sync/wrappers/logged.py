# Generated from storage/_async/wrappers/logged.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores that write a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ..._async.base import Items, Keys
from ..._async.wrappers.logged import AsyncExceptionLoggingStore, AsyncLoggingStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class LoggingStore(AroundStore):
    """Logs each operation by its name and key, at level INFO, before it is done.

    Args:
        store: A store of ours, or any object with the five async verbs.
        store_name: What the log calls it.
        logger: Where to; by default the logger ``storage.logging``.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncLoggingStore
    _async_type: ClassVar[type[AsyncLoggingStore]] = AsyncLoggingStore

    def __init__(
        self,
        store: ObjectStore,
        store_name: str = "store",
        logger: logging.Logger | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), store_name, logger, timeout=timeout))

    @property
    def store_name(self) -> str:
        return self._async.store_name

    @property
    def logger(self) -> logging.Logger:
        return self._async.logger


class ExceptionLoggingStore(LoggingStore):
    """Logs what goes wrong in the five verbs, at level ERROR, and carries on.

    A get or a put that failed gives None; ``exists`` and ``delete`` give False; ``keys`` ends. So
    it is also for the stores that are made of this one. All other verbs raise, since nothing that
    they could give would be told from a result; so do all verbs when they are cancelled.

    Args:
        store: A store of ours, or any object with the five async verbs.
        store_name: What the log calls it.
        logger: Where to; by default the logger ``storage.logging``.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncExceptionLoggingStore
    _async_type: ClassVar[type[AsyncExceptionLoggingStore]] = AsyncExceptionLoggingStore

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The object's bytes, or None; arguments as for every store."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))

    def put(
        self,
        key: str,
        data: Any,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Any:
        """Store an object; None where that failed; arguments as for every store."""
        return self._run(
            self._async.put(
                key,
                data,
                if_absent=if_absent,
                if_match=if_match,
                content_type=content_type,
                metadata=metadata,
            )
        )

    def exists(self, key: str) -> bool:
        """Whether there is an object; False also where that is not known."""
        return self._run(self._async.exists(key))

    def delete(self, key: str, *, missing_ok: bool = False, if_match: str | None = None) -> Any:
        """Remove the object; False where that failed; arguments as for every store."""
        return self._run(self._async.delete(key, missing_ok=missing_ok, if_match=if_match))

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[str]:
        """The keys, as far as they could be listed; arguments as for every store."""
        return self._iterate(self._async.keys(prefix, start_after=start_after))

    def get_many(self, keys: Keys, *, missing_ok: bool = False) -> Iterator[tuple[str, bytes]]:
        """As for every store."""
        return self._iterate(self._async.get_many(keys, missing_ok=missing_ok), max_batch=32)

    def put_many(self, items: Items | Mapping[str, Any]) -> int:
        """As for every store."""
        return self._run(self._async.put_many(items))
