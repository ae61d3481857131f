"""Keys as paths on a server."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from ...._core.errors import ConfigError, InvalidKey

TEMPORARY = ".storage-tmp-"
"""What the names of files in the making begin with; in any case of letters."""
MAX_NAME_BYTES = 255
"""Bytes that a file's name may have."""

_TEMPORARY = re.compile(r"(?:^|/)" + re.escape(TEMPORARY), re.IGNORECASE)
_PLAIN = re.compile(r"[^./][^/]{0,62}(?:/[^./][^/]{0,62})*")  # 63 characters have at most 252 bytes


def check_key(key: str) -> None:
    """Raise `InvalidKey` where no path is exactly this key."""
    if _PLAIN.fullmatch(key):
        return
    if _TEMPORARY.search(key):
        raise InvalidKey(f"{TEMPORARY!r} begins the names of files in the making")
    for part in key.split("/"):
        if part in ("", ".", ".."):
            raise InvalidKey("a path has no empty part and no part '.' or '..'")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise InvalidKey(f"a part of a path has at most {MAX_NAME_BYTES} bytes")


def is_temporary(name: str) -> bool:
    """Whether a file is in the making, or was when its writer was killed."""
    return name[: len(TEMPORARY)].lower() == TEMPORARY


def temporary_beside(path: str) -> str:
    """A new name for what will be renamed to ``path``."""
    return f"{above(path)}{TEMPORARY}{os.urandom(8).hex()}"


def above(path: str) -> str:
    """All of a path but its last name; what is left ends with a slash, or is empty."""
    return path[: path.rfind("/") + 1]


def root_of(path: str) -> str:
    """A root as keys are appended to it: with a slash at its end, or empty for where users begin.

    Raises:
        ConfigError: It cannot be one.
    """
    if any(ord(letter) < 32 for letter in path):
        raise ConfigError(f"no path of a directory: {path!r}")
    if path in ("~", ".", ""):
        return ""
    path = path.removeprefix("~/")
    return "/" if not path.strip("/") else path.rstrip("/") + "/"


def root_in_url(path: str) -> str:
    """The root that a URL's path means: absolute, or below the user's directory after ``/~``."""
    return path[1:] if path == "/~" or path.startswith("/~/") else path or "/"


def host_and_port(text: str) -> tuple[str, int | None]:
    """The two of a URL.

    Raises:
        ConfigError: They cannot be.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"no host and port: {text!r}") from error
    if not host:
        raise ConfigError("the URL names no host")
    return host, port
