"""Stores on SSH servers, async and blocking."""

from ._async.backends.sftp.store import AsyncSftpStore
from ._sync.backends.sftp.store import SftpStore

__all__ = ["AsyncSftpStore", "SftpStore"]
