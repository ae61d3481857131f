"""Objects in a dict."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import AsyncIterator, MutableMapping
from datetime import UTC, datetime
from typing import Self

from ..._core.errors import ObjectNotFound
from ..._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions, check_delete
from ..._core.urls import StoreURL
from ..base import AsyncBaseStore

_PROCESS = os.urandom(4).hex()
_versions = itertools.count(1)


class AsyncDictStore(AsyncBaseStore):
    """Objects in memory; safe to use from many threads.

    Args:
        objects: The dict that holds them, key to bytes; it is used as it is, not copied, and you
            may change it yourself. None: a new one.
        timeout: As for every store; nothing here ever waits.
    """

    capabilities = ~Capability.NONE
    inline = True

    def __init__(
        self,
        objects: MutableMapping[str, bytes] | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        self.objects: MutableMapping[str, bytes] = {} if objects is None else objects
        # What is known of the very bytes that stand beside it; others have replaced them if not.
        self._known: dict[str, tuple[bytes, ObjectInfo]] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``memory://``; each call makes a new one."""
        return cls(timeout=url.option("timeout", float, None))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.objects)} objects)"

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("object", f"{id(self.objects):x}/"),)

    def _find(self, key: str) -> tuple[bytes, ObjectInfo]:
        try:
            data = self.objects[key]
        except KeyError:
            raise ObjectNotFound("there is no object under this key", key=key) from None
        known = self._known.get(key)
        if known is None or known[0] is not data:
            known = self._remember(key, data, None)
        return known

    def _remember(
        self, key: str, data: bytes, options: WriteOptions | None
    ) -> tuple[bytes, ObjectInfo]:
        info = ObjectInfo(
            key,
            len(data),
            f"{_PROCESS}-{next(_versions):x}",
            datetime.now(UTC),
            options.content_type if options else None,
            dict(options.metadata) if options and options.metadata else {},
        )
        known = self._known[key] = data, info
        return known

    def _peek(self, key: str) -> ObjectInfo | None:
        return self._find(key)[1] if key in self.objects else None

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        data, info = self._find(key)
        if options.conditional:
            options.check(info)
        return options.cut(data), info

    async def _head(self, key: str) -> ObjectInfo:
        return self._find(key)[1]

    async def _exists(self, key: str) -> bool:
        return key in self.objects

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        data = bytes(data)
        with self._lock:
            if options.conditional:
                options.check(key, self._peek(key))
            self.objects[key] = data
            return self._remember(key, data, options)[1]

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        with self._lock:
            found = self._peek(key)
            if found is None and missing_ok and if_match is None:
                return
            check_delete(key, found, if_match)
            del self.objects[key]
            self._known.pop(key, None)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        # Python compares code points, which is the order of UTF-8 bytes.
        for key in sorted(self.objects):
            if key > start_after and key.startswith(prefix) and key in self.objects:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            try:
                yield self._find(key)[1]
            except ObjectNotFound:
                continue  # it went between two steps
