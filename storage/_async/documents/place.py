"""One object of a store, read once and replaced only by who knows what it is."""

from __future__ import annotations

import hashlib

from ..._core.errors import (
    IntegrityError,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreNotFound,
)
from ..._core.info import Capability
from ..base import AsyncBaseStore

CONDITIONS = Capability.IF_ABSENT | Capability.IF_MATCH
CHANGED = (
    "somebody else has written it since it was opened: close without a sync and open it again, or "
    "sync with overwrite"
)


class Place:
    """Where a collection is.

    Args:
        store: The store.
        key: The key.
    """

    def __init__(self, store: AsyncBaseStore, key: str) -> None:
        self._store = store
        self._key = key
        self._etag: str | None = None
        self._digest: bytes | None = None
        """Of what is there, as far as we know; None: nothing."""
        self._doubts: set[bytes] = set()
        """Of what may be there, or be there soon, since nobody heard how its write ended."""

    async def read(self) -> bytes | None:
        """What is there; None: nothing."""
        try:
            data, info = await self._store.get_with_info(self._key)
        except (ObjectNotFound, StoreNotFound):
            self._etag = self._digest = None
            return None
        self._etag, self._digest = info.etag, _digest(data)
        return data

    async def replace(self, data: bytes, *, overwrite: bool) -> None:
        """Put something in the place of what was read or written last.

        Args:
            data: The bytes.
            overwrite: Whatever is there by now.

        Raises:
            PreconditionFailed: It is something else by now; nothing was written.
            IntegrityError: What arrived is not what was sent; the old object is still there.
        """
        conditional = (self._store.capabilities & CONDITIONS) == CONDITIONS
        if overwrite:
            await self.read()
        elif self._doubts or not conditional:
            await self._look()
        digest = _digest(data)
        heard = self._doubts.copy()
        self._doubts.add(digest)
        try:
            await (self._swap(data) if conditional else self._upload(data))
        except PreconditionFailed:
            self._doubts = heard
            raise
        self._digest = digest
        self._doubts.clear()

    async def _look(self) -> None:
        """Raise unless what is there is what we know of, or what we wrote and never heard of."""
        known, etag = self._digest, self._etag
        await self.read()
        if self._digest == known or self._digest in self._doubts:
            return
        self._digest, self._etag = known, etag
        raise PreconditionFailed(CHANGED)

    async def _swap(self, data: bytes) -> None:
        absent = self._digest is None
        try:
            info = await self._store.put(
                self._key, data, if_absent=absent, if_match=None if absent else self._etag
            )
        except (ObjectExists, PreconditionFailed) as error:
            raise PreconditionFailed(CHANGED) from error
        self._etag = info.etag

    async def _upload(self, data: bytes) -> None:
        """The same for stores without conditions: write beside it, look at that, rename."""
        beside = f"{self._key}.tmp"
        await self._store.put(beside, data)
        if await self._store.get(beside) != data:
            await self._store.delete(beside, missing_ok=True)
            raise IntegrityError("what arrived is not what was sent")
        await self._store.move(beside, self._key)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
