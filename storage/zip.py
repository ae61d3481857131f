"""Stores in zip archives, async and blocking."""

from ._async.backends._zip.checking import ZipCheckReport
from ._async.backends.zip import AsyncZipStore
from ._sync.backends.zip import ZipStore

__all__ = ["AsyncZipStore", "ZipCheckReport", "ZipStore"]
