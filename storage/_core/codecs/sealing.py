"""Bytes encrypted and authenticated in segments, by AES-256-GCM.

An object is a header (`MAGIC`, the key's id, a random salt) and then segments of 64 KiB, each
encrypted and followed by its tag. The segments are put together as STREAM does, the construction
of Hoang, Reyhanitabar, Rogaway and Vizard ("Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015): a segment's nonce is its number and whether it is the last, so
that none can be changed, left out, repeated, put elsewhere or added. Each object has an AES key
of its own, derived (HKDF, RFC 5869) from the master key, the salt, the whole header and the
object's name: a changed header, or another object in its place, opens as little as a wrong key.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable
from typing import Any, NoReturn

from ..errors import ConfigError, MissingExtra
from ..text import Secret
from .coding import DecodeError

MAGIC = b"\x93sealed\x01"
ID = 8
SALT = 32
HEADER = len(MAGIC) + ID + SALT
TAG = 16
SEGMENT = 64 * 1024
"""Bytes of content in each segment but the last, which has as many or fewer."""
SEALED = SEGMENT + TAG


def new_encryption_key() -> Secret:
    """A fresh random key: 32 bytes as Base64. ``reveal()`` gives the text, to be kept safe."""
    return Secret(base64.b64encode(os.urandom(32)).decode())


def segments_of(size: int) -> int:
    """How many segments content of ``size`` bytes has; an empty one has one, too."""
    return max(1, -(-size // SEGMENT))


def content_size(stored: int) -> int | None:
    """The length of the content of an object of so many bytes; None where none is so long."""
    body = stored - HEADER
    size = body - TAG * max(1, -(-body // SEALED))
    return size if size >= 0 and body == size + TAG * segments_of(size) else None


class Keys:
    """Master keys: the first one seals, each one opens. They are neither shown nor pickled.

    Args:
        keys: Each 32 bytes, or the Base64 of them.
    """

    def __init__(self, keys: Iterable[bytes | bytearray | str]) -> None:
        self._keys: dict[bytes, Secret] = {}
        for key in keys:
            material = _key_bytes(key)
            secret = Secret(base64.b64encode(material).decode())
            self._keys.setdefault(_derived(material, b"", b"id", ID), secret)
        if not self._keys:
            raise ConfigError("at least one key is needed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._keys)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a store with keys is not pickled: they would lie open in the pickle")

    def header(self) -> bytes:
        """A fresh header, for the first key."""
        return MAGIC + next(iter(self._keys)) + os.urandom(SALT)

    def cipher(self, header: bytes, name: str) -> Any:
        """The AES-GCM of the object ``name``. Raises `DecodeError` where no key fits."""
        magic, key_id, salt = header[: len(MAGIC)], header[len(MAGIC) : -SALT], header[-SALT:]
        if magic != MAGIC:
            raise DecodeError("the content is not encrypted, or was altered")
        if key_id not in self._keys:
            raise DecodeError(f"the content is encrypted with a key not given here: {key_id.hex()}")
        material = base64.b64decode(self._keys[key_id].reveal())
        return _aes_gcm(_derived(material, salt, b"object" + header + name.encode(), 32))


def _key_bytes(key: bytes | bytearray | str) -> bytes:
    if isinstance(key, Secret):
        key = key.reveal()
    if isinstance(key, str):
        try:
            key = base64.b64decode(key.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
    if len(key) != 32:
        # The text itself is not shown: it may be a key with a slip in it.
        raise ConfigError("a key is 32 random bytes or their Base64 (a password is none)")
    return bytes(key)


def _derived(material: bytes, salt: bytes, purpose: bytes, length: int) -> bytes:
    try:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise MissingExtra.named("cryptography", "crypto") from error
    return HKDF(SHA256(), length, salt, b"storage sealing 1: " + purpose).derive(material)


def _aes_gcm(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


class Sealer:
    """Encrypts the content of one object; see `coding.Encoder`.

    Args:
        keys: The first one is used.
        name: The object's key, which is bound in.
    """

    def __init__(self, keys: Keys, name: str) -> None:
        self._head = keys.header()
        self._cipher = keys.cipher(self._head, name)
        self._rest = b""
        self._number = 0

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        whole = memoryview(b"".join((self._rest, data)) if self._rest else data)
        # One segment, or a part of it, stays here: it may be the last.
        count = max(0, len(whole) - 1) // SEGMENT
        sealed = [
            self._seal(whole[start : start + SEGMENT], last=False)
            for start in range(0, count * SEGMENT, SEGMENT)
        ]
        self._rest = bytes(whole[count * SEGMENT :])
        return b"".join((self._begin(), *sealed))

    def finish(self) -> bytes:
        return self._begin() + self._seal(self._rest, last=True)

    def _begin(self) -> bytes:
        head, self._head = self._head, b""
        return head

    def _seal(self, data: bytes | memoryview, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last)
        self._number += 1
        sealed: bytes = self._cipher.encrypt(nonce, data, None)
        return sealed


class Opener:
    """Decrypts the content of one object; see `coding.Decoder`. It gives out what is proven only.

    Args:
        keys: The one that fits is used.
        name: The object's key.
        first: The number of the segment that follows the header, where some are left out.
        ends: Whether the last segment that is fed has to be the object's last one.
    """

    hungry = True

    def __init__(self, keys: Keys, name: str, first: int = 0, *, ends: bool = True) -> None:
        self._keys, self._name = keys, name
        self._cipher: Any = None
        self._rest = b""
        self._number, self._ends = first, ends

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        whole = memoryview(b"".join((self._rest, data)) if self._rest else data)
        if self._cipher is None:
            if len(whole) < HEADER:
                self._rest = bytes(whole)
                return b""
            self._cipher = self._keys.cipher(bytes(whole[:HEADER]), self._name)
            whole = whole[HEADER:]
        count = max(0, len(whole) - 1) // SEALED
        opened = [
            self._open(whole[start : start + SEALED], last=False)
            for start in range(0, count * SEALED, SEALED)
        ]
        self._rest = bytes(whole[count * SEALED :])
        return b"".join(opened)

    def finish(self) -> bytes:
        # Only an empty object has an empty segment, or there would be two forms of one content.
        if self._cipher is None or len(self._rest) < TAG + (self._number > 0):
            raise DecodeError("the encrypted content is cut off")
        return self._open(self._rest, last=self._ends)

    def _open(self, sealed: bytes | memoryview, *, last: bool) -> bytes:
        from cryptography.exceptions import InvalidTag

        nonce = _nonce(self._number, last)
        self._number += 1
        try:
            opened: bytes = self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise DecodeError(
                "the encrypted content was altered or cut off, or is another object's"
            ) from None
        return opened
