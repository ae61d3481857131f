"""Objects in Azure Blob Storage."""

from ._async.backends.azure.store import AsyncAzureBlobStore
from ._sync.backends.azure.store import AzureBlobStore

__all__ = ["AsyncAzureBlobStore", "AzureBlobStore"]
