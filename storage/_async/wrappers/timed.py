"""A store that answers in time or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from ..._core.closing import closing
from ..._core.errors import ConfigError
from ..._core.info import ByteRange, ObjectInfo
from ..._core.protocol import AsyncObjectStore
from ..base import Keys, Outcome
from .identity import AsyncIdentityStore


class AsyncTimeoutStore(AsyncIdentityStore):
    """Gives each operation of its child so many seconds, and each piece of a stream as well.

    A verb on many keys has them for each key. What runs in a worker thread (files, for one)
    cannot be interrupted: there the error comes when the thread has done what it was at.

    Args:
        store: A store of ours, or any object with the five async verbs.
        seconds: How long one operation may take, all its waiting included; above 0.

    Raises:
        StoreTimeout: By every verb that took longer.
    """

    def __init__(self, store: AsyncObjectStore, seconds: float) -> None:
        if seconds is None:
            raise ConfigError("a timeout store needs a number of seconds")
        super().__init__(store, timeout=seconds)
        # A blocking caller's own thread could not be interrupted; the loop can.
        self.inline = False
        self._seconds = seconds

    # The verbs do not limit these, because their defaults are made of streams and of other verbs.

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._within(self._seconds, super()._copy(source, target, if_absent))

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._within(self._seconds, super()._move(source, target, if_absent))

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._within(self._seconds, super()._get_ranges(key, parts, if_match))

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        deleting: Any = self._steps("delete_many", super()._delete_many(keys, missing_ok))
        async with closing(deleting) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return await self._run("presigned_get", key, super().presigned_get(key, expiry))

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return await self._run("presigned_put", key, super().presigned_put(key, expiry))
