"""Streams take bounded memory, whatever their length."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from .._async.base import AsyncBaseStore
from .._core.info import Capability
from .base import Conformance

PIECE = bytes(range(256)) * 1_024


class MemoryChecks(Conformance):
    """Large objects in small memory."""

    async def test_large_streams(self, store: AsyncBaseStore) -> None:
        """Stored, copied and read again, though they are more than the memory they may take."""
        if Capability.STREAMS not in store.capabilities:
            pytest.skip("the store does not declare STREAMS")
        if self.in_memory:
            pytest.skip("the medium itself is memory")
        count = self.memory_limit * 5 // 4 // len(PIECE)
        sent = hashlib.sha256()

        async def source() -> AsyncIterator[bytes]:
            for number in range(count):
                piece = number.to_bytes(8) + PIECE[8:]
                sent.update(piece)
                yield piece

        with self._bounded("put"):
            info = await store.put("large", source())
        assert info.size in (count * len(PIECE), None)
        with self._bounded("copy"):
            await store.copy("large", "copied")
        got = hashlib.sha256()
        with self._bounded("stream"):
            async for piece in store.stream("copied"):
                got.update(piece)
        assert got.digest() == sent.digest()

    @contextmanager
    def _bounded(self, verb: str) -> Iterator[None]:
        gc.collect()
        running = tracemalloc.is_tracing()
        if not running:
            tracemalloc.start(1)
        try:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            yield
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            if not running:
                tracemalloc.stop()
        assert peak <= self.memory_limit, f"{verb} took {peak / 1e6:.0f} MB of memory"
