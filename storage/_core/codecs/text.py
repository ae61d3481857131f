"""Text in any encoding, where a piece may end in the midst of a character."""

from __future__ import annotations

import codecs
from typing import TypeAlias

from ..errors import ConfigError
from .coding import DecodeError

TextPiece: TypeAlias = str
"""A piece of a text, which may be long."""


def check_encoding(encoding: str) -> None:
    """Raise `ConfigError` unless Python knows the encoding as one of text."""
    try:
        known = codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        raise ConfigError(f"no text encoding is called {encoding!r}")


class TextEncoder:
    """Turns pieces of text into bytes.

    Args:
        encoding: Any that Python knows.
    """

    def __init__(self, encoding: str) -> None:
        self._encoder = codecs.getincrementalencoder(encoding)()

    def feed(self, text: str) -> bytes:
        return self._encoder.encode(text)

    def finish(self) -> bytes:
        return self._encoder.encode("", final=True)


class TextDecoder:
    """Turns pieces of bytes into text.

    Args:
        encoding: Any that Python knows.
    """

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def feed(self, data: bytes) -> str:
        return self._decode(data, final=False)

    def finish(self) -> str:
        return self._decode(b"", final=True)

    def _decode(self, data: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise DecodeError(f"the content is no text in this encoding: {error}") from error
