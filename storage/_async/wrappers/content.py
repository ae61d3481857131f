"""Stores whose objects are kept in another form than they are read in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from ..._core import calls
from ..._core.closing import closing
from ..._core.codecs.coding import Decoder, Encoder, decoded, encoded, rest
from ..._core.codecs.cutting import Cut
from ..._core.errors import NotSupported
from ..._core.info import (
    ByteRange,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ..pieces import Body, Sink
from ..streams import AsyncReader, AsyncWriter
from .identity import AsyncIdentityStore

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 4 * 1024
"""Bytes that are worked on at once: handing them to a thread would take longer."""
BATCH = 256 * 1024
"""Bytes of small pieces that are worked on together."""


async def work(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of this package that works on ``size`` bytes; off the loop if many."""
    if size <= SMALL:
        return function(*args, **kwargs)
    return await calls.call(function, *args, **kwargs)


class AsyncContentStore(AsyncIdentityStore):
    """The ground of stores that keep objects in another form: what a child tells is of that form.

    Lengths and checksums are left out where they are not known of the content itself; etags,
    times, media types and metadata are the child's. An object is copied and moved as it is kept.
    """

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself; to read a part, all before it has to be read."""
        return self._child.capabilities & ~Capability.RANGES

    def _told(self, info: ObjectInfo) -> ObjectInfo:
        """What the child tells of an object, as it is true of the content."""
        return replace(info, size=None, checksum=None)

    async def _head(self, key: str) -> ObjectInfo:
        return self._told(await super()._head(key))

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return self._told(await super()._copy(source, target, if_absent))

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return self._told(await super()._move(source, target, if_absent))

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(super()._list(prefix, start_after)) as infos:
            async for info in infos:
                yield self._told(info)

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        found = await super()._list_with_delimiter(prefix, delimiter)
        return ListResult(found.prefixes, tuple(self._told(info) for info in found.objects))

    def _presigning(self, verb: str, key: str) -> Any:
        self._check(verb, key)
        raise NotSupported(
            "a URL would be about the bytes as they are kept, not about the content",
            operation=verb,
            store=repr(self),
            key=key,
        )


class AsyncCodecStore(AsyncContentStore):
    """The ground of stores that keep bytes as other bytes; streams stay streams.

    A subclass says how, by `_encoder` and `_decoder`.
    """

    _reads_on = False
    """Whether a read of a part goes on to the object's end, because only that proves it right."""

    @abstractmethod
    def _encoder(self, key: str) -> Encoder:
        """A fresh encoder for the content of an object."""

    @abstractmethod
    def _decoder(self, key: str) -> Decoder:
        """A fresh decoder for the content of an object."""

    def _whole_decoder(self, key: str) -> Decoder:
        """A fresh decoder for content that is to be in memory as a whole."""
        return self._decoder(key)

    def _known(self, info: ObjectInfo, size: int, coder: Encoder | Decoder) -> ObjectInfo:
        """What is known of an object whose whole content went through an encoder or decoder."""
        return replace(self._told(info), size=size)

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if options.byte_range is not None:
            async with self._open(key, options) as body, closing(body.chunks) as chunks:
                return b"".join([chunk async for chunk in chunks]), body.info
        stored, info = await self._child._read(key, options)
        decoder = self._whole_decoder(key)
        data = await decode_whole(stored, decoder)
        return data, self._known(info, len(data), decoder)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._child._reader(key, replace(options, byte_range=None)) as reader:
            chunks = self._cut(key, reader, Cut(options.byte_range))
            yield Body(self._told(reader.info), chunks)

    async def _cut(self, key: str, reader: AsyncReader, cut: Cut) -> AsyncGenerator[bytes, None]:
        async with closing(decode(reader, self._decoder(key))) as pieces:
            async for piece in pieces:
                if part := cut.feed(piece):
                    yield part
                if cut.done and not self._reads_on:
                    return
        if rest := cut.finish():
            yield rest

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        """All parts in one pass over the object."""
        cuts = [(Cut(part), bytearray()) for part in parts]
        options = ReadOptions(None, if_match)
        async with self._open(key, options) as body, closing(body.chunks) as chunks:
            async for chunk in chunks:
                for cut, found in cuts:
                    found += cut.feed(chunk)
                if not self._reads_on and all(cut.done for cut, _ in cuts):
                    break
        return [bytes(found + cut.finish()) for cut, found in cuts]

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        encoder = self._encoder(key)
        stored = await work(len(data), encoded, encoder, data)
        return self._known(await self._child._write(key, stored, options), len(data), encoder)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._child._writer(key, options) as writer:
            encoder = self._encoder(key)
            sink = EncodingSink(writer, encoder)
            yield sink
            await sink.finish()
        sink.info = self._known(writer.info, sink.size, encoder)


async def decode_whole(stored: bytes, decoder: Decoder) -> bytes:
    """The content of an object, from its stored form."""
    if len(stored) > SMALL:
        return await calls.call(decoded, decoder, stored)
    first = decoder.feed(stored)
    # A few bytes may become very many.
    return first + (decoder.finish() if decoder.hungry else await calls.call(rest, decoder))


async def decode(reader: AsyncReader, decoder: Decoder) -> AsyncGenerator[bytes, None]:
    """The content of an object, from the pieces of its stored form."""
    async for chunk in reader:
        piece = await work(len(chunk), decoder.feed, chunk)
        while True:
            if piece:
                yield piece
            if decoder.hungry:
                break
            piece = await calls.call(decoder.feed, b"")
    if piece := decoder.finish():
        yield piece


class EncodingSink:
    """Encodes what it is given, in batches, and hands it to a writer."""

    def __init__(self, writer: AsyncWriter, encoder: Encoder) -> None:
        self.info: ObjectInfo | None = None
        self.size = 0
        """Bytes of content so far."""
        self._writer = writer
        self._encoder = encoder
        self._waiting = bytearray()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        self.size += len(data)
        for start in range(0, len(data), BATCH):
            self._waiting += data[start : start + BATCH]
            if len(self._waiting) >= BATCH:
                await self._encode()

    async def _encode(self) -> None:
        batch, self._waiting = self._waiting, bytearray()
        if stored := await work(len(batch), self._encoder.feed, batch):
            await self._writer.write(stored)

    async def finish(self) -> None:
        """Write all that is still held back."""
        await self._encode()
        if stored := await work(BATCH, self._encoder.finish):
            await self._writer.write(stored)
