"""A store that keeps nothing readable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from ..._core.closing import closing
from ..._core.codecs.coding import DecodeError, Decoder, Encoder
from ..._core.codecs.cutting import Cut
from ..._core.codecs.sealing import (
    HEADER,
    SEALED,
    SEGMENT,
    Keys,
    Opener,
    Sealer,
    content_size,
    segments_of,
)
from ..._core.errors import PreconditionFailed
from ..._core.info import ByteRange, Capability, ObjectInfo, ReadOptions
from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..pieces import Body
from ..streams import AsyncReader
from .content import AsyncCodecStore, decode

ATTEMPTS = 8
"""How often a part of an object is asked for that is replaced again and again meanwhile."""


class AsyncEncryptingStore(AsyncCodecStore):
    """Keeps objects encrypted and authenticated, by AES-256-GCM in segments of 64 KiB.

    The segments form a STREAM, as Hoang, Reyhanitabar, Rogaway and Vizard define it ("Online
    Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015): streams and
    parts take bounded memory, and no byte is given out before it is proven to be the one that was
    written there. Anything else (a changed, missing, added or moved byte, another object's
    content under this key) is a `DecodeError`, which is an `IntegrityError`. An older content of
    the same key is not noticed, nor is a deleted object.

    Keys, lengths, times, media types and metadata are not secret. Content is bound to its key,
    so that `copy` and `move` read it and encrypt it again; whoever copies it behind this store's
    back gets an object that does not open.

    Args:
        store: A store of ours, or any object with the five async verbs.
        key: 32 random bytes or their Base64, such as `new_encryption_key` makes; or several, the
            first for what is written from now on, the others for what was written before.
        timeout: Seconds that one operation may take.

    Raises:
        MissingExtra: The package ``cryptography`` is not installed.
        ConfigError: A key is none.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        key: bytes | bytearray | str | Sequence[bytes | str],
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._ring = Keys([key] if isinstance(key, bytes | bytearray | str) else key)

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself; a copy is written here, and a part is read in two."""
        found = self._child.capabilities
        if Capability.IF_ABSENT not in found:
            found &= ~Capability.COPY_IF_ABSENT
        if Capability.READ_CONDITIONS not in found:
            found &= ~Capability.RANGES
        return found

    def _told(self, info: ObjectInfo) -> ObjectInfo:
        size = None if info.size is None else content_size(info.size)
        return replace(info, size=size, checksum=None)

    def _encoder(self, key: str) -> Encoder:
        return Sealer(self._ring, key)

    def _decoder(self, key: str) -> Decoder:
        return Opener(self._ring, key)

    # -- what the content's binding to its key makes different ----------------------------------

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await AsyncBaseStore._copy(self, source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await AsyncBaseStore._move(self, source, target, if_absent)

    # -- parts ----------------------------------------------------------------------------------

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        if Capability.RANGES in self.capabilities:
            return await AsyncBaseStore._get_ranges(self, key, parts, if_match)
        return await super()._get_ranges(key, parts, if_match)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        part = options.byte_range
        if part is None or Capability.RANGES not in self.capabilities:
            async with super()._open(key, options) as body:
                yield body
            return
        window = await self._window(key, options, part)
        try:
            yield Body(self._told(window.info), window.chunks())
        finally:
            await window.reader.aclose()

    async def _window(self, key: str, options: ReadOptions, part: ByteRange) -> _Window:
        """The segments that hold a part, opened: the header is read first, then they alone."""
        attempts = 1 if options.if_match is not None else ATTEMPTS
        while True:
            attempts -= 1
            head_only = replace(options, byte_range=ByteRange(0, HEADER))
            header, info = await self._child._read(key, head_only)
            window = self._plan(key, header, info, part)
            try:
                await window.reader.__aenter__()
            except PreconditionFailed:
                if not attempts:
                    raise
            else:
                return window

    def _plan(self, key: str, header: bytes, info: ObjectInfo, part: ByteRange) -> _Window:
        size = None if info.size is None else content_size(info.size)
        if size is None:
            raise DecodeError("the encrypted content is cut off", key=key)
        start, end = part.resolve(size)
        last = segments_of(size) - 1
        # A part past the end is empty only if the end is proven to be there.
        first = min(start // SEGMENT, last)
        stop = min(max(end - 1, start) // SEGMENT, last)
        stored = ByteRange(HEADER + first * SEALED, HEADER + (stop + 1) * SEALED)
        reader = self._child._reader(key, ReadOptions(stored, info.etag))
        opener = Opener(self._ring, key, first, ends=stop == last)
        inner = ByteRange(start - first * SEGMENT, end - first * SEGMENT)
        return _Window(info, reader, header, opener, inner)


class _Window:
    """Some segments of an object, and the part of them that was asked for."""

    def __init__(
        self, info: ObjectInfo, reader: AsyncReader, header: bytes, opener: Opener, part: ByteRange
    ) -> None:
        self.info = info
        self.reader = reader
        self._header = header
        self._opener = opener
        self._part = part

    async def chunks(self) -> AsyncIterator[bytes]:
        """The part's bytes; all segments are opened, also beyond the last byte of it."""
        cut = Cut(self._part)
        self._opener.feed(self._header)
        async with closing(decode(self.reader, self._opener)) as pieces:
            async for piece in pieces:
                if found := cut.feed(piece):
                    yield found
