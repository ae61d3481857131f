"""Stores that write a log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.info import ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..base import Items, Keys
from .around import QUIET, AsyncAroundStore, Passage

T = TypeVar("T")


class AsyncLoggingStore(AsyncAroundStore):
    """Logs each operation by its name and key, at level INFO, before it is done.

    Args:
        store: A store of ours, or any object with the five async verbs.
        store_name: What the log calls it.
        logger: Where to; by default the logger ``storage.logging``.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        store_name: str = "store",
        logger: logging.Logger | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self.store_name: str = store_name
        self.logger: logging.Logger = logger or logging.getLogger("storage.logging")

    def _during(self, verb: str, key: str | None) -> Passage:
        self.logger.info(f"{self.store_name} {verb}{_named(key)}")  # noqa: G004 - see _named
        return QUIET


class AsyncExceptionLoggingStore(AsyncLoggingStore):
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

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The object's bytes, or None; arguments as for every store."""
        try:
            return await super().get(key, if_match=if_match, if_none_match=if_none_match)
        except Exception as error:
            return self._log(f"get{_named(key)}", error, None)

    async def put(
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
        options = WriteOptions(if_absent, if_match, content_type, metadata)
        try:
            return await super().put(key, data, **options.arguments())
        except Exception as error:
            return self._log(f"put{_named(key)}", error, None)

    async def exists(self, key: str) -> bool:
        """Whether there is an object; False also where that is not known."""
        try:
            return await super().exists(key)
        except Exception as error:
            return self._log(f"exists{_named(key)}", error, False)

    async def delete(
        self, key: str, *, missing_ok: bool = False, if_match: str | None = None
    ) -> Any:
        """Remove the object; False where that failed; arguments as for every store."""
        try:
            return await super().delete(key, missing_ok=missing_ok, if_match=if_match)
        except Exception as error:
            return self._log(f"delete{_named(key)}", error, False)

    async def keys(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[str]:
        """The keys, as far as they could be listed; arguments as for every store."""
        try:
            async with closing(super().keys(prefix, start_after=start_after)) as keys:
                async for key in keys:
                    yield key
        except Exception as error:
            self._log("get keys", error, None)

    async def get_many(
        self, keys: Keys, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        """As for every store."""
        async with closing(self._child.get_many(keys, missing_ok=missing_ok)) as found:
            async for pair in found:
                yield pair

    async def put_many(self, items: Items | Mapping[str, Any]) -> int:
        """As for every store."""
        return await self._child.put_many(items)

    async def _read(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        try:
            return await super()._read(key, options)
        except Exception as error:
            return self._log(f"get{_named(key)}", error, None), ObjectInfo(key)

    async def _write(self, key: str, data: Any, options: WriteOptions) -> Any:
        try:
            return await super()._write(key, data, options)
        except Exception as error:
            return self._log(f"put{_named(key)}", error, None)

    def _log(self, what: str, error: Exception, instead: T) -> T:
        self.logger.error(f"failed to {what}: {error}")  # noqa: G004 - as users know it
        return instead


def _named(key: object) -> str:
    """A key as it stands in a line of the log, whatever is in it or was given for one."""
    if key is None:
        return ""
    return f" {key}" if isinstance(key, str) and key.isprintable() else f" {key!r}"
