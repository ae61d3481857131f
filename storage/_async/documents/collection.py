"""A collection of documents in memory."""

from __future__ import annotations

import threading

from ..._core.errors import StoreClosed
from .codecs import Documents
from .words import UID, DocumentNotFoundException


class Collection:
    """Documents in memory, and how often they have changed; safe to use from many threads.

    Args:
        documents: Values by key, by UID; none of them is empty.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._sealed = False
        self.changes = 0

    def moment(self) -> tuple[int, Documents]:
        """How many changes there were, and what they came to."""
        with self._lock:
            copied = {uid: dict(document) for uid, document in self._documents.items()}
            return self.changes, copied

    def seal(self, *, sealed: bool) -> None:
        """Take no more changes, or take them again."""
        with self._lock:
            self._sealed = sealed

    def _change(self) -> None:
        if self._sealed:
            raise StoreClosed("the documents are being closed")
        self.changes += 1

    def get(self, uid: UID, key: str) -> bytes | None:
        """A value, or None."""
        return self._document(uid).get(key)

    def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values of a document."""
        with self._lock:
            return dict(self._document(uid))

    def put(self, uid: UID, key: str, data: bytes) -> None:
        """Store a value."""
        with self._lock:
            self._change()
            self._documents.setdefault(str(uid), {})[key] = data

    def delete(self, uid: UID, key: str) -> None:
        """Remove a value, and with the last one the document."""
        with self._lock:
            document = self._documents.get(str(uid), {})
            if key not in document:
                return
            self._change()
            del document[key]
            if not document:
                del self._documents[str(uid)]

    def delete_document(self, uid: UID) -> None:
        """Remove a document."""
        with self._lock:
            self._document(uid)
            self._change()
            del self._documents[str(uid)]

    def count(self, uid: UID) -> int:
        """How many values a document has."""
        return len(self._documents.get(str(uid), {}))

    def _document(self, uid: UID) -> dict[str, bytes]:
        try:
            return self._documents[str(uid)]
        except KeyError:
            raise missing() from None


def missing() -> DocumentNotFoundException:
    """The error that says so."""
    return DocumentNotFoundException("there is no document under this UID")
