"""Parts of an object mean what a slice means."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from .._async.base import AsyncBaseStore
from .._core.errors import ConfigError
from .._core.info import ByteRange
from .base import Conformance
from .harness import fuzz, profile

DATA = bytes(index * 7 % 256 for index in range(1_000))
RANGES: list[tuple[int, int | None]] = [
    (0, None), (0, 0), (0, 1), (0, 999), (0, 1_000), (0, 1_001), (0, 10**9), (1, 2), (5, 5),
    (10, 500), (998, None), (999, None), (999, 1_000), (999, 2_000), (1_000, None), (1_000, 1_000),
    (1_000, 1_001), (1_001, None), (5_000, 6_000), (-1, None), (-7, None), (-999, None),
    (-1_000, None), (-1_001, None), (-(10**9), None),
]  # fmt: skip


class RangeChecks(Conformance):
    """Ranged reads, against slices of the same bytes."""

    async def test_ranges(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        for start, end in RANGES:
            expected = DATA[start:end]
            assert await store.get_range("key", start, end) == expected, (start, end)
            pieces = [piece async for piece in store.stream("key", start=start, end=end)]
            assert b"".join(pieces) == expected, (start, end)
            data, info = await store.get_with_info("key", start=start, end=end)
            assert data == expected, (start, end)
            assert info.size in (len(DATA), None), "the size is that of the whole object"
        assert type(await store.get_range("key", 1, 3)) is bytes
        assert await store.get_range("key") == DATA

    async def test_any_range(self, store: AsyncBaseStore) -> None:
        data = DATA * 300
        await store.put("key", data)
        edges = [0, 1, len(data) - 1, len(data), len(data) + 1]
        bound = st.integers(0, len(data) + 10) | st.sampled_from(edges)
        pairs = st.tuples(bound, bound).map(lambda pair: (min(pair), max(pair)))

        async def check(part: tuple[int, int | None]) -> None:
            assert await store.get_range("key", *part) == data[slice(*part)]

        suffix = st.integers(-len(data) - 10, -1).map(lambda start: (start, None))
        await fuzz(pairs | suffix, check, profile(self.examples // 4, shrinks=self.shrinks))

    async def test_ranges_of_an_empty_object(self, store: AsyncBaseStore) -> None:
        await store.put("empty", b"")
        for start, end in RANGES:
            assert await store.get_range("empty", start, end) == b""
        assert list(await store.get_ranges("empty", [(0, 1), (-5, None)])) == [b"", b""]

    async def test_ranges_that_make_no_sense(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        for start, end in ((5, 4), (-5, 10), (-5, -1), (0, -1)):
            with pytest.raises(ConfigError):
                await store.get_range("key", start, end)
            with pytest.raises(ConfigError):
                await store.get_ranges("key", [(0, 1), (start, end)])

    async def test_many_ranges(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        got = await store.get_ranges("key", RANGES)
        assert list(got) == [DATA[start:end] for start, end in RANGES]
        assert all(type(part) is bytes for part in got)
        got = await store.get_ranges("key", [ByteRange(3, 9), (5, 7), ByteRange(0), (5, 7)])
        assert list(got) == [DATA[3:9], DATA[5:7], DATA, DATA[5:7]]
        assert list(await store.get_ranges("key", [])) == []

    async def test_many_ranges_without_open_ends(self, store: AsyncBaseStore) -> None:
        """Ranges that need no size, so that one past the end is found out by reading alone."""
        await store.put("key", DATA)
        bounds = [(990, 1_010), (5_000, 6_000), (0, 4), (2, 6), (1_000, 1_000), (10**8, 10**9)]
        got = await store.get_ranges("key", bounds)
        assert list(got) == [DATA[start:end] for start, end in bounds]

    async def test_far_ranges(self, store: AsyncBaseStore) -> None:
        """Ranges too far apart to be read as one."""
        size = 4 * 1024 * 1024
        data = bytes(size // 2) + DATA + bytes(size // 2)
        await store.put("key", data)
        bounds = [(size, size + 500), (0, 10), (size // 2, size // 2 + 1_000), (10, 20)]
        got = await store.get_ranges("key", bounds)
        assert list(got) == [data[start:end] for start, end in bounds]
