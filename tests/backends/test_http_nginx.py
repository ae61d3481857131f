"""A server that everybody has, where it is installed: no wheel brings it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest

pytest.importorskip("aiohttp")

from storage._async.backends._web import retries
from storage.http import AsyncHttpStore
from storage.object import AccessDenied, MalformedResponse, NotModified, PreconditionFailed
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.services.nginx import Nginx

DATA = random.Random(3).randbytes(400_000)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """The server with some files."""
    reason = Nginx.missing()
    if reason:
        pytest.skip(reason)
    server = Nginx(tmp_path_factory.mktemp("nginx") / "server")
    for name in ("a", "é/😀 b%20?#", "limited/a", "private/a", "packed/a"):
        path = server.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
    (server.files / "empty").touch()
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def store(nginx: Nginx) -> AsyncIterator[AsyncHttpStore]:
    """A store of its files."""
    async with AsyncHttpStore(nginx.url) as store:
        yield store


async def test_reading(store: AsyncHttpStore) -> None:
    for key in ("a", "é/😀 b%20?#", "packed/a"):
        info = await store.head(key)
        assert info.size == len(DATA)
        assert info.etag
        assert info.modified
        assert await store.get(key, if_match=info.etag) == DATA
        assert await store.get_ranges(key, [(0, 10), (-7, None), (399_000, 500_000)]) == [
            DATA[:10],
            DATA[-7:],
            DATA[399_000:],
        ]
        assert await store.get_range(key, 500_000) == b""
        with pytest.raises(NotModified):
            await store.get(key, if_none_match=info.etag)
        with pytest.raises(PreconditionFailed):
            await store.get(key, if_match="other")
    assert await store.get("empty") == await store.get_range("empty", -5) == b""
    assert not await store.exists("missing")


async def test_redirects(nginx: Nginx, store: AsyncHttpStore) -> None:
    with pytest.raises(MalformedResponse, match="circle"):
        await store.get("loop/x")
    with pytest.raises(AccessDenied):
        await store.get("private/a")
    async with AsyncHttpStore(nginx.url, auth=("user", "canary")) as known:
        assert await known.get("private/a") == DATA
    async with AsyncHttpStore(nginx.url, allow_private=False) as careful:
        with pytest.raises(AccessDenied, match="public"):
            await careful.get("redirected/x")


async def test_a_break_and_too_many(nginx: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.02)
    async with FaultProxy(nginx.url) as proxy, AsyncHttpStore(proxy.url) as store:
        proxy.when("GET", fault.cut(123_456), times=2)
        assert b"".join([chunk async for chunk in store.stream("a")]) == DATA
        assert [request.headers.get("range") is None for request in proxy.sent("GET")] == [
            True,
            False,
            False,
        ]
        few = AsyncHttpStore(proxy.url + "/limited", retries=20)
        async with few:
            assert await asyncio.gather(*(few.exists("a") for _ in range(5))) == [True] * 5
        assert len(proxy.sent("HEAD")) > 5
