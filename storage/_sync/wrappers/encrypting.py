# Generated from storage/_async/wrappers/encrypting.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that keeps nothing readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..._async.wrappers.encrypting import AsyncEncryptingStore
from ..._core.adapt import to_async
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .content import CodecStore


class EncryptingStore(CodecStore):
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

    _async: AsyncEncryptingStore
    _async_type: ClassVar[type[AsyncEncryptingStore]] = AsyncEncryptingStore

    def __init__(
        self,
        store: ObjectStore,
        key: bytes | bytearray | str | Sequence[bytes | str],
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), key, timeout=timeout))

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself; a copy is written here, and a part is read in two."""
        return self._async.capabilities
