"""What an HTTP store reads, by the checks of the kit; what they write goes straight to the server.

The store itself writes nothing, so the tested one has a way to the server's memory. Everything that
is read goes over the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from storage._async.backends.http.answers import info_of
from storage._core.info import check_delete
from storage.http import AsyncHttpStore
from storage.object import Capability, ObjectInfo, WriteOptions
from storage.testing import StoreConformance
from tests.services.web import Stored, WebServer

_corners = count(1)


class WritableHttpStore(AsyncHttpStore):
    """Reads over HTTP, and writes without it."""

    _refused = frozenset()
    web: WebServer

    def __repr__(self) -> str:
        return "WritableHttpStore()"

    def _path(self, key: str) -> str:
        assert self._base is not None
        return f"{self._base.path}{key}"

    def _info(self, key: str, stored: Stored) -> ObjectInfo:
        return info_of(key, stored.headers, len(stored.data))

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        stored = self.web.objects[self._path(key)] = Stored(bytes(data))
        return self._info(key, stored)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if self.web.objects.pop(self._path(key), None) is None and not missing_ok:
            check_delete(key, None, if_match)

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        corner = self._path("")
        for path, stored in list(self.web.objects.items()):
            key = path.removeprefix(corner)
            if path.startswith(corner + prefix) and key.encode() > start_after.encode():
                yield self._info(key, stored)


class TestHttp(StoreConformance):
    """An HTTP server with etags and ranges."""

    capabilities = Capability.READ_CONDITIONS | Capability.RANGES | Capability.STREAMS
    refused_keys = ("..", "a/../b", "../x", "a/..", ".", "a\\..\\b")
    legal_keys = ("a//b", "//evil.example/x", "a@b", "a?b", "a#b", "%2e", "a\r\nHost: evil", "é 😀")
    creates = False
    in_memory = True
    remote = True
    thorough = False
    examples = 15
    steps = 8
    many = 50
    idle_descriptors = 130  # both ends of each connection are here

    @pytest.fixture(autouse=True)
    def _server(self, web: WebServer) -> None:
        self._web = web

    def _at(self, base_url: str, **options: Any) -> WritableHttpStore:
        store = WritableHttpStore(base_url, **options)
        store.web = self._web
        return store

    async def make_store(self) -> WritableHttpStore:
        return self._at(f"{self._web.url}/{next(_corners)}")

    async def reopen(self, store: Any) -> WritableHttpStore:
        return self._at(store._base.url)

    async def hurried(self, store: Any, timeout: float) -> WritableHttpStore:
        return self._at(store._base.url, timeout=timeout)
