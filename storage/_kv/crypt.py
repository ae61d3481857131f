"""Values that nobody changes unnoticed."""

from __future__ import annotations

import errno
import hashlib
import hmac
import io
import os
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, NoReturn, cast

from .base import Readable, Writable
from .decorators import StoreDecorator
from .pumping import BUFFER, is_path, pump, replacing

SPOOL = 8 * BUFFER
"""Bytes of a value that is checked or put from a file which stay in memory."""


class VerificationException(Exception):
    """A value is not what was stored under its key with this secret."""


class HMACDecorator(StoreDecorator):
    """Stores each value with a keyed digest (RFC 2104) behind it, which every read checks.

    The digest is bound to the key, so that one value cannot stand in for another; and so copies
    and moves, which do not pass through here, are not supported.

    Args:
        secret_key: Bytes that nobody else knows.
        decorated_store: The store.
        hashfunc: The digest, such as ``hashlib.sha256``.
    """

    def __init__(
        self,
        secret_key: bytes,
        decorated_store: Any,
        hashfunc: Callable[..., Any] = hashlib.sha256,
    ) -> None:
        super().__init__(decorated_store)
        self.__secret_key = bytes(secret_key)
        self.__hashfunc = hashfunc

    def _digest(self, key: str) -> Any:
        self._check_valid_key(key)
        return hmac.new(key.encode() + self.__secret_key, digestmod=self.__hashfunc)

    def get(self, key: str) -> bytes:
        """See `KeyValueStore`; raises `VerificationException`."""
        digest = self._digest(key)
        stored: bytes = self._dstore.get(key)
        end = len(stored) - digest.digest_size
        if end < 0:
            _refuse(key)
        digest.update(memoryview(stored)[:end])
        if not hmac.compare_digest(digest.digest(), stored[end:]):
            _refuse(key)
        return stored[:end]

    def put(self, key: str, data: bytes, *args: Any, **options: Any) -> str:
        """See `KeyValueStore`."""
        if not isinstance(data, bytes):
            raise OSError(f"a value is of type bytes, not {type(data).__name__}")
        digest = self._digest(key)
        digest.update(data)
        return self._dstore.put(key, data + digest.digest(), *args, **options)  # type: ignore[no-any-return]

    def put_file(
        self, key: str, file: str | os.PathLike[str] | Readable, *args: Any, **options: Any
    ) -> str:
        """See `KeyValueStore`; a file is read, and left as it is."""
        if is_path(file):
            with open(file, "rb") as source:
                return self.put_file(key, source, *args, **options)
        signed = _Signed(cast(Readable, file), self._digest(key))
        return self._dstore.put_file(key, signed, *args, **options)  # type: ignore[no-any-return]

    def open(self, key: str) -> BinaryIO:
        """A value as a file to read and seek in; see `HMACFileReader` for when it is checked."""
        return cast(BinaryIO, HMACFileReader(self._digest(key), self._dstore.open(key)))

    def get_file(self, key: str, file: str | os.PathLike[str] | Writable) -> str:
        """See `KeyValueStore`; a path's file is replaced only by a value that was verified."""
        with self.open(key) as source:
            if is_path(file):
                with replacing(file) as target:
                    pump(source.read, target.write)
            else:
                pump(source.read, cast(Writable, file).write)
        return key

    def copy(self, source: str, dest: str) -> NoReturn:
        """Raises ``NotImplementedError``: a value's digest is bound to its key."""
        raise NotImplementedError("a value's digest is bound to its key, so it cannot be copied")

    def move(self, source: str, dest: str) -> NoReturn:
        """Raises ``NotImplementedError``; see `copy`."""
        raise NotImplementedError("a value's digest is bound to its key, so it cannot be moved")


def _refuse(key: str) -> NoReturn:
    raise VerificationException(f"the value under {key!r} is not what was stored there")


class _Signed:
    """A file to read, with its digest behind it."""

    def __init__(self, source: Readable, digest: Any) -> None:
        self._source = source
        self._digest = digest
        self._rest: bytes | None = None

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(BUFFER), b""))
        if self._rest is None:
            piece = self._source.read(size)
            if piece or not size:
                self._digest.update(piece)
                return piece
            self._rest = bytes(self._digest.digest())
        rest = self._rest
        self._rest = rest[size:]
        return rest[:size]


class HMACFileReader(io.RawIOBase):
    """What stands before the digest of a file; reading its end checks it.

    Before the first ``seek`` all of it is read and checked, into memory or, if it is large, into a
    file without a name.

    Args:
        hm: The digest so far.
        source: The file; it is closed with this one.

    Raises:
        VerificationException: The file is too short to have a digest.
    """

    def __init__(self, hm: Any, source: BinaryIO) -> None:
        self.source = source
        self._fresh = hm.copy()
        self._digest = hm
        self._given = 0
        self._whole: BinaryIO | None = None
        self._held = b""
        try:
            if not self._hold(hm.digest_size):
                raise VerificationException("there are too few bytes for a digest")
        except BaseException:
            source.close()
            raise

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """Whether the file below is."""
        return self.source.seekable()

    def tell(self) -> int:
        """How many bytes stand before the next one."""
        return self._given if self._whole is None else self._whole.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go elsewhere; see the class."""
        if self._whole is None:
            place = self._given
            self._whole = self._verified()
            self._whole.seek(place)
        if whence == os.SEEK_SET and offset < 0:
            raise OSError(errno.EINVAL, "a place in a file is not negative")
        return self._whole.seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, as many as asked for unless it ends before.

        Raises:
            VerificationException: It ends here, and is not what was stored.
        """
        if self.closed:
            raise ValueError("the file is closed")
        if self._whole is not None:
            return self._whole.read(-1 if size is None else size)
        if size is None or size < 0:
            return b"".join(iter(partial(self.read, BUFFER), b""))
        if not size:
            return b""
        whole = self._hold(size + self._digest.digest_size)
        piece = self._held[: min(size, len(self._held) - self._digest.digest_size)]
        self._held = self._held[len(piece) :]
        self._digest.update(piece)
        self._given += len(piece)
        if not whole and not hmac.compare_digest(self._held, self._digest.digest()):
            raise VerificationException("the value is not what was stored")
        return piece

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; see `read`."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close this and the file below."""
        if not self.closed:
            super().close()
            self.source.close()
            if self._whole is not None:
                self._whole.close()

    def _hold(self, size: int) -> bool:
        """Read on until so many bytes are held; False where the source has no more."""
        pieces, length = [self._held], len(self._held)
        while length < size and (piece := self.source.read(size - length)):
            pieces.append(piece)
            length += len(piece)
        self._held = b"".join(pieces)
        return length >= size

    def _verified(self) -> BinaryIO:
        self.source.seek(0)
        self._held, self._digest, self._given = b"", self._fresh.copy(), 0
        whole = cast(BinaryIO, tempfile.SpooledTemporaryFile(SPOOL))  # noqa: SIM115
        try:
            pump(self.read, whole.write)
        except BaseException:
            whole.close()
            raise
        return whole
