"""Bytes followed by their own digest."""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import Any

from ..errors import ConfigError
from .coding import DecodeError

MAGIC = b"\r\nsum\x01\r\n"
NAME = 8
"""Bytes of an algorithm's name in a trailer."""


class Digests:
    """The digests of one algorithm, as trailers: the digest, the algorithm's name, and `MAGIC`.

    Args:
        algorithm: One of `hashlib` with a digest of a fixed length.
    """

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        if algorithm not in hashlib.algorithms_guaranteed or not self.new().digest_size:
            raise ConfigError(f"no digest of a fixed length is called {algorithm!r}")
        self._ending = algorithm.encode().ljust(NAME, b"\0")[:NAME] + MAGIC
        self.length = self.new().digest_size + len(self._ending)
        """Bytes of a trailer."""

    def new(self) -> Any:
        """A fresh hash object."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def trailer(self, found: Any) -> bytes:
        """The trailer of content whose hash object this is."""
        digest: bytes = found.digest()
        return digest + self._ending

    def check(self, found: Any, trailer: bytes) -> None:
        """Raise unless the trailer is that of the content."""
        if len(trailer) < self.length or not trailer.endswith(self._ending):
            raise DecodeError(
                f"there is no {self.algorithm} at the content's end: "
                "it was cut off, or written without one"
            )
        if not compare_digest(self.trailer(found), trailer):
            raise DecodeError(f"the content does not have the {self.algorithm} it was stored with")


class _Hashing:
    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._hash = digests.new()

    @property
    def checksum(self) -> str:
        """The digest of the content, as in `ObjectInfo`."""
        return f"{self._digests.algorithm}:{self._hash.hexdigest()}"


class TrailerWriter(_Hashing):
    """Hashes the content as it passes; see `coding.Encoder`."""

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        self._hash.update(data)
        return data if type(data) is bytes else bytes(data)

    def finish(self) -> bytes:
        return self._digests.trailer(self._hash)


class TrailerReader(_Hashing):
    """Holds back what may be the trailer, and checks it at the end; see `coding.Decoder`."""

    hungry = True

    def __init__(self, digests: Digests) -> None:
        super().__init__(digests)
        self._held = b""

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        whole = b"".join((self._held, data))
        end = max(0, len(whole) - self._digests.length)
        content, self._held = whole[:end], whole[end:]
        self._hash.update(content)
        return content

    def finish(self) -> bytes:
        self._digests.check(self._hash, self._held)
        return b""
