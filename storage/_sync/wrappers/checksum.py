# Generated from storage/_async/wrappers/checksum.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that proves what it reads."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.checksum import AsyncChecksumStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .content import CodecStore


class ChecksumStore(CodecStore):
    """Keeps a digest with each object, and checks it on each read.

    The digest follows the content, in the same object: it is written with it, in one pass and
    atomically, over any child. (Metadata would have to be sent before a stream whose digest
    nobody knows yet; an object of its own could belong to another version.) So an object has a
    trailer for those who read it without this store, and what was put without this store is
    refused.

    What was changed, cut off or lengthened is a `DecodeError`, which is an `IntegrityError`.
    `get` gives nothing before all is checked, also where only a part is asked for; a stream gives
    its pieces as they come, and the error in place of its end. A reader that is left before its
    end has checked nothing. This finds accidents: whoever can write the object can write its
    digest (see `EncryptingStore`).

    Args:
        store: A store of ours, or any object with the five async verbs.
        algorithm: One of `hashlib`, such as "sha256", "blake2b" or "md5".
        timeout: Seconds that one operation may take.

    Raises:
        ConfigError: There is no such algorithm.
    """

    _async: AsyncChecksumStore
    _async_type: ClassVar[type[AsyncChecksumStore]] = AsyncChecksumStore

    def __init__(
        self, store: ObjectStore, algorithm: str = "sha256", *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(to_async(store), algorithm, timeout=timeout))
