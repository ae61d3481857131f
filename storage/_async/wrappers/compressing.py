"""Stores that keep bytes compressed, or as Base64."""

from __future__ import annotations

from ..._core.codecs.coding import Decoder, Encoder
from ..._core.protocol import AsyncObjectStore
from ..._core.transformers import (
    Base64Transformer,
    CodecTransformer,
    GzipTransformer,
    ZstdTransformer,
)
from .content import AsyncCodecStore


class AsyncRecodingStore(AsyncCodecStore):
    """Keeps bytes in the form that a transformer gives them, in bounded memory.

    Lengths are known after a whole get or a put only; `list` and `head` leave them out. A part of
    an object is read by decoding all before it.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: Makes the encoders and decoders.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        transformer: CodecTransformer,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._transformer = transformer

    def _encoder(self, key: str) -> Encoder:
        return self._transformer.encoder()

    def _decoder(self, key: str) -> Decoder:
        return self._transformer.decoder()

    def _whole_decoder(self, key: str) -> Decoder:
        return self._transformer.whole_decoder()


class AsyncGzipStore(AsyncRecodingStore):
    """Keeps objects as gzip.

    Objects of several members are read as one. What is cut off, damaged or followed by anything
    else is a `DecodeError`. Set a limit of your own where others write into the child: a few
    bytes of gzip may become a thousand times as many.

    Args:
        store: A store of ours, or any object with the five async verbs.
        level: 0 (not at all) to 9 (best).
        max_size: Bytes that an object may have when it is read (`DecompressionLimit` beyond);
            None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, `get` gives a GiB or a hundred times as many bytes as are stored, at
            most, and streams give any number; ``math.inf`` lifts that.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        level: int = 6,
        max_size: int | None = None,
        max_ratio: float | None = None,
        timeout: float | None = None,
    ) -> None:
        transformer = GzipTransformer(level, max_size=max_size, max_ratio=max_ratio)
        super().__init__(store, transformer, timeout=timeout)


class AsyncZstdStore(AsyncRecodingStore):
    """Keeps objects as Zstandard, with a checksum of their content.

    Objects of several frames are read as one. What is cut off, damaged or followed by anything
    else is a `DecodeError`. Set a limit of your own where others write into the child: a few
    bytes of zstd may become ten thousand times as many.

    Args:
        store: A store of ours, or any object with the five async verbs.
        level: -7 (fast) to 22 (small).
        max_size: Bytes that an object may have when it is read (`DecompressionLimit` beyond);
            None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, `get` gives a GiB or a hundred times as many bytes as are stored, at
            most, and streams give any number; ``math.inf`` lifts that.
        timeout: Seconds that one operation may take.

    Raises:
        MissingExtra: The package for it is not installed.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        level: int = 3,
        max_size: int | None = None,
        max_ratio: float | None = None,
        timeout: float | None = None,
    ) -> None:
        transformer = ZstdTransformer(level, max_size=max_size, max_ratio=max_ratio)
        super().__init__(store, transformer, timeout=timeout)


class AsyncBase64Store(AsyncRecodingStore):
    """Keeps objects as Base64, in one line; line breaks in those of others are read over.

    Three bytes of content become four, each such group by itself: an object that was cut off
    between two groups looks whole.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, Base64Transformer(), timeout=timeout)
