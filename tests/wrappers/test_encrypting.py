"""Encryption: what is stored opens unchanged, or not at all."""

from __future__ import annotations

import asyncio
import base64
import copy
import pickle
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.codecs import sealing
from storage._core.codecs.sealing import HEADER, SEALED, SEGMENT, TAG, content_size
from storage._core.errors import ConfigError, IntegrityError, MissingExtra, PreconditionFailed
from storage._core.info import Capability, ObjectInfo, ReadOptions
from storage._core.text import Secret
from storage.aioutils import AsyncEncryptingStore, AsyncIdentityStore
from storage.fs import FilesystemStore
from storage.object import AsyncDictStore, DictStore
from storage.utils import DecodeError, EncryptingStore, new_encryption_key
from tests.stores import ForeignStore

KEY = bytes(range(32))
OTHER = bytes(32)
LENGTHS = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 5]


def content(length: int) -> bytes:
    return random.Random(length).randbytes(length)


async def sealed(data: bytes, key: str = "key") -> tuple[AsyncDictStore, AsyncEncryptingStore]:
    child = AsyncDictStore()
    store = AsyncEncryptingStore(child, KEY)
    await store.put(key, data)
    return child, store


async def refuses(store: AsyncEncryptingStore, key: str = "key") -> None:
    """No way of reading the whole object gives it."""
    with pytest.raises(IntegrityError, match=repr(key)):
        await store.get(key)
    given_out = []
    with pytest.raises(IntegrityError):
        given_out = [piece async for piece in store.stream(key)]
    assert given_out == []
    with pytest.raises(IntegrityError):
        await store.get_range(key, -1)


@pytest.mark.parametrize("length", LENGTHS)
async def test_round_trip(length: int) -> None:
    data = content(length)
    child, store = await sealed(data)
    assert await store.get("key") == data
    assert b"".join([piece async for piece in store.stream("key")]) == data
    stored = child.objects["key"]
    assert len(stored) == HEADER + length + TAG * max(1, -(-length // SEGMENT))
    assert length < 16 or data[:16] not in stored
    told = [await store.head("key"), *[info async for info in store.list()]]
    assert {info.size for info in told} == {length}
    await store.put("key", b"")
    await store.put("key", iter([data[:100], data[100:]]))
    assert await store.get("key") == data
    assert child.objects["key"] != stored  # another salt


@given(st.integers(0, 2 * SEALED + 5_000) | st.integers(0, 10**12))
def test_lengths(stored: int) -> None:
    """Each length of content is told from one length of what is stored, and no other."""
    size = content_size(stored)
    if size is not None:
        assert stored == HEADER + size + TAG * sealing.segments_of(size)
    expected = HEADER + stored + TAG * sealing.segments_of(stored)
    assert content_size(expected) == stored


@settings(max_examples=25, deadline=None)
@given(
    length=st.sampled_from(LENGTHS),
    cuts=st.lists(st.integers(1, 90_000), min_size=1, max_size=4),
    start=st.integers(0, 3 * SEGMENT + 10) | st.integers(-SEGMENT - 5, -1),
    size=st.integers(0, SEGMENT + 5) | st.none(),
)
def test_any_pieces_and_any_part(
    length: int, cuts: list[int], start: int, size: int | None
) -> None:
    data = content(length)
    end = None if size is None or start < 0 else start + size

    async def run() -> None:
        store = AsyncEncryptingStore(AsyncDictStore(), KEY)
        async with store.open_writer("key") as writer:
            position, turn = 0, 0
            while position < length:
                cut = cuts[turn % len(cuts)]
                await writer.write(data[position : position + cut])
                position, turn = position + cut, turn + 1
        assert writer.info.size == length
        assert await store.get_range("key", start, end) == data[start:end]
        parts = [(start, end), (0, 5), (-3, None)]
        assert await store.get_ranges("key", parts) == [data[slice(*part)] for part in parts]

    asyncio.run(run())


# -- attacks ------------------------------------------------------------------------------------


async def test_every_flipped_byte() -> None:
    child, store = await sealed(b"a small secret")
    stored = child.objects["key"]
    for place in range(len(stored)):
        for mask in (0x01, 0x80):
            damaged = bytearray(stored)
            damaged[place] ^= mask
            child.objects["key"] = bytes(damaged)
            await refuses(store)


async def test_every_truncation_and_some_additions() -> None:
    child, store = await sealed(b"a small secret")
    stored = child.objects["key"]
    for end in range(len(stored)):
        child.objects["key"] = stored[:end]
        await refuses(store)
    for more in (b"\0", stored, stored[HEADER:], bytes(TAG), bytes(SEALED)):
        child.objects["key"] = stored + more
        await refuses(store)


def segments(stored: bytes) -> tuple[bytes, list[bytes]]:
    body = stored[HEADER:]
    return stored[:HEADER], [body[start : start + SEALED] for start in range(0, len(body), SEALED)]


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the last is missing": lambda parts: parts[:-1],
    "the first is missing": lambda parts: parts[1:],
    "two are exchanged": lambda parts: [parts[1], parts[0], *parts[2:]],
    "one stands twice": lambda parts: [parts[0], *parts],
    "the last stands twice": lambda parts: [*parts, parts[-1]],
    "one is another's": lambda parts: [parts[0], parts[0], *parts[2:]],
    "an empty one is added": lambda parts: [*parts, bytes(TAG)],
}


@pytest.mark.parametrize("change", CHANGES)
async def test_segments_stay_where_they_are(change: str) -> None:
    """No byte that is not the original's is ever given out, and the end is never taken for it."""
    data = content(3 * SEGMENT)
    child, store = await sealed(data)
    header, parts = segments(child.objects["key"])
    child.objects["key"] = header + b"".join(CHANGES[change](parts))
    with pytest.raises(IntegrityError):
        await store.get("key")
    given_out = b""
    with pytest.raises(IntegrityError):
        async for piece in store.stream("key"):
            given_out += piece
    assert data.startswith(given_out)
    for start, end in ((-1, None), (0, 10**9), (10**8, 10**9)):
        try:  # the segments of a part alone may be untouched
            found = await store.get_range("key", start, end)
        except IntegrityError:
            continue
        assert found == data[start:end]


async def test_objects_stay_under_their_keys() -> None:
    child, store = await sealed(b"one")
    await store.put("other", b"two")
    child.objects["key"], child.objects["other"] = child.objects["other"], child.objects["key"]
    await refuses(store, "key")
    await refuses(store, "other")


async def test_headers_and_bodies_stay_together() -> None:
    child, store = await sealed(b"one")
    first = child.objects["key"]
    await store.put("key", b"two")
    child.objects["key"] = first[:HEADER] + child.objects["key"][HEADER:]
    await refuses(store)


async def test_what_was_never_encrypted() -> None:
    child = AsyncDictStore({"plain": b"x" * 500, "short": b"x", "empty": b""})
    store = AsyncEncryptingStore(child, KEY)
    for key in child.objects:
        await refuses(store, key)
    assert (await store.head("short")).size is None


# -- keys ---------------------------------------------------------------------------------------


async def test_keys_are_replaced() -> None:
    child, store = await sealed(b"old")
    with pytest.raises(DecodeError, match="a key not given"):
        await AsyncEncryptingStore(child, OTHER).get("key")
    both = AsyncEncryptingStore(child, [OTHER, KEY])
    assert await both.get("key") == b"old"
    assert await both.get_range("key", 1) == b"ld"
    await both.copy("key", "copied")
    assert await AsyncEncryptingStore(child, OTHER).get("copied") == b"old"
    with pytest.raises(IntegrityError):
        await store.get("copied")


def test_forms_of_a_key() -> None:
    child = DictStore()
    text = base64.b64encode(KEY).decode()
    EncryptingStore(child, KEY).put("key", b"content")
    for key in (text, Secret(text), base64.urlsafe_b64encode(KEY).decode(), bytearray(KEY)):
        assert EncryptingStore(child, key).get("key") == b"content"
    made = new_encryption_key()
    assert str(made) == "***"
    EncryptingStore(child, made).put("key", b"content")
    assert EncryptingStore(child, [KEY, made]).get("key") == b"content"


@pytest.mark.parametrize("key", [b"", b"short", "hunter2 hunter2 hunter2 hunter2", "ü" * 43, []])
def test_what_is_no_key(key: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        EncryptingStore(DictStore(), key)
    assert "hunter2" not in str(caught.value)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.kdf.hkdf", None)
    with pytest.raises(MissingExtra, match=r"storage\[crypto\]"):
        EncryptingStore(DictStore(), KEY)


def test_keys_are_not_shown() -> None:
    store = EncryptingStore(FilesystemStore("somewhere"), KEY)
    text = base64.b64encode(KEY).decode()
    shown = f"{store!r} {vars(store)} {vars(store._async)} {vars(store._async._ring)}"
    assert text not in shown
    assert repr(KEY) not in shown
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            attempt(store)


# -- the store around ---------------------------------------------------------------------------


async def test_the_format_is_what_the_docstring_says() -> None:
    """Opened without the package's own code."""
    child, _ = await sealed(b"content", "näme")
    stored = child.objects["näme"]
    header, body = stored[:HEADER], stored[HEADER:]
    info = b"storage sealing 1: object" + header + "näme".encode()
    subkey = HKDF(SHA256(), 32, header[-32:], info).derive(KEY)
    assert AESGCM(subkey).decrypt(bytes(11) + b"\1", body, None) == b"content"


async def test_a_part_is_read_alone() -> None:
    child = AsyncDictStore()
    await AsyncEncryptingStore(child, KEY).put("key", bytes(40 * SEGMENT))
    seen: list[Any] = []

    class Watched(AsyncIdentityStore):
        def _open(self, key: str, options: ReadOptions) -> Any:
            seen.append(options.byte_range)
            return super()._open(key, options)

    store = AsyncEncryptingStore(Watched(child), KEY)
    assert await store.get_range("key", 10 * SEGMENT - 1, 10 * SEGMENT + 1) == bytes(2)
    (part,) = seen
    assert part.end - part.start == 2 * SEALED


async def test_a_part_of_an_object_that_is_replaced_meanwhile() -> None:
    child = AsyncDictStore()
    store = AsyncEncryptingStore(child, KEY)

    class Busy(AsyncIdentityStore):
        turns = 2

        async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
            found = await super()._get(key, options)
            if self.turns:
                self.turns -= 1
                await store.put("key", b"new content %d" % self.turns)
            return found

    await store.put("key", b"old content")
    busy = AsyncEncryptingStore(Busy(child), KEY)
    assert await busy.get_range("key", 4) == b"content 0"
    pinned = (await store.head("key")).etag
    Busy.turns = 100
    with pytest.raises(PreconditionFailed):
        await AsyncEncryptingStore(Busy(child), KEY).get_range("key", 4, if_match=pinned)
    with pytest.raises(PreconditionFailed):
        await AsyncEncryptingStore(Busy(child), KEY).get_range("key", 4)


async def test_over_somebody_elses_store() -> None:
    store = AsyncEncryptingStore(ForeignStore(), KEY)
    await store.put("key", b"0123456789")
    await store.move("key", "moved")
    assert await store.get("moved") == b"0123456789"
    assert await store.get_range("moved", -3) == b"789"
    assert await store.get_ranges("moved", [(2, 4), (-1, None)]) == [b"23", b"9"]
    assert store.capabilities == Capability.NONE
