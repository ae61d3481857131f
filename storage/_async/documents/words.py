"""The words of documents: UIDs and errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..._core.errors import FanoutError, InvalidKey, ObjectNotFound, StoreError, StoreUnavailable
from ..._core.text import shorten

_UID = re.compile(r"[0-9A-Za-z_-]{1,32}")


class InvalidUIDException(InvalidKey):
    """This is no `UID`."""


class InvalidKeyException(InvalidKey):
    """A key is a text of 1 to 32 characters, unless the settings say otherwise."""


class InvalidDataException(StoreError, ValueError):
    """A value is bytes, at most 65,536 of them, unless the settings say otherwise."""


class DocumentNotFoundException(ObjectNotFound):
    """There is no document under this UID."""


class StorageLockedException(StoreUnavailable):
    """Somebody else has the documents open for writing.

    Attributes:
        holder: Who, as far as it is known.
        retry_after: Seconds after which they are given up unless their holder shows itself again;
            None: as long as it lives.
    """

    holder: str = "somebody"


class CopyOutcome(NamedTuple):
    """What became of one redundant copy."""

    name: str
    written: bool
    """False: it was the same already, or it failed."""
    error: Exception | None = None


class CopyError(FanoutError):
    """The documents are safe, but some copies of them failed (``errors``, by name)."""

    outcomes: Sequence[CopyOutcome] = ()
    """Those of all copies."""


@dataclass(frozen=True, slots=True, repr=False)
class UID:
    """The name of a document.

    Args:
        uid: 1 to 32 letters, digits, ``-`` and ``_``.

    Raises:
        InvalidUIDException: It is something else.
    """

    uid: str

    def __post_init__(self) -> None:
        text: object = self.uid
        if not isinstance(text, str) or not _UID.fullmatch(text):
            raise InvalidUIDException(
                f"a UID is 1 to 32 letters, digits, - and _, not {shorten(repr(text))}"
            )

    @staticmethod
    def new() -> UID:
        """A new one of 32 hexadecimal digits, which nobody else has."""
        return UID(uuid.uuid4().hex)

    def __str__(self) -> str:
        return self.uid

    def __repr__(self) -> str:
        return f"UID({self.uid})"
