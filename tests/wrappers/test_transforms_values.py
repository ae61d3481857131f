"""Stores of values that are not bytes: text, JSON, files, and what users make of them."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.errors import ConfigError, NotSupported, ObjectExists, ObjectNotFound
from storage._core.info import Capability
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import (
    AsyncBufferStore,
    AsyncGzipStore,
    AsyncIdentityStore,
    AsyncJsonStore,
    AsyncLoggingStore,
    AsyncNotifyingStore,
    AsyncPrefixStore,
    AsyncRetryStore,
    AsyncSingleflightStore,
    AsyncTextEncodingStore,
    AsyncTimeoutStore,
    AsyncTransformingStore,
    async_copy_store,
    async_sync_stores,
    async_verify_stores,
)
from storage.object import AsyncDictStore, BaseStore, DictStore
from storage.utils import (
    BufferStore,
    BufferTransformer,
    DataTransformer,
    DecodeError,
    GzipStore,
    GzipTransformer,
    IdentityStore,
    JsonStore,
    JsonTransformer,
    TextEncodingStore,
    TextEncodingTransformer,
    TransformingStore,
)
from tests.stores import BlockingStore, ForeignStore

TEXT = "Grüße, 世界 \U0001f600"


class Anything:
    """Somebody's blocking store that keeps whatever it is given."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.get = self.objects.__getitem__
        self.put = self.objects.__setitem__
        self.exists = self.objects.__contains__
        self.delete = self.objects.__delitem__
        self.keys = self.objects.keys


class Shouting(DataTransformer):
    """A user's own."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def transform(self, data: Any) -> Any:
        self.threads.add(threading.get_ident())
        return data.upper()

    def reverse_transform(self, data: Any) -> Any:
        self.threads.add(threading.get_ident())
        return data.lower()


# -- transformers -------------------------------------------------------------------------------


def test_transformers() -> None:
    assert DataTransformer().reverse_transform(DataTransformer().transform(5)) == 5
    assert TextEncodingTransformer("utf-16").transform("a") == "a".encode("utf-16")
    assert BufferTransformer().transform(io.BytesIO(b"a")) == b"a"
    assert BufferTransformer().reverse_transform(b"a").read() == b"a"
    assert json.loads(JsonTransformer().transform({"a": [1, None]})) == {"a": [1, None]}
    for transformer, garbage in (
        (TextEncodingTransformer(), b"\xff"),
        (TextEncodingTransformer(), "ü".encode()[:1]),
        (JsonTransformer(), b"{"),
        (JsonTransformer(), b"[" * 100_000),
    ):
        with pytest.raises(ValueError, match="content is no") as caught:
            transformer.reverse_transform(garbage)
        assert isinstance(caught.value, DecodeError)


@pytest.mark.parametrize("encoding", ["no-such", "base64", "rot13"])
def test_encodings_that_are_none(encoding: str) -> None:
    with pytest.raises(ConfigError, match="encoding"):
        TextEncodingStore(DictStore(), encoding)


# -- users' own ---------------------------------------------------------------------------------


async def test_a_users_transformer() -> None:
    child = AsyncDictStore()
    transformer = Shouting()
    store = AsyncTransformingStore(child, transformer)
    await store.put("key", b"hello")
    assert child.objects["key"] == b"HELLO"
    assert await store.get("key") == b"hello"
    assert store.transformer is transformer
    assert transformer.threads == {threading.get_ident()}


async def test_a_slow_transformer_leaves_the_loop() -> None:
    transformer = Shouting()
    store = AsyncTransformingStore(AsyncDictStore(), transformer, False)
    await store.put("key", b"hello")
    assert await store.get("key") == b"hello"
    assert threading.get_ident() not in transformer.threads


def test_a_blocking_caller_has_it_in_place() -> None:
    transformer = Shouting()
    store = TransformingStore(DictStore(), transformer, False)
    store.put("key", b"hello")
    assert store.get("key") == b"hello"
    assert transformer.threads == {threading.get_ident()}


def test_without_a_transformer() -> None:
    store = TransformingStore(DictStore())
    store.put("key", b"hello")
    assert store.get("key") == b"hello"


async def test_its_errors_are_its_own() -> None:
    class Failing(DataTransformer):
        def reverse_transform(self, data: Any) -> Any:
            raise ZeroDivisionError

    store = AsyncTransformingStore(AsyncDictStore({"key": b""}), Failing())
    with pytest.raises(ZeroDivisionError):
        await store.get("key")


async def test_what_it_makes_may_be_a_stream() -> None:
    class Lines(DataTransformer):
        def transform(self, data: Any) -> Any:
            return (line.encode() for line in data)

    child = AsyncDictStore()
    await AsyncTransformingStore(child, Lines()).put("key", ["a\n", "b\n"])
    assert child.objects["key"] == b"a\nb\n"


async def test_parts_and_streams_are_refused() -> None:
    store = AsyncTransformingStore(AsyncDictStore({"key": b"content"}), Shouting())
    for around in (store, AsyncIdentityStore(store)):
        attempts: list[Awaitable[Any]] = [
            around.get_range("key", 1),
            around.get_ranges("key", [(0, 1)]),
            around.open_reader("key").__aenter__(),
            around.open_writer("key").__aenter__(),
            anext(around.stream("key")),
            around.presigned_put("key"),
        ]
        for attempt in attempts:
            with pytest.raises(NotSupported):
                await attempt
    assert not store.capabilities & (Capability.STREAMS | Capability.RANGES)
    assert Capability.IF_MATCH in store.capabilities


async def test_conditions_and_attributes_go_through() -> None:
    store = AsyncTransformingStore(AsyncDictStore(), Shouting())
    info = await store.put("key", b"a", content_type="text/plain", metadata={"a": "b"})
    with pytest.raises(ObjectExists):
        await store.put("key", b"a", if_absent=True)
    await store.put("key", b"b", if_match=info.etag, metadata={"a": "c"})
    value, info = await store.get_with_info("key")
    assert (value, info.size, info.metadata) == (b"b", None, {"a": "c"})
    with pytest.raises(ObjectNotFound):
        await store.get("missing")


async def test_a_value_that_is_read_once_is_not_put_twice() -> None:
    """Whoever tries a put again must not store the nothing that is left of a file."""
    child = AsyncDictStore()
    store = AsyncTransformingStore(child, BufferTransformer())
    value = store._as_value(io.BytesIO(b"content"))
    await store._write("key", value, store._writing("put", "key", False, None, None, None))
    with pytest.raises(NotSupported, match="anew"):
        await store._write("key", value, store._writing("put", "key", False, None, None, None))
    assert child.objects == {"key": b"content"}


# -- text ---------------------------------------------------------------------------------------


def test_text() -> None:
    child = DictStore()
    store = TextEncodingStore(child)
    store.put("key", TEXT)
    assert store.get("key") == TEXT
    assert child.get("key") == TEXT.encode()
    store.put("key", "")
    assert store.get("key") == ""
    many: list[Any] = list(store.get_many(["key"]))
    assert many == [("key", "")]
    for wrong in (b"bytes", iter([b"bytes"]), io.BytesIO(b"bytes"), 5, None):
        with pytest.raises(TypeError):
            store.put("key", wrong)
    with pytest.raises(ValueError, match="surrogates"):
        store.put("key", "\ud800")
    assert store.get("key") == ""
    for verb in (store.open_reader, store.open_writer):
        with pytest.raises(NotSupported):
            verb("key")


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=200),
    cut=st.integers(1, 7),
    size=st.integers(1, 7),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-7", "gb18030"]),
)
def test_text_in_pieces(text: str, cut: int, size: int, encoding: str) -> None:
    """A character may be torn apart by the pieces of either side."""

    async def run() -> None:
        child = AsyncDictStore()
        store = AsyncTextEncodingStore(AsyncInPieces(child, size), encoding)
        await store.put("key", (text[start : start + cut] for start in range(0, len(text), cut)))
        assert child.objects["key"].decode(encoding) == text
        assert "".join([piece async for piece in store.stream("key")]) == text
        assert await store.get("key") == text

    asyncio.run(run())


class AsyncInPieces(AsyncIdentityStore):
    """Gives objects in pieces of a size."""

    def __init__(self, store: Any, size: int) -> None:
        super().__init__(store)
        self._size = size

    def _open(self, key: str, options: Any) -> Any:
        from contextlib import asynccontextmanager

        from storage._async.pieces import Body

        @asynccontextmanager
        async def opened() -> AsyncIterator[Body]:
            data, info = await self._child._read(key, options)

            async def pieces() -> AsyncIterator[bytes]:
                for start in range(0, len(data), self._size):
                    yield data[start : start + self._size]

            yield Body(info, pieces())

        return opened()


async def test_text_that_is_cut_off() -> None:
    store = AsyncTextEncodingStore(AsyncDictStore({"key": TEXT.encode()[:-1]}))
    with pytest.raises(DecodeError, match="'key'"):
        await store.get("key")
    with pytest.raises(DecodeError):
        [piece async for piece in store.stream("key")]


async def test_long_text_is_stored_in_batches(tmp_path: Any) -> None:
    store = AsyncTextEncodingStore(AsyncGzipStore(AsyncFilesystemStore(tmp_path)))
    await store.put("key", ("ü" for _ in range(200_000)))
    assert await store.get("key") == "ü" * 200_000
    await store.put("key", io.StringIO("ß" * 5))
    assert await store.get("key") == "ß" * 5


# -- JSON ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(value=JSON)
def test_json(value: Any) -> None:
    child = DictStore()
    for store in (JsonStore(child), JsonStore(TextEncodingStore(child))):
        store.put("key", value)
        assert store.get("key") == value
        assert json.loads(child.get("key").decode()) == value


def test_json_over_what_takes_text_and_what_does_not() -> None:
    anything: Any = Anything()
    picky: Any = BlockingStore()
    for child, kept in ((anything, "null"), (picky, b"null")):
        store = JsonStore(child)
        store.put("key", None)
        assert store.get("key") is None
        assert child.objects["key"] == kept


async def test_json_over_wrappers_and_others() -> None:
    for child in (
        AsyncGzipStore(ForeignStore()),
        AsyncIdentityStore(AsyncTextEncodingStore(ForeignStore(), "utf-16")),
        AsyncTransformingStore(AsyncDictStore(), GzipTransformer()),
        AsyncTransformingStore(AsyncDictStore(), TextEncodingTransformer()),
    ):
        store = AsyncJsonStore(child)
        await store.put("key", {"ü": [1, 2.5, None, "x" * 10_000]})
        assert await store.get("key") == {"ü": [1, 2.5, None, "x" * 10_000]}


async def test_json_asks_before_it_puts() -> None:
    """A wrapper that tells of failures has none to tell of."""
    heard: list[Any] = []

    class Hearing(AsyncIdentityStore):
        async def _put(self, key: str, data: Any, options: Any) -> Any:
            heard.append(data)
            return await super()._put(key, data, options)

    store = AsyncJsonStore(Hearing(AsyncDictStore()))
    await store.put("key", [1])
    await AsyncJsonStore(Hearing(AsyncTextEncodingStore(AsyncDictStore()))).put("key", [1])
    assert heard == [b"[1]", "[1]"]


async def test_what_json_cannot_say() -> None:
    store = AsyncJsonStore(AsyncDictStore({"key": b"{"}))
    with pytest.raises(TypeError, match="serializable"):
        await store.put("new", {1, 2})
    assert not await store.exists("new")
    with pytest.raises(DecodeError, match="no JSON"):
        await store.get("key")


# -- files --------------------------------------------------------------------------------------


def test_buffers() -> None:
    child = DictStore()
    store = BufferStore(child)
    source = io.BytesIO(b"0123456789")
    source.seek(2)
    store.put("key", source)
    assert child.get("key") == b"23456789"
    found = store.get("key")
    assert isinstance(found, io.BytesIO)
    assert (found.tell(), found.read()) == (0, b"23456789")
    part: Any = store.get_range("key", 2, 4)
    assert part.read() == b"45"
    assert b"".join(store.stream("key")) == b"23456789"
    with store.open_reader("key") as reader:
        assert reader.read() == b"23456789"


# -- transfers ----------------------------------------------------------------------------------


async def test_values_are_copied_between_stores() -> None:
    """Whole values as they are, text as a stream; compared like bytes."""
    for kind, values in (
        (AsyncJsonStore, {"a": 5, "b": None, "c": {"d": [1]}}),
        (AsyncTextEncodingStore, {"a": "", "b": TEXT * 1_000}),
    ):
        source, target = kind(AsyncDictStore()), kind(AsyncDictStore())
        for key, value in values.items():
            await source.put(key, value)
        await async_copy_store(source, target)
        assert {key: await target.get(key) async for key in target.keys()} == values
        assert (await async_verify_stores(source, target)).same
        await target.put("a", "other")
        report = await async_sync_stores(source, target)
        assert (report.copied, await target.get("a")) == (1, values["a"])


async def test_what_tells_no_length_is_copied_as_a_stream() -> None:
    child = AsyncDictStore()
    source = AsyncGzipStore(child)
    await source.put("key", bytes(5_000_000))
    source._get = None  # type: ignore[assignment,method-assign]  # nobody reads it whole
    target = AsyncGzipStore(AsyncDictStore())
    await async_copy_store(source, target)
    assert len(await target.get("key")) == 5_000_000


# -- other ways to run --------------------------------------------------------------------------


def test_on_the_background_loop() -> None:
    """Blocking, over a child that waits."""

    class Waiting(AsyncDictStore):
        inline = False

        async def _get(self, key: str, options: Any) -> Any:
            await asyncio.sleep(0)
            return await super()._get(key, options)

    child = BaseStore.around(Waiting())
    text = TextEncodingStore(GzipStore(child))
    text.put("key", (TEXT for _ in range(10_000)))
    assert text.get("key") == TEXT * 10_000
    assert "".join(text.stream("key")) == TEXT * 10_000
    store = JsonStore(text)
    store.put("key", {"a": [None]})
    assert store.get("key") == {"a": [None]}


def test_a_users_subclass() -> None:
    class Stripped(TextEncodingStore):
        def put(self, key: str, data: Any, **options: Any) -> Any:
            return super().put(key, data.strip(), **options)

    stores: list[Any] = [Stripped(DictStore()), IdentityStore(Stripped(DictStore()))]
    for store in stores:
        store.put("key", " text ")
        assert store.get("key") == "text"


# -- wrappers around them -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        AsyncLoggingStore,
        AsyncNotifyingStore,
        AsyncRetryStore,
        AsyncSingleflightStore,
        partial(AsyncTimeoutStore, seconds=30),
        partial(AsyncPrefixStore, prefix="p/"),
    ],
)
async def test_values_pass_through_all_kinds(wrap: Any) -> None:
    text, values, files = (
        wrap(kind(AsyncDictStore()))
        for kind in (AsyncTextEncodingStore, AsyncJsonStore, AsyncBufferStore)
    )
    await text.put("key", TEXT)
    assert await text.get("key") == TEXT
    await text.put("key", iter(TEXT))
    assert "".join([piece async for piece in text.stream("key")]) == TEXT
    for value in (None, {"a": [1, "b"]}):
        await values.put("key", value)
        assert await values.get("key") == value
    for file in (io.BytesIO(b"content"), io.BufferedReader(io.BytesIO(b"content"))):
        await files.put("key", file)
        assert (await files.get("key")).read() == b"content"


async def test_values_pass_through_wrappers() -> None:
    text: Any = AsyncIdentityStore(AsyncIdentityStore(AsyncTextEncodingStore(AsyncDictStore())))
    await text.put("key", TEXT)
    assert await text.get("key") == TEXT
    await text.put("key", iter(TEXT))
    assert "".join([piece async for piece in text.stream("key")]) == TEXT
    with pytest.raises(TypeError, match="made of str"):
        await text.put("key", iter([b"bytes"]))
    assert await text.get("key") == TEXT
    await text.copy("key", "other")
    assert [pair async for pair in text.get_many(["other"])] == [("other", TEXT)]
    values: Any = AsyncIdentityStore(AsyncJsonStore(AsyncDictStore()))
    for value in (None, [1], {"a": "b"}, "text", 5):
        await values.put("key", value)
        assert await values.get("key") == value
    files: Any = AsyncIdentityStore(AsyncBufferStore(AsyncDictStore()))
    await files.put("key", io.BytesIO(b"content"))
    assert (await files.get("key")).read() == b"content"
