"""The blocking stores on files."""

from ._sync.backends.fs import FilesystemStore, SafeFilesystemStore
from ._sync.backends.hashdir import HashdirStore

__all__ = ["FilesystemStore", "HashdirStore", "SafeFilesystemStore"]
