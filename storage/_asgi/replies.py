"""Short answers, and which one tells of an error; nothing of the store's inside is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil, isfinite
from typing import TypeAlias

from .._core.errors import (
    AccessDenied,
    IntegrityError,
    InvalidKey,
    NoSpace,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)

Headers: TypeAlias = Sequence[tuple[str, str]]

NOSNIFF = ("x-content-type-options", "nosniff")
RETRY = 5
"""Seconds after which a client may come again, where the store does not say."""


@dataclass(frozen=True)
class Reply:
    """An answer whose body is in memory."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass
class Refusal(Exception):
    """A request is refused.

    Args:
        status: The answer's status.
        reason: A sentence for whoever reads the body.
        headers: What the answer has to tell besides.
    """

    status: int
    reason: str = ""
    headers: Headers = field(default=())


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (ObjectNotFound, 404, "there is no such object"),
    (InvalidKey, 400, "the store has no such keys"),
    (AccessDenied, 403, "the store does not allow this"),
    # A condition of the client's own never gets here.
    (ObjectExists, 409, "there is an object already"),
    (PreconditionFailed, 409, "the object was changed meanwhile"),
    (NotSupported, 501, "the store cannot do this"),
    (StoreTimeout, 504, "the store took too long"),
    (NoSpace, 507, "the store is full"),
    (StoreUnavailable, 503, "the store cannot be reached"),
    (StoreNotFound, 503, "the store is not there"),
    (StoreClosed, 503, "the service is about to end"),
    (IntegrityError, 502, "the store's answer is damaged"),
)


def refusal_of(error: Exception) -> Refusal:
    """What a client is told of an error."""
    if isinstance(error, Refusal):
        return error
    for kind, status, reason in _STATUS:
        if isinstance(error, kind):
            again = (("retry-after", _again(error)),) if status == 503 else ()
            return Refusal(status, reason, again)
    return Refusal(500)


def _again(error: Exception) -> str:
    seconds = getattr(error, "retry_after", None)
    return str(max(0, ceil(seconds)) if seconds is not None and isfinite(seconds) else RETRY)


def refused(refusal: Refusal) -> Reply:
    """The answer that tells it."""
    title = f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
    body = f"{title}: {refusal.reason}\n" if refusal.reason else f"{title}\n"
    kind = ("content-type", "text/plain; charset=utf-8")
    return Reply(
        refusal.status,
        (kind, NOSNIFF, ("cache-control", "no-store"), *refusal.headers),
        body.encode(),
    )
