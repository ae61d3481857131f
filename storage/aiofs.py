"""The async stores on files."""

from ._async.backends.fs import AsyncFilesystemStore, AsyncSafeFilesystemStore
from ._async.backends.hashdir import AsyncHashdirStore

__all__ = ["AsyncFilesystemStore", "AsyncHashdirStore", "AsyncSafeFilesystemStore"]
