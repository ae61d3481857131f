"""The words of asyncssh in ours."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import asyncssh

from ...._core.errors import AccessDenied, NoSpace, NotSupported, StoreError, StoreUnavailable
from .._remote.session import Facts, Kind, Refused

_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.LINK}
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_DENIED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPCannotDelete)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_GONE = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.Error, OSError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of asyncssh into ours."""
    try:
        yield
    except StoreError:  # many of which are OSError, too
        raise
    except _MISSING as error:
        raise FileNotFoundError(str(error)) from error
    except _DENIED as error:
        raise AccessDenied(f"the server denies it: {error}") from error
    except _FULL as error:
        raise NoSpace(f"the server has no space left: {error}") from error
    except asyncssh.SFTPOpUnsupported as error:
        raise NotSupported(f"the server cannot do it: {error}") from error
    except (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable) as error:
        raise AccessDenied(str(error)) from error
    except asyncssh.SFTPError as error:
        if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
            raise StoreUnavailable(f"the connection was lost: {error}") from error
        raise Refused(f"the server refused: {error}") from error
    except _GONE as error:
        raise StoreUnavailable(f"the server cannot be reached: {error}") from error


def facts_of(found: asyncssh.SFTPAttrs) -> Facts:
    """What attributes tell."""
    # A server that tells no permissions has nothing else than files to tell of.
    mode = stat.S_IFREG if found.permissions is None else stat.S_IFMT(found.permissions)
    kind = _KINDS.get(mode, Kind.OTHER)
    modified = None if found.mtime is None else datetime.fromtimestamp(found.mtime, UTC)
    return Facts(kind, found.size, modified)
