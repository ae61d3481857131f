"""Documents, as their users know them, whatever keeps them."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from ..._core.adapt import is_store
from ..._core.errors import ConfigError, StoreClosed, StoreError
from ..._core.text import shorten
from .backend import AsyncDocumentBackend, Foreign, checked
from .copies import either
from .keyed import AsyncObjectBackend
from .turns import Turn
from .words import (
    UID,
    CopyError,
    CopyOutcome,
    InvalidDataException,
    InvalidKeyException,
    InvalidUIDException,
)

T = TypeVar("T")


class AsyncStorage:
    """Documents: values of bytes by key, in a document each with a `UID`.

    A document begins with its first value and ends with its last. How long a change is only in
    memory is the backend's matter: until `sync` or `close` where the collection is one object
    (`AsyncFileBackend`), not at all where each value is one (`AsyncObjectBackend`).

    It is opened by its first use, if not before, and can be opened again after `close`. A block
    (``async with``) that ends well syncs and closes. One that raises closes without a sync, and so
    does one whose last sync fails or is cancelled: who wants to try again syncs within the block.

    Args:
        backend: What keeps the documents: the class of a backend, which is called with the
            settings; a backend; or a store, of which each value becomes an object. Anybody's
            object with the methods of `AsyncDocumentBackend` is a backend, be they blocking.
        settings: ``max_key_length``, in characters, and ``max_data_length``, in bytes, if they are
            not to be 32 and 65,536; all others are the backend's.

    Raises:
        ConfigError: A setting is unknown, or makes no sense.
    """

    MAX_KEY_LENGTH: int = 32
    MAX_DATA_LENGTH: int = 65536

    def __init__(self, backend: Any, settings: Mapping[str, Any] | None = None) -> None:
        given = dict(settings or {})
        self._key_limit = _limit(given, "max_key_length", self.MAX_KEY_LENGTH)
        self._data_limit = _limit(given, "max_data_length", self.MAX_DATA_LENGTH)
        self._backend = _backend(backend, given)
        self._turn = Turn()
        self._closed = False
        self._opened = False

    @property
    def inline(self) -> bool:
        """Whether it awaits nothing but blocking functions, so that it needs no loop."""
        return self._backend.inline

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._backend!r})"

    # -- life -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take the lock, if there is one, and read what has to be in memory.

        Raises:
            StorageLockedException: Somebody else has it open; it says who.
            CorruptStore: What is there are no documents; it is left alone.
        """
        async with self._turn:
            await self._open()

    async def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync and let go of everything; may be called again.

        Where the sync fails or is cancelled, the storage stays open, and nothing is lost: call it
        again. Where only copies failed (`CopyError`), it is closed.

        Args:
            options: ``{"sync": False}`` drops what is not synced.
        """
        async with self._turn:
            try:
                if self._opened:
                    await self._run("close", None, self._backend.close(options))
            except CopyError:
                self._opened, self._closed = False, True
                raise
            self._opened, self._closed = False, True

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close(None if kind is None else {"sync": False})
        except BaseException:
            # Nobody is left to try again, and others wait for the lock.
            await self.close({"sync": False})
            raise

    async def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
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
        await self._ready()
        return await self._run("sync", None, self._backend.sync(options))

    # -- documents --------------------------------------------------------------------------

    async def get(self, uid: UID, key: str) -> bytes | None:
        """The value of a key, or None where the document has none.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        self._check(uid, key)
        await self._ready()
        return await self._run("get", uid, self._backend.get(uid, key))

    async def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values of a document, by key.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        self._check(uid)
        await self._ready()
        return await self._run("get_document", uid, self._backend.get_document(uid))

    async def put(self, uid: UID, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store a value, in place of what is there; the document is made where there is none.

        Args:
            uid: The document's.
            key: 1 to 32 characters.
            data: At most 65,536 bytes.

        Raises:
            InvalidKeyException, InvalidUIDException, InvalidDataException: It cannot be stored.
        """
        self._check(uid, key)
        value = self._checked(data)
        await self._ready()
        await self._run("put", uid, self._backend.put(uid, key, value))

    async def delete(self, uid: UID, key: str) -> None:
        """Remove a value; nothing happens where there is none."""
        self._check(uid, key)
        await self._ready()
        await self._run("delete", uid, self._backend.delete(uid, key))

    async def delete_document(self, uid: UID) -> None:
        """Remove a document.

        Raises:
            DocumentNotFoundException: There is no such document.
        """
        self._check(uid)
        await self._ready()
        await self._run("delete_document", uid, self._backend.delete_document(uid))

    async def count(self, uid: UID) -> int:
        """How many keys a document has; 0 where there is none."""
        self._check(uid)
        await self._ready()
        return await self._run("count", uid, self._backend.count(uid))

    @staticmethod
    def generate_uid() -> UID:
        """A new UID, which nobody else has."""
        return UID.new()

    # -- checks -----------------------------------------------------------------------------

    async def _ready(self) -> None:
        if self._closed:
            raise StoreClosed("the documents were closed: open() them again", store=repr(self))
        if self._opened:
            return
        async with self._turn:
            if not self._opened:
                await self._open()

    async def _open(self) -> None:
        await self._run("open", None, self._backend.open())
        self._opened, self._closed = True, False

    def _check(self, uid: Any, *keys: Any) -> None:
        if not isinstance(uid, UID):
            raise InvalidUIDException(f"a document has a UID, not {shorten(repr(uid))}")
        for key in keys:
            if not isinstance(key, str) or not 0 < len(key) <= self._key_limit or not _is_utf8(key):
                raise InvalidKeyException(
                    f"a key is a text of 1 to {self._key_limit} characters, not {key!r:.80}"
                )

    def _checked(self, data: Any) -> bytes:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidDataException(f"a value is bytes and not {type(data).__name__}")
        value = bytes(data)
        if len(value) > self._data_limit:
            raise InvalidDataException(
                f"a value has at most {self._data_limit} bytes, and this one {len(value)}"
            )
        return value

    async def _run(self, operation: str, uid: UID | None, work: Coroutine[Any, Any, T]) -> T:
        """Do something, and say where an error came from."""
        try:
            return await work
        except StoreError as error:
            key = None if uid is None else str(uid)
            error.located(operation=operation, store=repr(self), key=key)
            raise


def _limit(settings: dict[str, Any], name: str, default: int) -> int:
    limit = settings.get(name, default)
    if not isinstance(limit, int) or limit < 1:
        raise ConfigError(f"{name} is a number from 1 on, not {limit!r}")
    return limit


def _backend(given: Any, settings: dict[str, Any]) -> AsyncDocumentBackend:
    if isinstance(given, type):
        return _known(given(settings=settings))
    own = {name: settings[name] for name in settings if not name.startswith("max_")}
    if is_store(given):
        return AsyncObjectBackend(either(given), **checked(AsyncObjectBackend, own))
    if own:
        raise ConfigError(f"a backend that is made already has no settings: {', '.join(own)}")
    return _known(given)


def _known(backend: Any) -> AsyncDocumentBackend:
    """A backend of ours, be it in the form for blocking callers, or somebody else's."""
    if type(backend).__module__.startswith("storage._sync."):
        backend = backend._async
    return backend if isinstance(backend, AsyncDocumentBackend) else Foreign(backend)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
