"""Documents of keys and bytes under UIDs, with pyStorageBackend's names, over any store."""

from ._async.documents.backend import AsyncDocumentBackend
from ._async.documents.codecs import register_codec
from ._async.documents.keyed import AsyncObjectBackend
from ._async.documents.onefile import AsyncFileBackend
from ._async.documents.ready import (
    AsyncFtpJsonBackend,
    AsyncLocalJsonBackend,
    AsyncSqlite3Backend,
)
from ._async.documents.storage import AsyncStorage
from ._async.documents.words import (
    UID,
    CopyError,
    CopyOutcome,
    DocumentNotFoundException,
    InvalidDataException,
    InvalidKeyException,
    InvalidUIDException,
    StorageLockedException,
)
from ._documents.generic import GenericJsonBackend
from ._documents.opening import open_async_documents, open_documents
from ._sync.documents.backend import DocumentBackend
from ._sync.documents.keyed import ObjectBackend
from ._sync.documents.onefile import FileBackend
from ._sync.documents.ready import FtpJsonBackend, LocalJsonBackend, Sqlite3Backend
from ._sync.documents.storage import Storage

__all__ = [
    "UID",
    "AsyncDocumentBackend",
    "AsyncFileBackend",
    "AsyncFtpJsonBackend",
    "AsyncLocalJsonBackend",
    "AsyncObjectBackend",
    "AsyncSqlite3Backend",
    "AsyncStorage",
    "CopyError",
    "CopyOutcome",
    "DocumentBackend",
    "DocumentNotFoundException",
    "FileBackend",
    "FtpJsonBackend",
    "GenericJsonBackend",
    "InvalidDataException",
    "InvalidKeyException",
    "InvalidUIDException",
    "LocalJsonBackend",
    "ObjectBackend",
    "Sqlite3Backend",
    "Storage",
    "StorageLockedException",
    "open_async_documents",
    "open_documents",
    "register_codec",
]
