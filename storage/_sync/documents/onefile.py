# Generated from storage/_async/documents/onefile.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Documents in one object, which is read when it is opened and written when it is synced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..._async.documents.onefile import LEASE, AsyncFileBackend, Locking
from ..._async.documents.words import UID, CopyOutcome
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .backend import DocumentBackend


class FileBackend(DocumentBackend):
    """A whole collection in one object of any store.

    It is in memory from `open` to `close`, and written, if anything has changed, by `sync`: in one
    step, so that whatever happens meanwhile, the object is the old one or the new one. What
    another process has written since is found and never written over (`PreconditionFailed`).
    Where the store has no conditional writes, as on FTP servers, the object is looked at right
    before, the new one is uploaded under another name, read back and compared, and then renamed.

    While it is open, other processes cannot open it: files have a lock of the operating system's,
    all other stores an object ``key.lock`` beside it, which names its holder and ends by itself.

    Args:
        store: Where; it remains the caller's to close.
        key: Under which key.
        codec: In what form: ``json``, ``yaml``, ``ini``, ``msgpack``, or one that was registered.
        lock: ``auto`` keeps others out while it is open. ``none`` does not; what they have written
            is found by the next `sync`, all the same.
        lock_wait: Seconds to wait for somebody else to close it, before `StorageLockedException`.
        lease: Seconds from one sync to the next after which somebody else may take the lock, where
            it is no lock of files.
        copies: Stores that get the same object at each `sync`, by name.
    """

    _async: AsyncFileBackend
    _async_type: ClassVar[type[AsyncFileBackend]] = AsyncFileBackend

    def __init__(
        self,
        store: ObjectStore,
        key: str,
        *,
        codec: str = "json",
        lock: Locking = "auto",
        lock_wait: float = 0.0,
        lease: float = LEASE,
        copies: Any = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                key,
                codec=codec,
                lock=lock,
                lock_wait=lock_wait,
                lease=lease,
                copies=copies,
            )
        )

    def open(self) -> None:
        """Take the lock and read the object; where there is none, the collection is empty."""
        self._run(self._async.open())

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync, drop what is in memory, and release the lock.

        Where the sync fails or is cancelled, it stays open, and nothing is lost: call `close`
        again, perhaps with ``{"sync": False}``. Where only copies failed, it is closed.

        Args:
            options: ``sync``: False drops what was not synced.
        """
        self._run(self._async.close(options))

    def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Write the object, if anything has changed, and then the copies.

        Args:
            options: ``overwrite``: True writes it over whatever somebody else has written since.

        Returns:
            What became of each copy.

        Raises:
            PreconditionFailed: Somebody else has written it since; nothing was written.
            StorageLockedException: The lock was lost; nothing was written.
            CopyError: The object was written, but some copies were not.
        """
        return self._run(self._async.sync(options))

    def get(self, uid: UID, key: str) -> bytes | None:
        return self._run(self._async.get(uid, key))

    def get_document(self, uid: UID) -> dict[str, bytes]:
        return self._run(self._async.get_document(uid))

    def put(self, uid: UID, key: str, data: bytes) -> None:
        self._run(self._async.put(uid, key, data))

    def delete(self, uid: UID, key: str) -> None:
        self._run(self._async.delete(uid, key))

    def delete_document(self, uid: UID) -> None:
        self._run(self._async.delete_document(uid))

    def count(self, uid: UID) -> int:
        return self._run(self._async.count(uid))
