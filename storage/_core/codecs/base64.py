"""Base64 (RFC 4648)."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from .coding import DecodeError

BREAKS = b"\r\n"
"""What many writers put between the lines, and at the end."""


class Base64Encoder:
    """Writes it in one line, with padding."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        whole = b"".join((self._rest, data))
        end = len(whole) - len(whole) % 3
        self._rest = whole[end:]
        return b2a_base64(memoryview(whole)[:end], newline=False)

    def finish(self) -> bytes:
        return b2a_base64(self._rest, newline=False)


class Base64Decoder:
    """Reads it strictly, but for line breaks."""

    hungry = True

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        whole = (self._rest + bytes(data)).translate(None, BREAKS)
        end = len(whole) - len(whole) % 4
        self._rest = whole[end:]
        return self._decoded(whole[:end])

    def _decoded(self, whole: bytes) -> bytes:
        if not whole:
            return b""
        if self._ended:
            raise DecodeError("something follows the end of the base64 content")
        self._ended = whole.endswith(b"=")
        try:
            return a2b_base64(whole, strict_mode=True)
        except Error as error:
            raise DecodeError(f"the content is no base64: {error}") from error

    def finish(self) -> bytes:
        if self._rest:
            raise DecodeError("the base64 content is cut off")
        return b""
