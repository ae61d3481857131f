"""Content types and users' metadata, as an extended attribute of the object's own file."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from typing import TypeAlias

from ...._core.errors import NotSupported
from ...._core.info import WriteOptions

NAME = "user.storage.attributes"
"""The one extended attribute; its value is JSON: the content type, then the pairs."""

Known: TypeAlias = tuple[str | None, Mapping[str, str] | None]
"""The content type and the pairs."""
UNKNOWN: Known = (None, None)

_UNABLE = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EPERM}


def are_kept(root: bytes) -> bool:
    """Whether the file system of a directory, or of where it would be made, keeps them."""
    if not hasattr(os, "getxattr"):
        return False
    path = os.path.abspath(root)
    while True:
        try:
            os.getxattr(path, NAME)
        except (FileNotFoundError, NotADirectoryError):
            path = os.path.dirname(path)  # at the latest the root of all is there
        except OSError as error:
            return error.errno not in _UNABLE
        else:
            return True


def pack(options: WriteOptions) -> bytes:
    """What a write wants to keep; empty for nothing."""
    if not options.attributed:
        return b""
    pairs = dict(options.metadata or {})
    # ASCII: so any text comes back, lone surrogates too.
    return json.dumps([options.content_type, pairs], separators=(",", ":")).encode()


def unpack(text: bytes) -> Known:
    """The reverse of `pack`; what is not ours is nothing, since the bytes must stay readable."""
    if not text:
        return None, {}
    try:
        content_type, pairs = json.loads(text)
        if isinstance(content_type, str | None) and isinstance(pairs, dict):
            return content_type, pairs
    except (ValueError, TypeError, RecursionError):
        pass
    return None, {}


def write(file: int, text: bytes) -> None:
    """Keep what `pack` gave with a file."""
    try:
        os.setxattr(file, NAME, text)
    except OSError as error:
        if error.errno in _UNABLE:
            raise NotSupported("this file system keeps no attributes with its files") from error
        if error.errno in (errno.E2BIG, errno.ERANGE, errno.ENOSPC):
            raise OSError(
                errno.ENOSPC,
                f"there is no room beside the file for {len(text)} bytes of attributes; "
                "many file systems have about 4,000 bytes for them",
            ) from error
        raise


def read(file: int | bytes) -> bytes:
    """What `write` kept; empty for nothing."""
    try:
        # Costs a fifth of an exception, which asking for it at once would mean nearly always.
        if NAME not in os.listxattr(file):
            return b""
        return os.getxattr(file, NAME)
    except OSError as error:
        if error.errno in _UNABLE or error.errno == errno.ENODATA:
            return b""
        raise


def read_in(directory: int, name: bytes) -> bytes:
    """Like `read`, by a name in a directory that is open."""
    # The calls for attributes know no directory to begin at.
    try:
        return read(b"/proc/self/fd/%d/%s" % (directory, name))
    except FileNotFoundError:
        return b""
