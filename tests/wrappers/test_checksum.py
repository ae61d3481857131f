"""Checksums: what is read is what was written, or an error."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.errors import ConfigError, IntegrityError
from storage.aioutils import AsyncChecksumStore, AsyncGzipStore
from storage.object import AsyncDictStore, DictStore
from storage.utils import ChecksumStore
from tests.stores import ForeignStore

DATA = b"0123456789" * 30_000


async def stored(data: bytes = DATA) -> tuple[AsyncDictStore, AsyncChecksumStore]:
    child = AsyncDictStore()
    store = AsyncChecksumStore(child)
    await store.put("key", data)
    return child, store


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "blake2b", "sha3_512", "md5"])
async def test_algorithms(algorithm: str) -> None:
    child = AsyncDictStore()
    store = AsyncChecksumStore(child, algorithm)
    expected = f"{algorithm}:{hashlib.new(algorithm, b'content').hexdigest()}"
    assert (await store.put("key", b"content")).checksum == expected
    assert (await store.put("key", iter([b"con", b"tent"]))).checksum == expected
    assert (await store.get_with_info("key"))[1].checksum == expected
    assert child.objects["key"].startswith(b"content")
    assert (await store.head("key")).size == 7
    with pytest.raises(IntegrityError, match="written without one"):
        await AsyncChecksumStore(child, "sha1").get("key")


@pytest.mark.parametrize("algorithm", ["shake_128", "no-such", "crc32", ""])
def test_what_is_no_algorithm(algorithm: str) -> None:
    with pytest.raises(ConfigError, match="digest"):
        ChecksumStore(DictStore(), algorithm)


@settings(max_examples=30, deadline=None)
@given(
    data=st.binary(max_size=300),
    cuts=st.lists(st.integers(1, 100), min_size=1, max_size=8),
    start=st.integers(-310, 310),
    size=st.integers(0, 310) | st.none(),
)
def test_any_pieces_and_any_part(
    data: bytes, cuts: list[int], start: int, size: int | None
) -> None:
    end = None if size is None or start < 0 else start + size

    async def run() -> None:
        store = AsyncChecksumStore(AsyncDictStore())
        pieces = [data[sum(cuts[:turn]) : sum(cuts[: turn + 1])] for turn in range(len(cuts))]
        pieces.append(data[sum(cuts) :])
        await store.put("key", iter(pieces))
        assert await store.get("key") == data
        assert await store.get_range("key", start, end) == data[start:end]
        found = [piece async for piece in store.stream("key", start=start, end=end)]
        assert b"".join(found) == data[start:end]

    asyncio.run(run())


async def test_every_flipped_byte_and_every_truncation() -> None:
    child, store = await stored(b"some content")
    whole = child.objects["key"]
    damaged = [whole[:end] for end in range(len(whole))]
    damaged += [whole + b"\0", whole + whole, b"\0" + whole]
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        damaged.append(bytes(flipped))
    for data in damaged:
        child.objects["key"] = data
        with pytest.raises(IntegrityError, match="'key'"):
            await store.get("key")


async def test_a_stream_fails_in_place_of_its_end() -> None:
    child, store = await stored()
    child.objects["key"] = b"X" + child.objects["key"][1:]
    for start, end in ((0, None), (5, 10), (-3, None)):
        with pytest.raises(IntegrityError):
            [piece async for piece in store.stream("key", start=start, end=end)]
        with pytest.raises(IntegrityError):
            await store.get_range("key", start, end)
    with pytest.raises(IntegrityError):
        await store.get_ranges("key", [(5, 6), (8, 9)])
    async with store.open_reader("key") as reader:
        with pytest.raises(IntegrityError):
            await reader.read()


async def test_copies_keep_their_digest() -> None:
    child, store = await stored()
    await store.copy("key", "copied")
    await store.move("copied", "moved")
    assert child.objects["moved"] == child.objects["key"]
    assert await store.get("moved") == DATA


async def test_what_was_put_without_one() -> None:
    child = AsyncDictStore({"plain": b"x" * 100, "short": b"x"})
    store = AsyncChecksumStore(child)
    for key in child.objects:
        with pytest.raises(IntegrityError, match="written without one"):
            await store.get(key)
    assert (await store.head("short")).size is None


async def test_with_others() -> None:
    """Over somebody else's store, and what Base64 or gzip alone would not notice."""
    child = ForeignStore()
    store = AsyncGzipStore(AsyncChecksumStore(child))
    await store.put("key", iter([DATA, DATA]))
    assert await store.get("key") == DATA * 2
    child.objects["key"] = child.objects["key"][:-1]
    with pytest.raises(IntegrityError, match="sha256"):
        await store.get("key")
