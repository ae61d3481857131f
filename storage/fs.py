"""The blocking stores on files."""

from ._core.filenames import FilesystemKeyTransformer, hashpath
from ._sync.backends.fs import FilesystemStore, SafeFilesystemStore
from ._sync.backends.hashdir import HashdirStore

__all__ = [
    "FilesystemKeyTransformer",
    "FilesystemStore",
    "HashdirStore",
    "SafeFilesystemStore",
    "hashpath",
]
