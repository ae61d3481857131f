"""What a status other than success means.

Nothing of what the service wrote is passed on but its code: it repeats parts of the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ...._core.errors import (
    AccessDenied,
    NotModified,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreNotFound,
    StoreUnavailable,
)

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_UNDONE = frozenset({429, 503})
_NO_STORE = frozenset({"ContainerNotFound", "ContainerBeingDeleted", "AccountNotFound"})
_NO_OBJECT = frozenset({"BlobNotFound", "ResourceNotFound", "CannotVerifyCopySource"})
_LOCKED = frozenset(
    {"BlobImmutableDueToPolicy", "LeaseIdMissing", "LeaseIdMismatchWithBlobOperation"}
)
"""Somebody has the blob in lease, or a policy keeps it as it is."""
_CODE = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")


class Busy(StoreUnavailable):
    """The service did nothing, and wants to be asked again later."""


class Refusal(StoreError):
    """The same request would fail again; `understood` says what that means."""

    def __init__(self, message: str = "", status: int = 0, code: str = "", text: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.no_store = code in _NO_STORE or "bucket does not exist" in text
        self.no_object = code in _NO_OBJECT or text.startswith("No such object")

    def meaning(self, *, of_object: bool = True, if_absent: bool = False) -> StoreError:
        """The error that a caller understands; arguments as for `understood`."""
        message = self._message
        if self.status in (401, 403) or self.code in _LOCKED:
            return AccessDenied(message)
        if self.status == 404:
            missing = not of_object or self.no_store
            return StoreNotFound(message) if missing else ObjectNotFound(message)
        if self.status == 304:
            return NotModified(message)
        if self.code == "BlobAlreadyExists" or (self.status == 412 and if_absent):
            return ObjectExists("there is an object under this key")
        if self.status == 412:
            return PreconditionFailed("the object is another one by now, or is gone")
        if self.code in ("InvalidBlockList", "InvalidBlobOrBlock"):
            return PreconditionFailed("another writer stored this key while the stream was sent")
        return StoreUnavailable(message) if self.status == 409 else StoreError(message)


@contextmanager
def understood(*, of_object: bool = True, if_absent: bool = False) -> Iterator[None]:
    """Give a refusal as the error that a caller understands.

    Args:
        of_object: Whether an object was asked for; else only the store can be missing.
        if_absent: Whether something was to be stored only if there was nothing.
    """
    try:
        yield
    except Refusal as error:
        raise error.meaning(of_object=of_object, if_absent=if_absent) from None


def failure(status: int, headers: Mapping[str, str], body: bytes) -> StoreError:
    """The error that a status means."""
    code = _code(headers, body)
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    message = f"the server answered {status}{phrase}" + (f" ({code})" if code else "")
    if status not in _PASSING:
        return Refusal(message, status, code, _text(body))
    error = (Busy if status in _UNDONE else StoreUnavailable)(message)
    error.retry_after = _seconds(headers.get("Retry-After"))
    return error


def _code(headers: Mapping[str, str], body: bytes) -> str:
    told = headers.get("x-ms-error-code", "")
    if re.fullmatch("[A-Za-z]{1,60}", told):
        return told
    found = _CODE.search(body[:4096])
    return found[1].decode() if found else ""


def _text(body: bytes) -> str:
    """What the service says in words, to be looked at only."""
    if not body.startswith(b"{"):
        return body[:500].decode(errors="replace")
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _seconds(text: str | None) -> float | None:
    """What a ``Retry-After`` asks for: seconds, or a date."""
    if text is None:
        return None
    if text.isdecimal():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date.astimezone(UTC) - datetime.now(UTC)).total_seconds())
