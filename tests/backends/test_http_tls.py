"""HTTPS: whose certificates are believed, and that no redirect leads away from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("cryptography")

from storage.http import AsyncHttpStore
from storage.object import AccessDenied, StoreUnavailable
from tests.backends.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody knows."""
    return Authority(tmp_path)


@pytest.fixture
async def url(authority: Authority) -> AsyncIterator[str]:
    """A server with a certificate of that authority."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while await reader.readline() != b"\r\n":
                    pass
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent"
                if line.startswith(b"GET /down"):
                    place = b"http://127.0.0.1:1/content?secret"
                    head = (
                        b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % place
                    )
                writer.write(head)
                await writer.drain()
        finally:
            writer.close()

    context = authority.server("localhost")
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def test_certificates(url: str, authority: Authority) -> None:
    async with AsyncHttpStore(url, tls=authority.client(), auth="canary") as store:
        assert await store.get("a") == b"content"
        with pytest.raises(AccessDenied, match="TLS"):
            await store.get("down")
        with pytest.raises(TypeError):
            store.__reduce__()
    async with AsyncHttpStore(url) as store:
        with pytest.raises(StoreUnavailable, match="no safe connection"):
            await store.get("a")
    async with AsyncHttpStore(
        url.replace("localhost", "127.0.0.1"), tls=authority.client()
    ) as store:
        with pytest.raises(StoreUnavailable, match="no safe connection"):
            await store.get("a")
