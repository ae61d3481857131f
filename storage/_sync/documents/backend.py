# Generated from storage/_async/documents/backend.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""What keeps documents: the interface, and anybody's objects that have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..._async.documents.backend import AsyncDocumentBackend
from ..._async.documents.words import UID, CopyOutcome
from ..._core.bridge import Twin


class DocumentBackend(Twin):
    """What keeps documents, for `Storage`, which has checked all arguments before.

    A document without keys does not exist.
    """

    _async: AsyncDocumentBackend
    _async_type: ClassVar[type[AsyncDocumentBackend]] = AsyncDocumentBackend  # type: ignore[type-abstract]

    def open(self) -> None:
        """Make it ready; does nothing where it is."""
        self._run(self._async.open())

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Make durable what is not, unless the options say otherwise, and let go of everything."""
        self._run(self._async.close(options))

    def get(self, uid: UID, key: str) -> bytes | None:
        """A value, or None. Raises `DocumentNotFoundException` where there is no document."""
        return self._run(self._async.get(uid, key))

    def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values by key. Raises `DocumentNotFoundException` where there are none."""
        return self._run(self._async.get_document(uid))

    def put(self, uid: UID, key: str, data: bytes) -> None:
        """Store a value."""
        self._run(self._async.put(uid, key, data))

    def delete(self, uid: UID, key: str) -> None:
        """Remove a value, if there is one."""
        self._run(self._async.delete(uid, key))

    def delete_document(self, uid: UID) -> None:
        """Remove all values. Raises `DocumentNotFoundException` where there are none."""
        self._run(self._async.delete_document(uid))

    def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Make durable what is not, and bring the copies up to date."""
        return self._run(self._async.sync(options))

    def count(self, uid: UID) -> int:
        """How many values there are."""
        return self._run(self._async.count(uid))
