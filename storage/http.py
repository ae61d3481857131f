"""Stores behind HTTP servers, read-only, async and blocking."""

from ._async.backends.http.store import AsyncHttpStore
from ._sync.backends.http.store import HttpStore

__all__ = ["AsyncHttpStore", "HttpStore"]
