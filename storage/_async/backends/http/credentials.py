"""What a server is told of its user: sent to one origin, and shown nowhere."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence

from ...._core.errors import ConfigError
from ...._core.text import Secret

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive", "range",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
"""What the store says itself, or what would change how the answer is read."""


def headers_of(
    headers: Mapping[str, str] | None, auth: str | Sequence[str] | None
) -> dict[str, Secret]:
    """The headers that a user's own and their credentials come to.

    Args:
        headers: By their names.
        auth: User and password, or a token.

    Raises:
        ConfigError: They are no headers, or the store's own.
    """
    found = {_name(name): _value(name, value) for name, value in (headers or {}).items()}
    if auth is not None:
        if any(name.lower() == "authorization" for name in found):
            raise ConfigError("auth and a header Authorization exclude each other")
        found["Authorization"] = _value("Authorization", _authorization(auth))
    return found


def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ConfigError(f"no name of a header: {name!r}")
    if name.lower() in _OURS:
        raise ConfigError(f"the header {name} is the store's own")
    return name


def _value(name: str, value: str) -> Secret:
    plain = value.reveal() if isinstance(value, Secret) else value
    if not _VALUE.fullmatch(plain):
        raise ConfigError(f"the header {name} is no text of one line")
    return Secret(plain)


def _authorization(auth: str | Sequence[str]) -> str:
    if isinstance(auth, str):
        return f"Bearer {_plain(auth)}"
    if len(auth) != 2 or not all(isinstance(each, str) for each in auth):
        raise ConfigError("auth is a token, or a pair of user and password")
    user, password = map(_plain, auth)
    if ":" in user:
        raise ConfigError("a user's name holds no colon")
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _plain(text: str) -> str:
    return text.reveal() if isinstance(text, Secret) else text
