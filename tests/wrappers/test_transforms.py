"""Stores that keep bytes in another form: streams, parts, damage, bombs."""

from __future__ import annotations

import asyncio
import base64
import gzip
import math
import random
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.codecs.coding import WHOLE, Decoder, Encoder, Limits
from storage._core.errors import ConfigError, IntegrityError, MissingExtra, NotSupported
from storage._core.info import Capability
from storage._core.transformers import CodecTransformer
from storage.aioutils import AsyncBase64Store, AsyncGzipStore, AsyncZstdStore
from storage.object import AsyncDictStore, DictStore
from storage.utils import (
    Base64Transformer,
    DecodeError,
    DecompressionLimit,
    GzipStore,
    GzipTransformer,
    ZstdTransformer,
)
from tests.stores import ForeignStore

MIB = 1024 * 1024
COMPRESSING: dict[Any, CodecTransformer] = {AsyncGzipStore: GzipTransformer()}
try:
    COMPRESSING[AsyncZstdStore] = ZstdTransformer()
except MissingExtra:
    pass
FORMS = {**COMPRESSING, AsyncBase64Store: Base64Transformer()}


def name_of(transformer: object) -> str:
    return type(transformer).__name__


each_store = pytest.mark.parametrize("kind", FORMS)
each_transformer = pytest.mark.parametrize("transformer", FORMS.values(), ids=name_of)
compressing_stores = pytest.mark.parametrize("kind", COMPRESSING)
compressing_transformers = pytest.mark.parametrize("transformer", COMPRESSING.values(), ids=name_of)


def pieces_of(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data, cut into pieces of these sizes, over and over."""
    position, turn = 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        yield data[position : position + size]
        position, turn = position + size, turn + 1


def through(coder: Encoder, pieces: Iterator[bytes]) -> bytes:
    return b"".join([*(coder.feed(piece) for piece in pieces), coder.finish()])


def back(decoder: Decoder, pieces: Iterator[bytes]) -> bytes:
    found = []
    for piece in pieces:
        found.append(decoder.feed(piece))
        while not decoder.hungry:
            found.append(decoder.feed(b""))
    return b"".join([*found, decoder.finish()])


@each_transformer
@settings(max_examples=40, deadline=None)
@given(
    data=st.binary(max_size=3_000) | st.binary(max_size=20).map(lambda some: some * 40_000),
    cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=4),
    other=st.lists(st.integers(1, 5_000), min_size=1, max_size=4),
)
def test_any_pieces(
    transformer: CodecTransformer, data: bytes, cuts: list[int], other: list[int]
) -> None:
    stored = through(transformer.encoder(), pieces_of(data, cuts))
    assert back(transformer.decoder(), pieces_of(stored, other)) == data
    assert transformer.reverse_transform(transformer.transform(data)) == data


@each_transformer
def test_every_truncation_is_noticed(transformer: CodecTransformer) -> None:
    stored = transformer.transform(bytes(range(200)))
    for end in range(len(stored)):
        if isinstance(transformer, Base64Transformer) and end % 4 == 0:
            continue  # shorter, and whole: nothing tells
        with pytest.raises(DecodeError):
            transformer.reverse_transform(stored[:end])


@each_transformer
def test_what_follows_the_end_is_noticed(transformer: CodecTransformer) -> None:
    stored = transformer.transform(b"content!")
    for more in (b"x", b"garbage that is longer", b"\0" * 600, b"=" * 8):
        with pytest.raises(DecodeError):
            transformer.reverse_transform(stored + more)
        with pytest.raises(DecodeError):  # also where a piece ends with the content
            back(transformer.decoder(), iter([stored, more]))


@compressing_transformers
def test_every_flipped_byte_is_noticed(transformer: CodecTransformer) -> None:
    data = b"some content that is compressed, some content that is compressed"
    stored = transformer.transform(data)
    for place in range(len(stored)):
        damaged = bytearray(stored)
        damaged[place] ^= 0xFF
        try:
            assert transformer.reverse_transform(damaged) == data  # a byte without a meaning
        except DecodeError:
            continue


def test_foreign_gzip_and_base64() -> None:
    """What other writers do: several members, names and times, lines."""
    members = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two")
    assert GzipTransformer().reverse_transform(members) == b"one two"
    assert back(GzipTransformer().decoder(), pieces_of(members, [1])) == b"one two"
    many = gzip.compress(b"x") * 5_000
    assert GzipTransformer().reverse_transform(many) == b"x" * 5_000
    lines = base64.encodebytes(bytes(range(256)))
    assert Base64Transformer().reverse_transform(lines) == bytes(range(256))
    assert gzip.decompress(GzipTransformer(9).transform(b"content")) == b"content"


def test_foreign_zstd() -> None:
    if AsyncZstdStore not in COMPRESSING:
        pytest.skip("the package for zstd is not installed")
    frames = ZstdTransformer().transform(b"one ") + ZstdTransformer(19).transform(b"two")
    assert back(ZstdTransformer().decoder(), pieces_of(frames, [1])) == b"one two"


def test_equal_content_is_stored_equal() -> None:
    for transformer in FORMS.values():
        assert transformer.transform(b"content") == transformer.transform(b"content")


@each_store
async def test_streams_stay_streams(kind: Callable[..., Any]) -> None:
    """In many pieces and with all that files can do; the conformance kit measures the memory."""
    child = AsyncDictStore()
    store = kind(child)
    written = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal written
        for number in range(64):
            yield number.to_bytes(1) * 65_536
            written += 1

    info = await store.put("key", source())
    assert info.size == 64 * 65_536
    async with store.open_reader("key") as reader:
        assert await reader.read(10) == b"\0" * 10
        await reader.seek(65_530)
        assert await reader.read(10) == b"\0" * 6 + b"\1" * 4
    assert written == 64
    sizes = [len(piece) async for piece in store.stream("key")]
    assert sum(sizes) == 64 * 65_536
    assert kind is AsyncBase64Store or max(sizes) <= MIB


@each_store
async def test_what_is_told(kind: Callable[..., Any]) -> None:
    child = AsyncDictStore()
    store = kind(child)
    info = await store.put("key", b"content" * 100, content_type="text/plain")
    assert (info.size, info.content_type) == (700, "text/plain")
    stored = await child.head("key")
    told = [await store.head("key"), *[each async for each in store.list()]]
    told += (await store.list_with_delimiter()).objects
    for each in told:
        assert (each.size, each.checksum, each.etag) == (None, None, stored.etag)
    assert (await store.get_with_info("key"))[1].size == 700
    assert store.capabilities == child.capabilities & ~Capability.RANGES


@each_store
async def test_copies_are_of_the_stored_bytes(kind: Callable[..., Any]) -> None:
    """They need not even be readable."""
    child = AsyncDictStore({"a": b"of no such form"})
    store = kind(child)
    assert (await store.copy("a", "b")).size is None
    assert (await store.move("b", "c")).size is None
    assert child.objects == {"a": b"of no such form", "c": b"of no such form"}


@each_store
async def test_urls_are_refused(kind: Callable[..., Any]) -> None:
    with pytest.raises(NotSupported, match="as they are kept"):
        await kind(AsyncDictStore()).presigned_get("key")


@each_store
async def test_over_somebody_elses_store(kind: Callable[..., Any]) -> None:
    store = kind(ForeignStore())
    await store.put("key", iter([b"one", b"two"]))
    assert await store.get("key") == b"onetwo"
    assert await store.get_range("key", -4) == b"etwo"


@compressing_stores
async def test_a_part_is_read_no_further_than_needed(kind: Callable[..., Any]) -> None:
    child = AsyncDictStore()
    store = kind(child)
    await store.put("key", bytes(range(250)) * 40_000)
    child.objects["key"] = child.objects["key"][:-20]
    assert await store.get_range("key", 5, 10) == bytes(range(5, 10))
    assert list(await store.get_ranges("key", [(5, 10), (0, 2)])) == [bytes(range(5, 10)), b"\0\1"]
    for read in (store.get("key"), store.get_range("key", -1), store.get_range("key", 10**6)):
        with pytest.raises(IntegrityError, match="'key'"):
            await read
    with pytest.raises(IntegrityError):
        [piece async for piece in store.stream("key")]


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("backports", "compression"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"storage\[zstd\]"):
        AsyncZstdStore(AsyncDictStore())


async def test_a_seek_from_an_end_that_nobody_knows() -> None:
    objects = {"a": gzip.compress(b"some content")}
    async with AsyncGzipStore(AsyncDictStore(objects)).open_reader("a") as reader:
        with pytest.raises(NotSupported, match="size"):
            await reader.seek(-1, 2)
    with GzipStore(DictStore(objects)).open_reader("a") as file:
        with pytest.raises(NotSupported, match="size"):
            file.seek(-1, 2)
        assert file.read() == b"some content"


# -- bombs ------------------------------------------------------------------------------------


@cache
def bomb(transformer: CodecTransformer) -> bytes:
    """200 MiB of zeros."""
    return through(transformer.encoder(), iter([bytes(MIB)] * 200))


@compressing_stores
@pytest.mark.parametrize("limit", [{"max_size": 3 * MIB}, {"max_ratio": 50}])
async def test_a_bomb_stops_at_its_limit(kind: Callable[..., Any], limit: dict[str, Any]) -> None:
    child = AsyncDictStore()
    store = kind(child, **limit)
    transformer = COMPRESSING[kind]
    child.objects["bomb"] = bomb(transformer)
    for read in (store.get("bomb"), store.get_range("bomb", -5), given_out(store)):
        tracemalloc.start(1)
        try:
            with pytest.raises(DecompressionLimit):
                await read
            assert tracemalloc.get_traced_memory()[1] < 24 * MIB
        finally:
            tracemalloc.stop()


async def given_out(store: Any) -> None:
    given = 0
    async for piece in store.stream("bomb"):
        given += len(piece)
        assert given <= 16 * MIB


async def test_limits_let_through_what_they_allow() -> None:
    store = AsyncGzipStore(AsyncDictStore(), max_size=MIB, max_ratio=20)
    await store.put("just", bytes(MIB))
    assert len(await store.get("just")) == MIB  # the ratio is not about so little
    await store.put("more", bytes(MIB + 1))
    with pytest.raises(DecompressionLimit, match="max_size"):
        await store.get("more")
    assert await store.get_range("more", 0, 5) == bytes(5)


@compressing_stores
async def test_whole_values_are_limited_unless_one_says_otherwise(
    kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Limits(max_ratio=100, free=1024 * MIB) == WHOLE
    monkeypatch.setattr("storage._core.transformers.WHOLE", replace(WHOLE, free=2 * MIB))
    transformer, child = COMPRESSING[kind], AsyncDictStore()
    child.objects["bomb"] = transformer.transform(bytes(9 * MIB))
    child.objects["free"] = transformer.transform(bytes(2 * MIB))
    child.objects["honest"] = transformer.transform(random.Random(1).randbytes(3 * MIB))
    store = kind(child)
    assert len(await store.get("free")) == 2 * MIB
    assert len(await store.get("honest")) == 3 * MIB
    for read in (store.get, store.get_with_info):
        with pytest.raises(DecompressionLimit, match=r"max_ratio=100 .*stream"):
            await read("bomb")
    with pytest.raises(DecompressionLimit):
        transformer.reverse_transform(child.objects["bomb"])
    assert await store.get_range("bomb", 5 * MIB, 5 * MIB + 1) == b"\0"
    async with store.open_reader("bomb") as reader:
        assert len(await reader.read()) == 9 * MIB
    for own in ({"max_ratio": math.inf}, {"max_size": 9 * MIB}):
        assert len(await kind(child, **own).get("bomb")) == 9 * MIB


@pytest.mark.parametrize(
    "arguments", [{"level": 10}, {"level": -1}, {"max_size": -1}, {"max_ratio": 0.5}]
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        GzipStore(DictStore(), **arguments)


# -- where the work is done ---------------------------------------------------------------------


async def test_the_loop_is_free_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    store = AsyncGzipStore(AsyncDictStore())

    class Watched(GzipTransformer):
        def encoder(self) -> Encoder:
            encoder = super().encoder()
            feed = encoder.feed

            def watched(data: Any) -> bytes:
                threads.add(threading.get_ident())
                return feed(data)

            encoder.feed = watched  # type: ignore[method-assign]
            return encoder

    monkeypatch.setattr(store, "_transformer", Watched())
    await store.put("large", bytes(MIB))
    await store.put("large", iter([bytes(100)] * 10_000))
    assert threading.get_ident() not in threads
    threads.clear()
    await store.put("small", b"small")
    assert threads == {threading.get_ident()}


async def test_a_put_that_is_cancelled_leaves_the_old_object() -> None:
    store = AsyncGzipStore(AsyncDictStore())
    await store.put("key", b"old")
    stopped = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        stopped.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("key", source()))
    await stopped.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.get("key") == b"old"
