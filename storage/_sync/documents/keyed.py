# Generated from storage/_async/documents/keyed.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Documents in objects: one for each key, written at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..._async.documents.keyed import AsyncObjectBackend
from ..._async.documents.words import UID, CopyOutcome
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .backend import DocumentBackend


class ObjectBackend(DocumentBackend):
    """Each value in an object of its own, under ``prefix + uid/key``.

    So documents may be as many and as large together as the store can hold, several processes can
    use them at once, and a value is durable as soon as `put` has returned. Each value is atomic;
    a document is not: who reads one while it is written may see a part of the changes. Of a
    key, slashes, backslashes, ``%``, control characters and a dot at the beginning are
    percent-encoded.

    Args:
        store: Where; it remains the caller's to close.
        prefix: What all keys begin with.
        copies: Stores that `sync` makes the same, by name: what they have beyond, under ``prefix``
            and then two levels deep, is removed. An empty store is no reason to empty its copies:
            it is reported as a failure.
    """

    _async: AsyncObjectBackend
    _async_type: ClassVar[type[AsyncObjectBackend]] = AsyncObjectBackend

    def __init__(self, store: ObjectStore, prefix: str = "", *, copies: Any = None) -> None:
        self._hold(self._async_type(to_async(store), prefix, copies=copies))

    def open(self) -> None:
        """Nothing is held, so there is nothing to take."""
        self._run(self._async.open())

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Sync the copies, if there are any, and close what was opened here.

        Args:
            options: ``sync``: False leaves the copies as they are.
        """
        self._run(self._async.close(options))

    def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Make the copies the same; the documents themselves are durable already.

        Args:
            options: ``overwrite`` has no meaning here.

        Raises:
            CopyError: Some copies failed.
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
