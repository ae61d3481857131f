# Generated from storage/_async/documents/storage.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Documents, as their users know them, whatever keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from ..._async.documents.storage import AsyncStorage
from ..._async.documents.words import UID, CopyOutcome
from ..._core.bridge import Twin


class Storage(Twin):
    """Documents: values of bytes by key, in a document each with a `UID`.

    A document begins with its first value and ends with its last. How long a change is only in
    memory is the backend's matter: until `sync` or `close` where the collection is one object
    (`FileBackend`), not at all where each value is one (`ObjectBackend`).

    It is opened by its first use, if not before, and can be opened again after `close`. A block
    (``with``) that ends well syncs and closes. One that raises closes without a sync, and so
    does one whose last sync fails or is cancelled: who wants to try again syncs within the block.

    Args:
        backend: What keeps the documents: the class of a backend, which is called with the
            settings; a backend; or a store, of which each value becomes an object. Anybody's
            object with the methods of `DocumentBackend` is a backend, be they blocking.
        settings: ``max_key_length``, in characters, and ``max_data_length``, in bytes, if they are
            not to be 32 and 65,536; all others are the backend's.

    Raises:
        ConfigError: A setting is unknown, or makes no sense.
    """

    _async: AsyncStorage
    _async_type: ClassVar[type[AsyncStorage]] = AsyncStorage

    MAX_KEY_LENGTH: int = 32

    MAX_DATA_LENGTH: int = 65536

    def __init__(self, backend: Any, settings: Mapping[str, Any] | None = None) -> None:
        self._hold(self._async_type(backend, settings))

    def open(self) -> None:
        """Take the lock, if there is one, and read what has to be in memory.

        Raises:
            StorageLockedException: Somebody else has it open; it says who.
            CorruptStore: What is there are no documents; it is left alone.
        """
        self._run(self._async.open())

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync and let go of everything; may be called again.

        Where the sync fails or is cancelled, the storage stays open, and nothing is lost: call it
        again. Where only copies failed (`CopyError`), it is closed.

        Args:
            options: ``{"sync": False}`` drops what is not synced.
        """
        self._run(self._async.close(options))

    def __enter__(self) -> Self:
        self._run(self._async.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._run(self._async.__aexit__(kind, error, traceback))

    def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Make durable what is not, and then bring the redundant copies up to date.

        Args:
            options: ``{"overwrite": True}`` replaces what somebody else has written meanwhile.

        Returns:
            What became of each copy.

        Raises:
            PreconditionFailed: Somebody else has written meanwhile; nothing was written.
            StorageLockedException: The lock was lost meanwhile; nothing was written.
            CopyError: The documents are safe, but some copies failed.
        """
        return self._run(self._async.sync(options))

    def get(self, uid: UID, key: str) -> bytes | None:
        """The value of a key, or None where the document has none.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        return self._run(self._async.get(uid, key))

    def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values of a document, by key.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        return self._run(self._async.get_document(uid))

    def put(self, uid: UID, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store a value, in place of what is there; the document is made where there is none.

        Args:
            uid: The document's.
            key: 1 to 32 characters.
            data: At most 65,536 bytes.

        Raises:
            InvalidKeyException, InvalidUIDException, InvalidDataException: It cannot be stored.
        """
        self._run(self._async.put(uid, key, data))

    def delete(self, uid: UID, key: str) -> None:
        """Remove a value; nothing happens where there is none."""
        self._run(self._async.delete(uid, key))

    def delete_document(self, uid: UID) -> None:
        """Remove a document.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        self._run(self._async.delete_document(uid))

    def count(self, uid: UID) -> int:
        """How many keys a document has; 0 where there is none."""
        return self._run(self._async.count(uid))

    @staticmethod
    def generate_uid() -> UID:
        """A new UID, which nobody else has."""
        return AsyncStorage.generate_uid()
