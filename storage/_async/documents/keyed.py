"""Documents in objects: one for each key, written at once."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ..._core.closing import closing
from ..._core.errors import ObjectNotFound, StoreNotFound
from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..transfer.selection import Selection
from ..transfer.sync import async_sync_stores
from .backend import AsyncDocumentBackend, option
from .collection import missing
from .copies import Copies
from .homes import Home
from .words import UID, CopyOutcome

_ESCAPED = re.compile(r"[%/\\\x00-\x1f\x7f]|^\.")


class AsyncObjectBackend(AsyncDocumentBackend):
    """Each value in an object of its own, under ``prefix + uid/key``.

    So documents may be as many and as large together as the store can hold, several processes can
    use them at once, and a value is durable as soon as `put` has returned. Each value is atomic;
    a document is not: who reads one while it is written may see a part of the changes. Of a
    key, slashes, backslashes, ``%``, control characters and a dot at the beginning are
    percent-encoded.

    Args:
        store: Where; it remains the caller's to close.
        prefix: What all keys begin with.
        copies: Stores that `sync` makes the same, by name: what they have beyond, under ``prefix``
            and then two levels deep, is removed. An empty store is no reason to empty its copies:
            it is reported as a failure.
    """

    def __init__(self, store: AsyncObjectStore, prefix: str = "", *, copies: Any = None) -> None:
        self._home = Home(store)
        self._prefix = prefix
        self._copies = Copies(copies)

    @property
    def inline(self) -> bool:
        """Whether it needs no loop."""
        return self._store.inline and not self._copies

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r}, {self._prefix!r})"

    async def open(self) -> None:
        """Nothing is held, so there is nothing to take."""
        await self._home.enter()

    async def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync the copies, if there are any, and close what was opened here.

        Args:
            options: ``sync``: False leaves the copies as they are.
        """
        try:
            if option(options, "sync", default=True):
                await self.sync()
        finally:
            await self._home.leave()

    async def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Make the copies the same; the documents themselves are durable already.

        Args:
            options: ``overwrite`` has no meaning here.

        Raises:
            CopyError: Some copies failed.
        """
        option(options, "overwrite", default=False)
        ours = f"/{_globbed(self._prefix)}*/*"
        chosen = Selection(include=[ours], exclude=[f"{ours}/*"])

        async def bring(copy: AsyncBaseStore) -> bool:
            report = await async_sync_stores(
                self._store, copy, delete=True, max_delete=None, selection=chosen
            )
            return bool(report.copied or report.deleted)

        return await self._copies.update(bring)

    @property
    def _store(self) -> AsyncBaseStore:
        return self._home.store

    # -- documents --------------------------------------------------------------------------

    async def get(self, uid: UID, key: str) -> bytes | None:
        try:
            return await self._store.get(self._key(uid, key))
        except (ObjectNotFound, StoreNotFound):
            async with closing(self._keys(uid)) as keys:
                async for _ in keys:
                    return None
            raise missing() from None

    async def get_document(self, uid: UID) -> dict[str, bytes]:
        keys = [key async for key in self._keys(uid)]
        found = {}
        # Whatever goes meanwhile was deleted.
        async with closing(self._store.get_many(keys, missing_ok=True)) as values:
            async for key, value in values:
                found[self._name(uid, key)] = value
        if not found:
            raise missing()
        return found

    async def put(self, uid: UID, key: str, data: bytes) -> None:
        await self._store.put(self._key(uid, key), data)

    async def delete(self, uid: UID, key: str) -> None:
        try:
            await self._store.delete(self._key(uid, key), missing_ok=True)
        except StoreNotFound:
            pass

    async def delete_document(self, uid: UID) -> None:
        keys = [key async for key in self._keys(uid)]
        if not keys:
            raise missing()
        await self._store.delete_many(keys)

    async def count(self, uid: UID) -> int:
        return len([key async for key in self._keys(uid)])

    async def _keys(self, uid: UID) -> AsyncGenerator[str, None]:
        """The keys of a document's objects."""
        try:
            async with closing(self._store.keys(self._key(uid, ""))) as keys:
                async for key in keys:
                    if key == self._key(uid, self._name(uid, key)):  # else it is not ours
                        yield key
        except StoreNotFound:
            return

    def _key(self, uid: UID, key: str) -> str:
        return f"{self._prefix}{uid}/{_ESCAPED.sub(_escape, key)}"

    def _name(self, uid: UID, key: str) -> str:
        """The way back of `_key`."""
        return unquote(key.removeprefix(self._key(uid, "")))


def _escape(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _globbed(prefix: str) -> str:
    """A prefix as a pattern that means nothing but itself."""
    return re.sub(r"([*?\[\]\\!#])", r"\\\1", prefix)
