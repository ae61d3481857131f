"""Values of any form over any store, with AutoStore's names: async and blocking."""

from ._async.typed.store import AsyncTypedStore
from ._async.typed.wanted import CONTENT_TYPES, FileMetadata
from ._formats.base import DataHandler, Format
from ._formats.registry import Handlers
from ._formats.table import HANDLERS
from ._sync.typed.store import TypedStore
from ._typed.asynchronous import AsyncAutoStore
from ._typed.backends import LocalFileBackend, S3Backend
from ._typed.blocking import AutoStore
from ._typed.environment import config, find_dotenv, hash_obj, load_dotenv, setup_logging
from ._typed.errors import (
    BackendConfigurationError,
    BackendNotAvailableError,
    CacheError,
    FormatNotSupportedError,
    InvalidParameterError,
    StorageConnectionError,
    StorageError,
    StorageFileNotFoundError,
    StoragePermissionError,
    UnsupportedSchemeError,
)
from ._typed.filebackend import StorageBackend
from ._typed.options import LocalFileConfig, Options, S3Options, S3StorageConfig, StorageConfig
from ._typed.paths import AutoPath, StorePath

__all__ = [
    "CONTENT_TYPES",
    "HANDLERS",
    "AsyncAutoStore",
    "AsyncTypedStore",
    "AutoPath",
    "AutoStore",
    "BackendConfigurationError",
    "BackendNotAvailableError",
    "CacheError",
    "DataHandler",
    "FileMetadata",
    "Format",
    "FormatNotSupportedError",
    "Handlers",
    "InvalidParameterError",
    "LocalFileBackend",
    "LocalFileConfig",
    "Options",
    "S3Backend",
    "S3Options",
    "S3StorageConfig",
    "StorageBackend",
    "StorageConfig",
    "StorageConnectionError",
    "StorageError",
    "StorageFileNotFoundError",
    "StoragePermissionError",
    "StorePath",
    "TypedStore",
    "UnsupportedSchemeError",
    "config",
    "find_dotenv",
    "hash_obj",
    "load_dotenv",
    "setup_logging",
]
