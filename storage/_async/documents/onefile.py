"""Documents in one object, which is read when it is opened and written when it is synced."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from ..._core import calls
from ..._core.errors import ConfigError, StoreClosed, StoreError
from ..._core.protocol import AsyncObjectStore
from ..backends.fs import AsyncFilesystemStore
from ..base import AsyncBaseStore
from . import formats  # noqa: F401 - it registers the codecs
from .backend import AsyncDocumentBackend, option
from .codecs import Documents, codec_named, load
from .collection import Collection
from .copies import Copies
from .homes import Home
from .leases import lease_on
from .locks import FileLock, Lock, NoLock
from .place import Place
from .turns import Turn
from .words import UID, CopyError, CopyOutcome

LEASE = 300.0
Locking = Literal["auto", "none"]


class AsyncFileBackend(AsyncDocumentBackend):
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

    def __init__(
        self,
        store: AsyncObjectStore,
        key: str,
        *,
        codec: str = "json",
        lock: Locking = "auto",
        lock_wait: float = 0.0,
        lease: float = LEASE,
        copies: Any = None,
    ) -> None:
        if lock not in ("auto", "none"):
            raise ConfigError(f"lock is 'auto' or 'none', not {lock!r}")
        if not lease > 0 or not lock_wait >= 0:
            raise ConfigError("lease is a number of seconds above 0, and lock_wait one from 0 on")
        self._home = Home(store)
        self._key = key
        self._codec = codec_named(codec)
        self._locking = lock
        self._wait = lock_wait
        self._lease = lease
        self._copies = Copies(copies)
        self._place = Place(self._home.store, key)
        self._lock: Lock = NoLock()
        self._turn = Turn()
        self._collection: Collection | None = None
        self._written = 0
        """How many changes there were when it was written last."""

    @property
    def inline(self) -> bool:
        """Whether it needs no loop."""
        return self._home.store.inline and self._copies.inline

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._home.store!r}, {self._key!r})"

    def __del__(self) -> None:
        if getattr(self, "_collection", None) is not None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    # -- life -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take the lock and read the object; where there is none, the collection is empty."""
        async with self._turn:
            if self._collection is not None:
                return
            try:
                await self._home.enter()
                self._home.store._check("open", self._key)  # before there is a lock beside it
                await self._lock.release()  # if a close was interrupted
                self._place = Place(self._home.store, self._key)
                self._lock = self._make_lock()
                await self._lock.acquire(self._wait)
                documents = await self._read()
            except BaseException:
                with suppress(StoreError):  # the first error tells more
                    await self._let_go()
                raise
            self._collection, self._written = Collection(documents), 0

    async def _read(self) -> Documents:
        data = await self._place.read()
        return {} if data is None else await calls.call_user(load, self._codec, data)

    def _make_lock(self) -> Lock:
        if self._locking == "none":
            return NoLock()
        store = self._home.store
        if isinstance(store, AsyncFilesystemStore):
            return FileLock(os.path.join(store.root_path, f"{self._key}.lock"))
        return lease_on(store, f"{self._key}.lock", self._lease)

    async def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync, drop what is in memory, and release the lock.

        Where the sync fails or is cancelled, it stays open, and nothing is lost: call `close`
        again, perhaps with ``{"sync": False}``. Where only copies failed, it is closed.

        Args:
            options: ``sync``: False drops what was not synced.
        """
        wanted = option(options, "sync", default=True)
        async with self._turn:
            if self._collection is None:
                await self._let_go()  # if a close was interrupted
                return
            self._collection.seal(sealed=True)
            try:
                if wanted:
                    await self._sync(overwrite=False)
            except CopyError:
                await self._let_go()
                raise
            except BaseException:
                self._collection.seal(sealed=False)
                raise
            await self._let_go()

    async def _let_go(self) -> None:
        """Release the lock and leave the store; who is interrupted in between may do it again."""
        self._collection, failed = None, None
        try:
            await self._lock.release()
        except StoreError as error:  # a lease ends by itself
            failed = error
        self._lock = NoLock()
        await self._home.leave()
        if failed is not None:
            raise failed

    async def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
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
        overwrite = option(options, "overwrite", default=False)
        async with self._turn:
            self._opened()
            return await self._sync(overwrite=overwrite)

    async def _sync(self, *, overwrite: bool) -> Sequence[CopyOutcome]:
        changes, documents = self._opened().moment()
        await self._lock.renew()
        if changes == self._written and not self._copies and not overwrite:
            return ()
        data = await calls.call_user(self._codec.dump, documents)
        if changes != self._written or overwrite:
            await self._place.replace(data, overwrite=overwrite)
            self._written = changes

        async def bring(copy: AsyncBaseStore) -> bool:
            if await Place(copy, self._key).read() == data:
                return False
            await Place(copy, self._key).replace(data, overwrite=True)
            return True

        return await self._copies.update(bring)

    # -- documents --------------------------------------------------------------------------

    async def get(self, uid: UID, key: str) -> bytes | None:
        return self._opened().get(uid, key)

    async def get_document(self, uid: UID) -> dict[str, bytes]:
        return self._opened().get_document(uid)

    async def put(self, uid: UID, key: str, data: bytes) -> None:
        self._opened().put(uid, key, data)

    async def delete(self, uid: UID, key: str) -> None:
        self._opened().delete(uid, key)

    async def delete_document(self, uid: UID) -> None:
        self._opened().delete_document(uid)

    async def count(self, uid: UID) -> int:
        return self._opened().count(uid)

    def _opened(self) -> Collection:
        if self._collection is None:
            raise StoreClosed("the documents are not open")
        return self._collection
