"""A store that proves what it reads."""

from __future__ import annotations

from dataclasses import replace

from ..._core.codecs.coding import Decoder, Encoder
from ..._core.codecs.trailing import Digests, TrailerReader, TrailerWriter
from ..._core.info import ObjectInfo
from ..._core.protocol import AsyncObjectStore
from .content import AsyncCodecStore


class AsyncChecksumStore(AsyncCodecStore):
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
    digest (see `AsyncEncryptingStore`).

    Args:
        store: A store of ours, or any object with the five async verbs.
        algorithm: One of `hashlib`, such as "sha256", "blake2b" or "md5".
        timeout: Seconds that one operation may take.

    Raises:
        ConfigError: There is no such algorithm.
    """

    _reads_on = True

    def __init__(
        self,
        store: AsyncObjectStore,
        algorithm: str = "sha256",
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._digests = Digests(algorithm)

    def _told(self, info: ObjectInfo) -> ObjectInfo:
        size = None if info.size is None else info.size - self._digests.length
        return replace(info, size=None if size is None or size < 0 else size, checksum=None)

    def _encoder(self, key: str) -> Encoder:
        return TrailerWriter(self._digests)

    def _decoder(self, key: str) -> Decoder:
        return TrailerReader(self._digests)

    def _known(self, info: ObjectInfo, size: int, coder: Encoder | Decoder) -> ObjectInfo:
        assert isinstance(coder, TrailerReader | TrailerWriter)
        return replace(super()._known(info, size, coder), checksum=coder.checksum)
