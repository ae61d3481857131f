"""Values that come in pieces, and may end badly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .base import Conformance

PIECE = bytes(range(256)) * 256


class BadEnd(Exception):
    """What a broken source raises."""


class StreamChecks(Conformance):
    """Streams as values."""

    @pytest.mark.parametrize("kind", ["list", "tuple", "iterator", "generator", "async"])
    @pytest.mark.parametrize("count", [0, 1, 6])
    async def test_stream(self, store: AsyncBaseStore, kind: str, count: int) -> None:
        source = _SOURCES[kind](count)
        info = await store.put("key", source)
        assert info.key == "key"
        assert info.size in (len(PIECE) * count, None)
        assert await store.get("key") == PIECE * count
        assert await self.contents(store) == {"key": PIECE * count}

    async def test_pieces_of_all_sizes(self, store: AsyncBaseStore) -> None:
        sizes = [0, 1, 0, 255, 3_000_000, 1, 65_536, 0, 262_145, 7]
        pieces = [bytes([index]) * size for index, size in enumerate(sizes)]
        await store.put("key", iter(pieces))
        assert await store.get("key") == b"".join(pieces)
        kinds: list[bytes | bytearray | memoryview] = [b"a", bytearray(b"b"), memoryview(b"cd")]
        await store.put("kinds", iter(kinds))
        assert await store.get("kinds") == b"abcd"

    async def test_many_small_pieces(self, store: AsyncBaseStore) -> None:
        await store.put("key", (b"%05d" % number for number in range(3_000)))
        assert await store.get("key") == b"".join(b"%05d" % number for number in range(3_000))

    async def test_piece_is_taken_at_once(self, store: AsyncBaseStore) -> None:
        buffer = bytearray(4)

        def reused() -> Iterator[bytearray]:
            for number in range(100):
                buffer[:] = b"%04d" % number
                yield buffer

        async def reused_async() -> AsyncIterator[memoryview]:
            for _ in reused():
                yield memoryview(buffer)

        expected = b"".join(b"%04d" % number for number in range(100))
        await store.put("plain", reused())
        assert await store.get("plain") == expected
        await store.put("async", reused_async())
        assert await store.get("async") == expected

    @pytest.mark.parametrize("kind", ["generator", "async"])
    @pytest.mark.parametrize("good", [0, 1, 6])
    async def test_stream_that_fails(self, store: AsyncBaseStore, kind: str, good: int) -> None:
        await store.put("old", b"old")
        for key in ("old", "new"):
            with pytest.raises(BadEnd, match="the disk of the user"):
                await store.put(key, _SOURCES[kind](good, fails=True))
        assert await self.contents(store) == {"old": b"old"}
        await self.clean(store)
        await store.put("new", _SOURCES[kind](good))
        assert await store.get("new") == PIECE * good

    @pytest.mark.parametrize("kind", ["generator", "async"])
    async def test_stream_is_closed(self, store: AsyncBaseStore, kind: str) -> None:
        """The source's own clean-up has run when put ends, whichever way it ends."""
        ended: list[str] = []
        await store.put("key", _SOURCES[kind](3, ended=ended))
        assert ended == ["ended"]
        with pytest.raises(BadEnd):
            await store.put("key", _SOURCES[kind](3, fails=True, ended=ended))
        assert ended == ["ended", "ended"]
        with pytest.raises(TypeError):
            await store.put("key", _SOURCES[kind](3, ended=ended, piece="text"))
        assert ended == ["ended", "ended", "ended"]

    async def test_streamed_reading(self, store: AsyncBaseStore) -> None:
        data = PIECE * 50
        await store.put("key", data)
        pieces = [piece async for piece in store.stream("key")]
        assert b"".join(pieces) == data
        assert all(type(piece) is bytes and piece for piece in pieces)
        assert [piece async for piece in store.stream("key", start=5, end=5)] == []
        assert b"".join([p async for p in store.stream("key", start=100_000)]) == data[100_000:]
        await store.put("empty", b"")
        assert [piece async for piece in store.stream("empty")] == []

    async def test_streamed_reading_is_left_early(self, store: AsyncBaseStore) -> None:
        data = PIECE * 50
        await store.put("key", data)
        async with self.no_descriptors_left():
            for _ in range(5):
                stream = store.stream("key")
                assert data.startswith(await anext(stream))
                await stream.aclose()  # type: ignore[attr-defined]
        assert await store.get("key") == data


def _generator(
    count: int, *, fails: bool = False, ended: list[str] | None = None, piece: Any = PIECE
) -> Iterator[Any]:
    try:
        for _ in range(count):
            yield piece
        if fails:
            raise BadEnd("the disk of the user")
    finally:
        if ended is not None:
            ended.append("ended")


async def _async(count: int, **options: Any) -> AsyncIterator[Any]:
    for piece in _generator(count, **options):
        yield piece


_SOURCES: dict[str, Callable[..., Any]] = {
    "list": lambda count: [PIECE] * count,
    "tuple": lambda count: (PIECE,) * count,
    "iterator": lambda count: iter([PIECE] * count),
    "generator": _generator,
    "async": _async,
}
