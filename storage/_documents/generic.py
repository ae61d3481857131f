"""Backends of one's own: for documents in memory, only how they are read and written is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from .._async.documents.codecs import codec_named, load
from .._async.documents.collection import Collection
from .._async.documents.words import UID, StorageLockedException
from .._core.errors import StoreClosed


class GenericJsonBackend(ABC):
    """A collection in memory, from `open` to `close`, in a text that a subclass keeps.

    Args:
        settings: Whatever the subclass needs.
    """

    codec: str = "json"
    """In what form; one whose bytes are UTF-8."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self._db: Collection | None = None

    @abstractmethod
    def _read(self) -> str:
        """The text that was written last; an empty one at first."""

    @abstractmethod
    def _overwrite(self, contents: str) -> None:
        """Write the text, whole or not at all."""

    def _set_lock(self) -> bool:
        """Whether nobody else may write from now on."""
        return True

    def _release_lock(self) -> None:
        """Let others write again."""

    def open(self) -> None:
        """Take the lock and read."""
        if self._db is not None:
            return
        if not self._set_lock():
            raise StorageLockedException("somebody else has the documents open")
        try:
            text = self._read()
            self._db = Collection(load(codec_named(self.codec), text.encode()) if text else {})
        except BaseException:
            self._release_lock()
            raise

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Write, unless the options say ``{"sync": False}``, and release the lock.

        Where the write fails, it stays open, and nothing is lost.
        """
        if self._db is None:
            return
        self._db.seal(sealed=True)
        try:
            if (options or {}).get("sync", True):
                self.sync()
        except BaseException:
            self._db.seal(sealed=False)
            raise
        self._db = None
        self._release_lock()

    def sync(self, options: Mapping[str, Any] | None = None) -> None:
        """Write what is in memory."""
        _, documents = self._opened().moment()
        self._overwrite(codec_named(self.codec).dump(documents).decode())

    def get(self, uid: UID, key: str) -> bytes | None:
        """A value, or None."""
        return self._opened().get(uid, key)

    def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values of a document."""
        return self._opened().get_document(uid)

    def put(self, uid: UID, key: str, data: bytes) -> None:
        """Store a value."""
        self._opened().put(uid, key, data)

    def delete(self, uid: UID, key: str) -> None:
        """Remove a value, if there is one."""
        self._opened().delete(uid, key)

    def delete_document(self, uid: UID) -> None:
        """Remove a document."""
        self._opened().delete_document(uid)

    def count(self, uid: UID) -> int:
        """How many values there are."""
        return self._opened().count(uid)

    def _opened(self) -> Collection:
        if self._db is None:
            raise StoreClosed("the documents are not open")
        return self._db
