"""A service over a real bucket: many clients at once, and the store's own URLs."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("aiobotocore")

from storage.aioutils import AsyncIdentityStore
from storage.asgi import StoreApp
from storage.object import AsyncDictStore
from tests.asgi.client import Client
from tests.asgi.conftest import CONTENT
from tests.asgi.serving import Connection, connected, serving
from tests.backends.s3 import busy_connections, own_corner
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

CLIENTS = 60
SIZE = 512 * 1024


@pytest.fixture
async def bucket(seaweedfs: S3Service, shared_bucket: NewBucket) -> Any:
    async with own_corner(seaweedfs, shared_bucket) as store:
        yield store


async def test_a_crowd_of_which_half_goes_away(bucket: Any) -> None:
    """With fewer connections to S3 than clients."""
    data = bytes(range(256)) * (SIZE // 256)
    await bucket.put("object", data)
    good = 0
    most = 0

    async def download(client: Connection, leaves: bool) -> None:
        nonlocal good, most
        client.send("GET /object")
        assert (await client.head()).status == 200
        most = max(most, await busy_connections(bucket))
        if leaves:
            await client.reader.readexactly(10_000)
            client.cut()
        else:
            for at in range(0, SIZE, SIZE // 8):
                piece = data[at : at + SIZE // 8]
                assert await client.reader.readexactly(len(piece)) == piece
            good += 1

    async def come(number: int) -> None:
        async with connected(port, window=16 * 1024) as client:
            await download(client, leaves=number % 2 == 1)

    async with serving(StoreApp(bucket), lifespan="off") as port:
        await asyncio.gather(*(come(number) for number in range(CLIENTS)))
        assert good == CLIENTS // 2
        assert 1 < most <= 64
        async with asyncio.timeout(10):
            while await busy_connections(bucket):
                await asyncio.sleep(0.01)
        await come(0)  # and all still works
    assert good == CLIENTS // 2 + 1


async def test_a_service_of_a_bucket(bucket: Any) -> None:
    client = Client(StoreApp(bucket, writable=True, listing=True))
    headers = {"Content-Type": "text/css", "If-None-Match": "*"}
    new = await client("PUT", "/x%2Fa%20b", headers, [b"0123", b"456789"])
    assert new.status == 201
    assert (await client("PUT", "/x%2Fa%20b", headers, b"x")).status == 412
    whole = await client("GET", "/x/a%20b")
    assert (whole.body, whole.headers["content-type"]) == (CONTENT, "text/css")
    assert whole.headers["etag"] == new.headers["etag"]
    for sent, status in (
        ({"If-None-Match": whole.headers["etag"]}, 304),
        ({"If-Modified-Since": whole.headers["last-modified"]}, 304),
        ({"If-Match": '"x"'}, 412),
        ({"Range": "bytes=-3"}, 206),
        ({"Range": "bytes=0-0,-3"}, 206),
        ({"Range": "bytes=10-"}, 416),
        ({"Range": "bytes=2-3", "If-Range": whole.headers["etag"]}, 206),
    ):
        answer = await client("GET", "/x/a%20b", sent)
        assert answer.status == status, sent
    assert (await client("GET", "/missing")).status == 404
    assert (await client("DELETE", "/x/a%20b", {"If-Match": "*"})).status in (204, 501)
    large = await client("PUT", "/large", {}, [bytes(100_000)] * 3)
    assert large.status == 201
    cut: list[bytes | None] = [bytes(100_000), bytes(100_000), None]
    await client("PUT", "/large", {}, cut)
    assert (await bucket.head("large")).size == 300_000


async def test_the_stores_own_urls(bucket: Any) -> None:
    import aiohttp

    await bucket.put("a b", CONTENT)
    for store in (bucket, AsyncIdentityStore(bucket)):
        client = Client(StoreApp(store, presign_redirect=True, presign_expiry=60))
        answer = await client("GET", "/a%20b")
        assert (answer.status, answer.body) == (307, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert "X-Amz-Expires=60" in urlsplit(answer.headers["location"]).query
        async with aiohttp.request("GET", answer.headers["location"]) as found:
            assert await found.read() == CONTENT
        # What the URL would not do is answered here.
        saved = await client("GET", "/a%20b?download=1")
        assert (saved.status, saved.body) == (200, CONTENT)
        assert saved.headers["content-disposition"].startswith("attachment")
        assert (await client("HEAD", "/a%20b")).status == 200
        assert (await client("HEAD", "/missing")).status == 404


async def test_where_there_are_no_urls_objects_are_sent() -> None:
    inner = AsyncDictStore({"a": CONTENT})
    for store in (inner, AsyncIdentityStore(inner)):
        answer = await Client(StoreApp(store, presign_redirect=True))("GET", "/a")
        assert (answer.status, answer.body) == (200, CONTENT)
