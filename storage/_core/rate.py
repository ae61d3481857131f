"""A limit on bytes in a second, shared by all that transfers."""

from __future__ import annotations

import asyncio

from .bucket import Bucket
from .errors import ConfigError

SLICE = 0.1
"""Seconds' worth that one task takes before it is another one's turn."""


class RateLimit:
    """Lets bytes pass at a steady rate.

    Who takes more than a tenth of a second's worth takes it in slices, and queues anew for each:
    so a small object passes between the pieces of large ones. Any number of tasks, threads and
    loops may share it.

    Args:
        bytes_per_second: How many, in the long run; after a pause, a tenth of it at once.

    Raises:
        ConfigError: It is not above 0.
    """

    def __init__(self, bytes_per_second: float) -> None:
        if not bytes_per_second > 0:
            raise ConfigError(f"a rate is a number above 0, not {bytes_per_second!r}")
        self.bytes_per_second = bytes_per_second
        self._bucket = Bucket(bytes_per_second, SLICE)
        self._slice = max(1, int(bytes_per_second * SLICE))

    async def take(self, size: int) -> None:
        """Wait until so many bytes may pass; what a cancelled task waited for is given back."""
        while size > 0:
            part = min(size, self._slice)
            wait = self._bucket.take(part)
            if wait > 0:
                try:
                    await asyncio.sleep(wait)
                except BaseException:
                    self._bucket.give_back(part)
                    raise
            size -= part
