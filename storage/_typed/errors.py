"""The errors by the names that users of AutoStore know; each is one of ours."""

from __future__ import annotations

from .._core.errors import (
    AccessDenied,
    ConfigError,
    MissingExtra,
    NotSupported,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
)

StorageError = StoreError
StorageFileNotFoundError = ObjectNotFound
StoragePermissionError = AccessDenied
StorageConnectionError = StoreUnavailable
BackendNotAvailableError = MissingExtra
UnsupportedSchemeError = ConfigError
BackendConfigurationError = ConfigError
InvalidParameterError = ConfigError
FormatNotSupportedError = NotSupported


class CacheError(StoreError):
    """Never raised: a cache that fails is logged and gone around."""
