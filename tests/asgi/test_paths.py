"""Paths are keys, exactly; methods, the collection, and where the application is mounted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage._asgi.paths import link, root_of
from storage.asgi import ObjectResponse, StoreApp
from storage.object import AsyncDictStore
from tests.asgi.client import Client, scope_of
from tests.asgi.conftest import CONTENT

KEYS = [
    ("/a", "a"),
    ("/a/b", "a/b"),
    ("/a%2Fb", "a/b"),
    ("/a%2fb", "a/b"),
    ("/a%252Fb", "a%2Fb"),
    ("//a", "/a"),
    ("/a//b/", "a//b/"),
    ("/../a", "../a"),
    ("/%2E%2E/a", "../a"),
    ("/a/./..", "a/./.."),
    ("/a+b%20c", "a+b c"),
    ("/%E6%97%A5", "日"),
    ("/%F0%9F%98%80", "😀"),
    ("/a;b=c:d@e", "a;b=c:d@e"),
    ("/%3Fa%23b", "?a#b"),
    ("/?key=..%2Fa", "../a"),
    ("/?key=%2Fa%2B+b", "/a+ b"),
]


@pytest.mark.parametrize("root", ["", "/files", "/my files", "/日/x"])
@pytest.mark.parametrize(("target", "key"), KEYS)
async def test_a_path_is_its_key(target: str, key: str, root: str) -> None:
    store = AsyncDictStore({f"tenant/{key}": key.encode(), "a": b"another tenant's"})
    client = Client(StoreApp(store, prefix="tenant/", writable=True), root_path=root)
    answer = await client("GET", quote(root) + target)
    assert (answer.status, answer.body) == (200, key.encode())
    assert (await client("DELETE", quote(root) + target)).status == 204
    assert store.objects == {"a": b"another tenant's"}


@pytest.mark.parametrize("path", ["/%FF", "/%", "/a%2", "/%zz", "/%00", "/?key=%00", "/?key=%FF"])
async def test_a_path_that_is_no_key(client: Client, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert (await client(method, path)).status == 400
    assert (await client("GET", "/" + "x" * 1025)).status == 400


async def test_without_the_raw_path(store: AsyncDictStore) -> None:
    await store.put("x y/é", b"1")
    client = Client(StoreApp(store), raw_path=None, root_path="/r é")
    assert (await client("GET", quote("/r é/x y/é"))).body == b"1"


async def test_a_server_that_leaves_the_root_out(store: AsyncDictStore) -> None:
    client = Client(StoreApp(store), root_path="/files")
    assert (await client("GET", "/a.txt")).body == CONTENT
    await store.put("filesystem", b"1")
    assert (await client("GET", "/filesystem")).body == b"1"


async def test_below_a_proxy_that_takes_its_part_of_the_path_away(store: AsyncDictStore) -> None:
    """FastAPI's ``root_path``: what is mounted there is told of both, and gets one."""
    client = Client(StoreApp(store), root_path="/api/files", app_root_path="/api")
    for path in ("/files/a.txt", "/api/files/a.txt", "/%66iles/a.txt"):
        assert (await client("GET", path)).body == CONTENT


async def test_a_path_without_a_slash_is_no_key(store: AsyncDictStore) -> None:
    """Some servers hand over the whole URL that a client may send to a proxy."""
    client = Client(StoreApp(store, writable=True))
    assert (await client("PUT", "http://here/a.txt", {}, b"new")).status == 400
    assert (await client("OPTIONS", "*")).status == 204
    assert store.objects == {"a.txt": CONTENT}


@pytest.mark.parametrize("root", ["//evil.example", "//evil.example/", "/"])
def test_links_stay_on_this_host(root: str) -> None:
    assert not root_of({"root_path": root}).startswith("//")


@settings(max_examples=60)
@example("..")
@example("a/../b")
@example("./a")
@example("/a")
@example("a//b/")
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_links_lead_back(key: str) -> None:
    """Also where a browser resolves dots: as `urljoin` does, and as WHATWG says of escaped ones."""
    target = link("/files/", key)
    path = target.partition("?")[0]
    assert not any(part in (".", "..") for part in path.split("/"))
    assert "//" not in path
    answered: list[str] = []

    class Echo(AsyncDictStore):
        async def _get(self, key: str, options: Any) -> Any:
            answered.append(key)
            return await super()._get(key, options)

    import asyncio

    app = StoreApp(Echo())
    asyncio.run(_ignored(Client(app, root_path="/files"), target))
    assert answered == ([key] if len(key.encode()) <= 1024 else [])


async def _ignored(client: Client, target: str) -> None:
    await client("GET", target)


async def test_methods(store: AsyncDictStore) -> None:
    reader, writer = Client(StoreApp(store)), Client(StoreApp(store, writable=True, listing=True))
    for client, path, allow in (
        (reader, "/a.txt", "GET, HEAD, OPTIONS"),
        (reader, "/", "OPTIONS"),
        (writer, "/a.txt", "GET, HEAD, PUT, DELETE, OPTIONS"),
        (writer, "/", "GET, HEAD, OPTIONS"),
    ):
        asked = await client("OPTIONS", path)
        assert (asked.status, asked.headers["allow"]) == (204, allow)
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            if method not in allow:
                refused = await client(method, path)
                assert (refused.status, refused.headers["allow"]) == (405, allow)
        assert (await client("FROB", path)).status == 501
    assert (await reader("GET", "/")).status == 404
    assert await store.get("a.txt") == CONTENT


async def test_in_starlette(store: AsyncDictStore) -> None:
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Mount, Route

    async def own(request: Request) -> Any:
        return ObjectResponse(store, request.path_params["name"])

    await store.put("x/../ y", b"odd")
    app = Starlette(
        routes=[
            Route("/own/{name}", own),
            Mount("/f iles", StoreApp(store, browse=True)),
            Mount("/", StoreApp(store)),
        ]
    )
    client = Client(app)
    assert (await client("GET", "/own/a.txt")).body == CONTENT
    assert (await client("GET", "/own/missing")).status == 404
    assert (await client("GET", "/f%20iles/a.txt")).body == CONTENT
    assert (await client("GET", "/f%20iles/x%2F..%2F%20y")).body == b"odd"
    assert (await client("GET", "/x/../%20y")).body == b"odd"
    page = (await client("GET", "/f%20iles/", {"Accept": "text/html"})).body.decode()
    assert 'href="/f%20iles/a.txt"' in page


async def test_other_scopes(store: AsyncDictStore) -> None:
    app, sent = StoreApp(store), list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await app({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
    with pytest.raises(ValueError, match="telepathy"):
        await app({"type": "telepathy"}, receive, send)


async def test_http_2_knows_no_connection_header(store: AsyncDictStore) -> None:
    client = Client(StoreApp(store), http_version="2")
    assert "connection" not in (await client("POST", "/a.txt")).headers
    assert scope_of("GET", "/")["http_version"] == "1.1"
