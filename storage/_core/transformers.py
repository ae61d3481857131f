"""Whole values as something else, and back: for the transforming stores and for anybody."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from .codecs.base64 import Base64Decoder, Base64Encoder
from .codecs.coding import (
    UNLIMITED,
    WHOLE,
    DecodeError,
    Decoder,
    Encoder,
    Limits,
    decoded,
    encoded,
)
from .codecs.gzipped import GzipEncoder, gzip_decoder
from .codecs.text import TextDecoder, check_encoding
from .codecs.zstd import ZstdEncoder, library, zstd_decoder
from .errors import ConfigError


class DataTransformer:
    """Turns values into what a store keeps, and back; made to be subclassed. This one does nothing.

    A transformer serves many threads at a time: it keeps no state of one value.
    """

    def transform(self, data: Any) -> Any:
        """What to keep of a value; with most stores it has to be bytes or a stream of them."""
        return data

    def reverse_transform(self, data: Any) -> Any:
        """The value again."""
        return data


class CodecTransformer(DataTransformer):
    """A transformer made of an encoder and a decoder."""

    limits = UNLIMITED
    """How large a value may become when it is decoded."""

    def encoder(self) -> Encoder:
        """A fresh encoder, for one value."""
        raise NotImplementedError

    def decoder(self) -> Decoder:
        """A fresh decoder, for one value."""
        raise NotImplementedError

    def whole_decoder(self) -> Decoder:
        """A fresh decoder, for one value that is to be in memory as a whole."""
        decoder = self.decoder()
        return decoder if self.limits != UNLIMITED else WHOLE.around(decoder)

    def transform(self, data: bytes | bytearray | memoryview) -> bytes:
        """The bytes in their stored form."""
        return encoded(self.encoder(), data)

    def reverse_transform(self, data: bytes | bytearray | memoryview) -> bytes:
        """The bytes themselves.

        Raises:
            DecodeError: The stored form is damaged.
            DecompressionLimit: They are too many.
        """
        return decoded(self.whole_decoder(), data)


class GzipTransformer(CodecTransformer):
    """gzip: writes one member, reads any number.

    Args:
        level: 0 (not at all) to 9 (best).
        max_size: Bytes that a value may have when it is decompressed; None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, a value that is read whole may have a GiB, or a hundred times as many
            bytes as are stored; one that is read as a stream any number.
    """

    def __init__(
        self, level: int = 6, *, max_size: int | None = None, max_ratio: float | None = None
    ) -> None:
        if level not in range(10):
            raise ConfigError(f"a level of gzip is 0 to 9, not {level!r}")
        self.level = level
        self.limits = Limits(max_size, max_ratio)

    def encoder(self) -> Encoder:
        """A fresh encoder, for one value."""
        return GzipEncoder(self.level)

    def decoder(self) -> Decoder:
        """A fresh decoder, for one value."""
        return self.limits.around(gzip_decoder())


class ZstdTransformer(CodecTransformer):
    """Zstandard: writes one frame, reads any number.

    Args:
        level: -7 (fast) to 22 (small).
        max_size: Bytes that a value may have when it is decompressed; None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, a value that is read whole may have a GiB, or a hundred times as many
            bytes as are stored; one that is read as a stream any number.

    Raises:
        MissingExtra: The package for it is not installed.
    """

    def __init__(
        self, level: int = 3, *, max_size: int | None = None, max_ratio: float | None = None
    ) -> None:
        if level not in range(-7, 23):
            raise ConfigError(f"a level of zstd is -7 to 22, not {level!r}")
        library()
        self.level = level
        self.limits = Limits(max_size, max_ratio)

    def encoder(self) -> Encoder:
        """A fresh encoder, for one value."""
        return ZstdEncoder(self.level)

    def decoder(self) -> Decoder:
        """A fresh decoder, for one value."""
        return self.limits.around(zstd_decoder())


class Base64Transformer(CodecTransformer):
    """Base64, in one line; line breaks are read over."""

    def encoder(self) -> Encoder:
        """A fresh encoder, for one value."""
        return Base64Encoder()

    def decoder(self) -> Decoder:
        """A fresh decoder, for one value."""
        return Base64Decoder()


class TextEncodingTransformer(DataTransformer):
    """Text as bytes.

    Args:
        encoding: Any that Python knows.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        check_encoding(encoding)
        self.encoding = encoding

    def transform(self, data: str) -> bytes:
        """The text's bytes."""
        return data.encode(self.encoding)

    def reverse_transform(self, data: bytes | bytearray | memoryview) -> str:
        """The text. Raises `DecodeError`, a ``ValueError``, where the bytes are none."""
        decoder = TextDecoder(self.encoding)
        return decoder.feed(bytes(data)) + decoder.finish()


class BufferTransformer(DataTransformer):
    """What a file object has left to read, as bytes; given back as a `io.BytesIO`."""

    def transform(self, data: Any) -> Any:
        """The rest of the file."""
        return data.read()

    def reverse_transform(self, data: bytes | bytearray | memoryview) -> BytesIO:
        """A file of the bytes, at its start."""
        return BytesIO(data)


class JsonTransformer(DataTransformer):
    """What JSON can say, as text."""

    def transform(self, data: Any) -> str:
        """The value as JSON, in ASCII. Raises ``TypeError`` where JSON cannot say it."""
        return json.dumps(data)

    def reverse_transform(self, data: str | bytes | bytearray) -> Any:
        """The value. Raises `DecodeError`, a ``ValueError``, where the text is no JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"the content is no JSON: {error}") from error
