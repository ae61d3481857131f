"""Objects in Google Cloud Storage."""

from ._async.backends.gcs.store import AsyncGoogleCloudStore
from ._sync.backends.gcs.store import GoogleCloudStore

__all__ = ["AsyncGoogleCloudStore", "GoogleCloudStore"]
