"""Stores of text, and of file objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, cast

from ..._core.codecs.text import TextDecoder, TextEncoder, TextPiece
from ..._core.info import ByteRange, Capability, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..._core.transformers import TextEncodingTransformer
from ..._core.values import STREAM, as_buffer
from ..pieces import Body, Sink
from ..streams import AsyncReader, AsyncWriter
from .content import BATCH, work
from .identity import AsyncIdentityStore
from .transforming import AsyncTransformingStore


class AsyncTextEncodingStore(AsyncTransformingStore):
    """Keeps text as bytes: `get` gives a ``str``, `put` takes one or a stream of them.

    `stream` gives text in pieces; a character is never torn apart, whatever the pieces of the
    child. There are no files of text and no parts.

    Args:
        store: A store of ours, or any object with the five async verbs.
        encoding: Any that Python knows.
        timeout: Seconds that one operation may take.

    Raises:
        ConfigError: There is no such encoding.
    """

    def __init__(
        self, store: AsyncObjectStore, encoding: str = "utf-8", *, timeout: float | None = None
    ) -> None:
        super().__init__(store, TextEncodingTransformer(encoding), False, timeout=timeout)
        self._encoding = encoding

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself; there are no parts of a text."""
        return self._child.capabilities & ~Capability.RANGES

    async def stream(  # type: ignore[override]
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> AsyncIterator[TextPiece]:
        """The text in pieces. Raises `NotSupported` where only a part is asked for."""
        async for piece in super().stream(
            key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
        ):
            yield piece  # type: ignore[misc]

    def open_reader(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> AsyncReader:
        """Raises `NotSupported`: a file has bytes. See `stream`."""
        raise self._refusal("open_reader", key, "stream() gives text in pieces")

    def open_writer(
        self,
        key: str,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> AsyncWriter:
        """Raises `NotSupported`: a file has bytes. `put` takes streams of text."""
        raise self._refusal("open_writer", key, "put() takes text in pieces")

    # -- hooks --------------------------------------------------------------------------------

    def _as_value(self, data: Any) -> Any:
        if isinstance(data, str):
            return data
        if as_buffer(data) is not None:
            raise TypeError("a value of this store is a str, not bytes: decode it first")
        return STREAM

    def _as_piece(self, piece: Any) -> Any:
        if isinstance(piece, str):
            return piece
        raise TypeError(f"a stream of text is made of str, not of {type(piece).__name__}")

    async def _transform(self, data: Any) -> Any:
        return await work(len(data), self._transformer.transform, data)

    async def _reverse(self, data: Any) -> Any:
        return await work(len(data), self._transformer.reverse_transform, data)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        if options.byte_range is not None:
            raise self._refusal("get", key, "a text has no parts")
        async with self._child._reader(key, options) as reader:
            yield Body(self._told(reader.info), self._decoded(reader))  # type: ignore[arg-type]

    async def _decoded(self, reader: AsyncReader) -> AsyncGenerator[str, None]:
        decoder = TextDecoder(self._encoding)
        async for chunk in reader:
            if piece := await work(len(chunk), decoder.feed, chunk):
                yield piece
        if piece := decoder.finish():
            yield piece

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._child._writer(key, options) as writer:
            sink = _TextSink(writer, TextEncoder(self._encoding))
            yield cast("Sink", sink)
            await sink.finish()
        sink.info = self._told(writer.info)


class _TextSink:
    """Encodes the pieces of a text, in batches, and hands them to a writer."""

    def __init__(self, writer: AsyncWriter, encoder: TextEncoder) -> None:
        self.info: ObjectInfo | None = None
        self._writer = writer
        self._encoder = encoder
        self._waiting: list[str] = []
        self._length = 0

    async def write(self, text: str) -> None:
        """Take the next piece."""
        self._waiting.append(text)
        self._length += len(text)
        if self._length >= BATCH:
            await self._encode()

    async def _encode(self) -> None:
        batch = "".join(self._waiting)
        self._waiting, self._length = [], 0
        if stored := await work(len(batch), self._encoder.feed, batch):
            await self._writer.write(stored)

    async def finish(self) -> None:
        """Write all that is still held back."""
        await self._encode()
        if stored := self._encoder.finish():
            await self._writer.write(stored)


class AsyncBufferStore(AsyncIdentityStore):
    """Takes file objects, as streams, and gives each object as an `io.BytesIO` at its start.

    It is best the outermost: a cache around it would give out bytes.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The object as an `io.BytesIO`; arguments and errors are those of every store."""
        return await super().get(key, if_match=if_match, if_none_match=if_none_match)

    def _as_value(self, data: Any) -> Any:
        if isinstance(data, BytesIO):  # left as it is, so that it may be put again
            data = data.getvalue()[data.tell() :]
        return super()._as_value(data)

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        data, info = await super()._get(key, options)
        return BytesIO(data), info

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[Any]:
        return [BytesIO(data) for data in await super()._get_ranges(key, parts, if_match)]
