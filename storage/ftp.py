"""Stores on FTP servers, async and blocking."""

from ._async.backends.ftp.store import AsyncFtpStore
from ._sync.backends.ftp.store import FtpStore

__all__ = ["AsyncFtpStore", "FtpStore"]
