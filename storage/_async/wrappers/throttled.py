"""A store that goes no faster than it is told to."""

from __future__ import annotations

import asyncio
from typing import Self

from ..._core.bucket import Bucket
from ..._core.errors import ConfigError
from ..._core.protocol import AsyncObjectStore
from .around import AsyncAroundStore, Passage


class AsyncThrottleStore(AsyncAroundStore):
    """Spreads bytes and operations over time, for all tasks, threads and loops together.

    Both directions count, streams piece by piece. What is written waits before it is sent; what
    is read has been transferred when its length is known, so whoever reads waits then. A verb on
    many keys, and a listing, is one operation for each verb of the child that it becomes.

    Args:
        store: A store of ours, or any object with the five async verbs.
        bytes_per_second: How many, in the long run; None for no limit.
        operations_per_second: How many, in the long run; None for no limit.
        burst: Seconds' worth that may pass at once after a pause.
        timeout: Seconds that one operation may take, all its waiting included.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        bytes_per_second: float | None = None,
        operations_per_second: float | None = None,
        *,
        burst: float = 1.0,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        for rate in (bytes_per_second, operations_per_second, burst):
            if rate is not None and not rate > 0:
                raise ConfigError(f"a rate is a number above 0 or None, not {rate!r}")
        self.inline = False
        self._bytes = None if bytes_per_second is None else Bucket(bytes_per_second, burst)
        self._operations = (
            None if operations_per_second is None else Bucket(operations_per_second, burst)
        )

    def _during(self, verb: str, key: str | None) -> Passage:
        return _Paced(self._operations, self._bytes)


class _Paced(Passage):
    """Waits for its turn, and for that of each piece."""

    def __init__(self, operations: Bucket | None, size: Bucket | None) -> None:
        self._operations = operations
        self._bytes = size

    async def __aenter__(self) -> Self:
        await _take(self._operations, 1)
        return self

    async def sent(self, size: int) -> None:
        await _take(self._bytes, size)

    async def received(self, size: int) -> None:
        await _take(self._bytes, size)


async def _take(bucket: Bucket | None, tokens: int) -> None:
    if bucket is None or not tokens:
        return
    wait = bucket.take(tokens)
    try:
        if wait > 0:
            await asyncio.sleep(wait)
    except BaseException:
        bucket.give_back(tokens)
        raise
