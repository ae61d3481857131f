"""What the errors of the server and of asyncpg mean, and what may be tried again after them."""

from __future__ import annotations

import enum

from ...._core.errors import (
    AccessDenied,
    ConfigError,
    CorruptStore,
    InvalidKey,
    MalformedResponse,
    NoSpace,
    NotSupported,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)


class Done(enum.Enum):
    """What became of what was asked for, where there was an error."""

    REFUSED = "nothing, and nothing will"
    NOTHING = "nothing, but the next time it may be done"
    UNKNOWN = "nobody knows"


_BY_CODE: dict[str, type[StoreError]] = {
    "08P01": MalformedResponse,
    "0A000": NotSupported,
    "22021": InvalidKey,  # a character that the database's encoding does not have
    "22P05": InvalidKey,
    "25006": AccessDenied,  # a standby, or a transaction that may only read
    "28000": AccessDenied,
    "28P01": AccessDenied,
    "3D000": StoreNotFound,
    "3F000": StoreNotFound,
    "42501": AccessDenied,
    "42703": CorruptStore,  # a table with other columns
    "42804": CorruptStore,
    "42809": CorruptStore,
    "42P01": StoreNotFound,
    "42P10": CorruptStore,
    "53100": NoSpace,
    "53200": NoSpace,
    "54000": NoSpace,
    "55P03": StoreTimeout,
    "57014": StoreTimeout,
    "XX001": CorruptStore,
    "XX002": CorruptStore,
}
_BY_CLASS: dict[str, type[StoreError]] = {
    "08": StoreUnavailable,
    "40": StoreUnavailable,
    "53": StoreUnavailable,
    "57": StoreUnavailable,
    "58": StoreUnavailable,
}
MISSING_TABLE = "42P01"
MADE_MEANWHILE = frozenset({"23505", "42710", "42P07", "42P06", "42723", "XX000"})
"""Codes of a table that somebody else is just making, too."""
UNIQUE = "23505"
_UNDONE = frozenset({"40001", "40P01", "53300", "57P03"})
"""Codes of what was rolled back, or of a server that does not let anybody in yet."""
_LOST = frozenset({"57P01", "57P02", "57P05"})
"""Codes of a server that ends the connection."""


def code_of(error: BaseException) -> str:
    """The SQLSTATE of an error, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def translated(error: BaseException) -> StoreError:
    """The store's error that says what an error of asyncpg or of the system means."""
    if isinstance(error, StoreError):
        return error
    code = code_of(error)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = (str(error.args[0]) if error.args else "") or type(error).__name__
    made: StoreError
    if code:
        kind = _BY_CODE.get(code) or _BY_CLASS.get(code[:2], StoreError)
        made = kind(f"the server says: {text[:300]} ({code})")
    elif isinstance(error, TimeoutError):
        made = StoreUnavailable("the server did not answer in time")
    elif isinstance(error, OSError):
        made = StoreUnavailable(error.strerror or text)
    elif "ClientConfigurationError" in kinds:
        made = ConfigError(text)
    elif "InternalClientError" in kinds or "ProtocolError" in kinds:
        made = MalformedResponse(text)
    elif "InterfaceError" in kinds:
        made = StoreUnavailable(text)
    else:
        made = StoreError(f"{type(error).__name__}: {text[:300]}")
    made.__cause__ = error
    return made


def outcome(error: BaseException, *, sent: bool) -> Done:
    """What became of what was asked for.

    Args:
        error: What was raised.
        sent: Whether it came after a connection had been got.
    """
    if isinstance(error, StoreError):
        return Done.REFUSED
    code = code_of(error)
    if code in _UNDONE:
        return Done.NOTHING
    if code in _LOST or code.startswith("08"):
        return Done.UNKNOWN if sent else Done.NOTHING
    if code:
        return Done.REFUSED
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, OSError):  # timeouts, too
        return Done.UNKNOWN if sent else Done.NOTHING
    if "InterfaceError" in kinds and "connection is closed" in str(error):
        return Done.NOTHING  # noticed before anything was sent
    return Done.REFUSED
