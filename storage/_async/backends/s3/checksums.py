"""Checksums of contents: how each is computed, told by S3, compared and joined."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeVar

from ...._core import calls
from ...._core.errors import ConfigError, IntegrityError, MalformedResponse, MissingExtra

T = TypeVar("T")

LARGE = 1024 * 1024
"""Bytes from which a checksum is worth a thread."""
SENT = ("crc32", "crc64nvme", "sha256")
"""What can be asked to be sent."""

_PREFIX = "Checksum"
_KNOWN = ("crc32", "sha256", "crc64nvme", "crc32c", "sha1")
"""By preference, where a server tells several."""
_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
_POLYNOMIALS = {"crc32": 0xEDB88320, "crc32c": 0x82F63B78, "crc64nvme": 0x9A6C9329AC4BC9B5}


class Running(Protocol):
    """A digest that is fed piece by piece."""

    def update(self, data: Any, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, function: Callable[[Any, int], int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: Any, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


_EVERYWHERE = frozenset({"crc32", "sha1", "sha256"})
"""What needs no package."""


def running(name: str) -> Running:
    """A digest without any bytes yet.

    Raises:
        MissingExtra: The package that computes it is not installed.
    """
    if name in ("sha1", "sha256"):
        return hashlib.new(name, usedforsecurity=False)
    if name == "crc32":
        return _Crc(_crc32(), 4)
    try:
        native: Any = import_module("awscrt.checksums")
    except ImportError as error:
        raise MissingExtra.named("awscrt", "crc64") from error
    return _Crc(getattr(native, name), _BYTES[name])


@cache
def _crc32() -> Callable[[Any, int], int]:
    from ...._core.crc import crc32  # a listing has no use for it

    return crc32


def check_name(name: str | None) -> str | None:
    """A checksum's name that can be sent, or None.

    Raises:
        ConfigError: It cannot be.
        MissingExtra: The package that computes it is not installed.
    """
    if name is not None:
        if name not in SENT:
            raise ConfigError(f"checksum is one of {', '.join(SENT)} or None, not {name!r}")
        if name not in _EVERYWHERE:
            running(name)
    return name


def digest_of(name: str, data: Any) -> bytes:
    """The digest of bytes that are there as a whole."""
    digest = running(name)
    digest.update(data)
    return digest.digest()


async def digest_aside(name: str | None, data: Any) -> bytes | None:
    """The same; of much data in a worker thread, and of no name None."""
    if name is None:
        return None
    if len(data) < LARGE:
        return digest_of(name, data)
    return await calls.call(digest_of, name, data)


# -- as S3 tells them ---------------------------------------------------------------------------


def parameter(name: str) -> str:
    """What S3's client calls the checksum, such as ``ChecksumCRC32``."""
    return _PREFIX + name.upper()


_PLACES = tuple((name, parameter(name)) for name in _KNOWN)


def encoded(name: str | None, digest: bytes | None) -> dict[str, str]:
    """A digest as the parameter of a request; none for None."""
    if name is None or digest is None:
        return {}
    return {parameter(name): base64.b64encode(digest).decode()}


def kind(name: str) -> str:
    """What S3 makes of the parts' digests: that of the whole content, or one of the digests."""
    return "FULL_OBJECT" if name in _POLYNOMIALS else "COMPOSITE"


class Told(NamedTuple):
    """The digest of a content, as a server told it."""

    name: str
    digest: bytes


def told(answer: Mapping[str, Any]) -> Told | None:
    """The digest of the whole content (or of the one part) that an answer tells, if any.

    One of the parts' digests says nothing that could be compared with a content.
    """
    if answer.get("ChecksumType") == "COMPOSITE":
        return None
    for name, place in _PLACES:
        value = answer.get(place)
        if not value or "-" in value:
            continue
        try:
            digest = binascii.a2b_base64(value, strict_mode=True)
        except ValueError:
            continue
        if len(digest) == _BYTES[name]:
            return Told(name, digest)
    return None


def compare(answer: Mapping[str, Any], name: str | None, digest: bytes | None) -> None:
    """Refuse an answer that tells another digest than that of what was sent.

    Raises:
        IntegrityError: It does.
    """
    found = told(answer)
    if found is not None and digest is not None and found.name == name and found.digest != digest:
        raise IntegrityError(f"the server stored other bytes than were sent, by their {name}")


class Check:
    """Compares a content with the digest that was told of it."""

    def __init__(self, wanted: Told) -> None:
        self.name = wanted.name
        self._wanted = wanted.digest
        self._running = running(wanted.name)

    def update(self, data: Any) -> None:
        """Take the next piece."""
        self._running.update(data)

    def finish(self) -> None:
        """Compare what has come; raises `IntegrityError`."""
        self.compare(self._running.digest())

    def compare(self, digest: bytes) -> None:
        """The same for a digest that was found in another way."""
        if digest != self._wanted:
            raise IntegrityError(f"the bytes that came do not have the {self.name} that was told")


def check_of(wanted: Told | None) -> Check | None:
    """What compares a content with what was told of it; None where nothing can."""
    try:
        return Check(wanted) if wanted is not None else None
    except MissingExtra:
        return None


# -- digests of parts, as that of the whole -----------------------------------------------------


def joins(name: str) -> bool:
    """Whether the digest of a content can be told from those of its parts."""
    return name in _POLYNOMIALS


def joined(name: str, parts: Iterable[tuple[bytes, int]]) -> bytes | None:
    """The digest of a content from those of its parts; None where it cannot be told from them.

    Args:
        name: Of the digests.
        parts: In order, each its digest and its length in bytes.
    """
    polynomial = _POLYNOMIALS.get(name)
    if polynomial is None:
        return None
    width, value = _BYTES[name], 0
    for digest, size in parts:
        # Bytes behind a content multiply its remainder by a power of x.
        factor = _power(polynomial, width * 8, size)
        value = _times(value, factor, polynomial, width * 8) ^ int.from_bytes(digest, "big")
    return value.to_bytes(width, "big")


@cache
def _power(polynomial: int, bits: int, size: int) -> int:
    """x to the power of 8 times ``size``, modulo the polynomial; the highest bit is x to the 0."""
    result, base = 1 << (bits - 1), 1 << (bits - 9)
    while size:
        if size & 1:
            result = _times(result, base, polynomial, bits)
        base = _times(base, base, polynomial, bits)
        size >>= 1
    return result


def _times(a: int, b: int, polynomial: int, bits: int) -> int:
    product = 0
    for place in range(bits - 1, -1, -1):
        if a >> place & 1:
            product ^= b
        b = b >> 1 ^ (polynomial if b & 1 else 0)
    return product


async def twice(once: Callable[[], Awaitable[T]]) -> T:
    """Do again, once, what came over in other bytes than were sent."""
    try:
        return await once()
    except IntegrityError as error:
        if isinstance(error, MalformedResponse):
            raise
    return await once()
