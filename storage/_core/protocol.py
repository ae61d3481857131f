"""The contract: what every store promises, async and blocking.

A store keeps objects, each a string of bytes under a key. Any object with the five verbs of
`AsyncObjectStore` (or, blocking, of `ObjectStore`) is a store and works everywhere in this
package. The stores of this package do more (see `AsyncBaseStore`), and all of them promise:

Keys
    A ``str`` of 1 to 1,024 bytes in UTF-8, without NUL and lone surrogates; otherwise opaque.
    A store keeps each key exactly as it is or refuses it with `InvalidKey` before it touches
    anything; it never normalises one and never leaves its root.
Values
    Bytes-like, or a stream: an iterable or async iterable of bytes-like, a file object, an open
    reader of any store. A ``str`` is a ``TypeError``. A stream is stored in bounded memory.
Atomic
    A reader sees the old object or the new one, whole. A put that fails, is cancelled or is
    killed leaves the old one, and nothing else listed.
Durable
    When put returns, the object survives the death of the process; with ``durable=True``
    also a power cut.
Missing keys
    ``get``, ``head``, ``delete`` and ``copy`` raise `ObjectNotFound` (a ``KeyError``).
Conditions
    ``if_absent`` and ``if_match`` are atomic, or refused with `NotSupported`.
Cancelling
    At any ``await``: nothing is left behind, and the next call on the same store is right.
Closing
    ``aclose()`` may be called again; every other call on a closed store raises `StoreClosed`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, runtime_checkable

from .errors import NotSupported


@runtime_checkable
class AsyncObjectStore(Protocol):
    """The five verbs, for asyncio."""

    @abstractmethod
    async def get(self, key: str, /) -> bytes:
        """The object's bytes. Raises `ObjectNotFound` (a ``KeyError``) where there is none."""
        ...

    @abstractmethod
    async def put(self, key: str, data: Any, /) -> Any:
        """Store ``data`` under ``key``, in place of what is there."""
        ...

    @abstractmethod
    async def exists(self, key: str, /) -> bool:
        """Whether there is an object under ``key``."""
        ...

    @abstractmethod
    async def delete(self, key: str, /) -> Any:
        """Remove the object. Raises `ObjectNotFound` (a ``KeyError``) where there is none."""
        ...

    def keys(self) -> AsyncIterator[str]:
        """All keys, as a stream. Raises `NotSupported` unless a subclass lists them."""
        raise NotSupported("this store does not list its keys", operation="keys", store=repr(self))


@runtime_checkable
class ObjectStore(Protocol):
    """The five verbs, blocking; to be subclassed or just looked like."""

    @abstractmethod
    def get(self, key: str, /) -> bytes:
        """The object's bytes. Raises `ObjectNotFound` (a ``KeyError``) where there is none."""
        ...

    @abstractmethod
    def put(self, key: str, data: Any, /) -> Any:
        """Store ``data`` under ``key``, in place of what is there."""
        ...

    @abstractmethod
    def exists(self, key: str, /) -> bool:
        """Whether there is an object under ``key``."""
        ...

    @abstractmethod
    def delete(self, key: str, /) -> Any:
        """Remove the object. Raises `ObjectNotFound` (a ``KeyError``) where there is none."""
        ...

    def keys(self) -> Iterator[str]:
        """All keys, as a stream. Raises `NotSupported` unless a subclass lists them."""
        raise NotSupported("this store does not list its keys", operation="keys", store=repr(self))


@runtime_checkable
class SupportsPresign(Protocol):
    """A store that gives out URLs which work for a while without credentials."""

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """A URL that reads the object during the next ``expiry`` seconds (1 s to 7 days)."""
        ...

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """A URL that writes the object during the next ``expiry`` seconds (1 s to 7 days)."""
        ...


@runtime_checkable
class SupportsTTL(Protocol):
    """A store whose objects go by themselves after a while, if it is told so.

    From the moment on at which its time is over, an object is missing for every verb: it is neither
    read nor listed, ``if_absent`` is fulfilled, and no ``if_match`` is. When its room is free again
    is up to the store; one that does not see to that by itself has a ``sweep()``.

    Each put says anew how long the object lives: one by a store without a lifetime, over an object
    that has one, makes it live for ever. A copy goes when its source would, and so does what was
    moved. From one store to another, in a sync too, go content and attributes, no lifetimes: what
    arrives lives as long as its new store says.
    """

    def with_ttl(self, ttl: float | None, /) -> Any:
        """The same store, where what is put goes ``ttl`` seconds later; None: never."""
        ...
