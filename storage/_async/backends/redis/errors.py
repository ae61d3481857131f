"""What the errors of servers and of redis-py mean."""

from __future__ import annotations

import re

from ...._core.errors import (
    AccessDenied,
    CorruptStore,
    MalformedResponse,
    NoSpace,
    NotSupported,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)

LOADING = frozenset({"LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"})
"""Codes of a server that has done nothing, and will soon be able to."""

_BY_CODE: dict[str, type[StoreError]] = {
    **dict.fromkeys(LOADING, StoreUnavailable),
    "ASK": NotSupported,
    "CROSSSLOT": NotSupported,
    "DENIED": AccessDenied,
    "MISCONF": StoreUnavailable,
    "MOVED": NotSupported,
    "NOAUTH": AccessDenied,
    "NOPERM": AccessDenied,
    "NOREPLICAS": StoreUnavailable,
    "OOM": NoSpace,
    "READONLY": AccessDenied,
    "WRONGPASS": AccessDenied,
    "WRONGTYPE": CorruptStore,
}
_BY_TEXT: tuple[tuple[str, type[StoreError]], ...] = (
    ("maximum allowed size", NoSpace),
    ("invalid bulk length", NoSpace),
    ("max number of clients", StoreUnavailable),
    ("DB index is out of range", StoreNotFound),
    ("invalid DB index", StoreNotFound),
    ("invalid password", AccessDenied),
    ("without any password", AccessDenied),
    ("operation not permitted", AccessDenied),
    ("unknown command", NotSupported),
)
_HINTS: dict[str, str] = {
    "CROSSSLOT": "; clusters are not supported",
    "MOVED": "; clusters are not supported",
    "READONLY": "; this server is a replica",
    "WRONGTYPE": "; what is under this key is no string",
}
_CODE = re.compile(r"[A-Z]{3,}(?= |$)")
# Servers before 7.0 say so where a command within a script failed.
_WITHIN = re.compile(r"-([A-Z]{3,}) ")
# What a script appends for its author.
_TRAILER = re.compile(r"\.? script: \w{40}, on .*$", re.DOTALL)


class Lost(Exception):
    """A connection could not be made, or broke.

    Args:
        error: Why.
        sent: Whether the server may have done what it was asked for.
    """

    def __init__(self, error: Exception, *, sent: bool) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.sent = sent
        self.error = error


def code_of(error: Exception) -> str:
    """The code that the server's error begins with."""
    known = _OF_CLASS.get(type(error).__name__)
    if known:  # redis-py has taken it off the message
        return known
    text = str(error)
    within = _WITHIN.search(text) if text.startswith("ERR") else None
    if within:
        return within[1]
    found = _CODE.match(text)
    return found[0] if found else ""


def translated(error: Exception) -> StoreError:
    """The store's error that says what the server's error, or one of redis-py, means."""
    if isinstance(error, StoreError):
        return error
    text = _TRAILER.sub("", str(error)) or type(error).__name__
    kinds = {kind.__name__ for kind in type(error).__mro__}
    made: StoreError
    if "ResponseError" in kinds:
        made = _of_reply(error, text)
    elif {"AuthenticationError", "AuthorizationError"} & kinds:
        made = AccessDenied(text)
    elif "BusyLoadingError" in kinds:
        made = StoreUnavailable(f"LOADING {text}")
    elif {"InvalidResponse", "ValueError"} & kinds:  # a number that is none, for example
        made = MalformedResponse(text)
    elif "TimeoutError" in kinds:
        made = StoreTimeout(text)
    elif isinstance(error, OSError) or {"ConnectionError", "RedisError"} & kinds:
        made = StoreUnavailable(text)
    else:
        made = StoreError(f"{type(error).__name__}: {text}")
    made.__cause__ = error
    return made


def _of_reply(error: Exception, text: str) -> StoreError:
    code = code_of(error)
    if code and code not in text:
        text = f"{code} {text}"
    kind = _BY_CODE.get(code)
    if kind is None:
        kind = next((kind for words, kind in _BY_TEXT if words in text), StoreError)
    return kind(f"the server says: {text[:300]}{_HINTS.get(code, '')}")


_OF_CLASS = {
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}
