"""A store with one object, and the service of it."""

from __future__ import annotations

import pytest

from storage.asgi import StoreApp
from storage.object import AsyncDictStore
from tests.asgi.client import Client

CONTENT = b"0123456789"


@pytest.fixture
async def store() -> AsyncDictStore:
    store = AsyncDictStore()
    await store.put("a.txt", CONTENT)
    return store


@pytest.fixture
def client(store: AsyncDictStore) -> Client:
    """All is allowed."""
    return Client(StoreApp(store, writable=True, browse=True))
