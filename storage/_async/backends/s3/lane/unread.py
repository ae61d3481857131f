"""Listings whose documents are read later: to ask for the next page comes first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_BEGIN, _END = b"<NextContinuationToken>", b"</NextContinuationToken>"
_ROOT, _LAST = b"<ListBucketResult", b"</ListBucketResult>"

_PLAIN = re.compile(rb"[!-%'-;=?-~]+")
"""Text that stands for itself: no reference, no tag, no CDATA, no space that is not meant."""


class Unread(Mapping[str, Any]):
    """The answer to a listing; its document is read when somebody looks at what it says.

    Args:
        content: The document.
        read: Reads it; what it raises is raised by whoever looks first.
    """

    def __init__(self, content: bytes, read: Callable[[bytes], Mapping[str, Any]]) -> None:
        self._content = content
        self._read = read
        self._whole: Mapping[str, Any] | None = None
        self.expected = _token(content)
        """What the document most probably has as its ``NextContinuationToken``; who asks with it
        has to look what the document says, too, before he believes the answer."""

    @staticmethod
    def suits(content: bytes) -> bool:
        """Whether a document looks like a listing, whole: all else is to be read at once."""
        return _ROOT in content[:512] and content[-64:].rstrip().endswith(_LAST)

    def _found(self) -> Mapping[str, Any]:
        if self._whole is None:
            self._whole = self._read(self._content)
            self._content = b""
        return self._whole

    def __getitem__(self, name: str) -> Any:
        return self._found()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())

    def __repr__(self) -> str:
        return repr(self._found())


def _token(content: bytes) -> str | None:
    start = content.find(_BEGIN) + len(_BEGIN)
    end = content.find(_END, start)
    token = content[start:end]
    if start < len(_BEGIN) or end <= start or not _PLAIN.fullmatch(token):
        return None
    return token.decode()
