"""Under a real server, over sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from storage.aiofs import AsyncFilesystemStore
from storage.asgi import StoreApp
from storage.object import AsyncDictStore, StoreClosed
from tests.asgi.conftest import CONTENT
from tests.asgi.serving import connected, serving, until
from tests.asgi.test_leaving import SIZE, Watched

PROTOCOLS = pytest.mark.parametrize("http", ["h11", "httptools"])


@PROTOCOLS
async def test_answers_are_framed(store: AsyncDictStore, http: str) -> None:
    """All over one connection: one byte too many or too few, and the next answer is none."""
    app = StoreApp(store, writable=True, max_upload=1000)
    async with serving(app, http=http, lifespan="off") as port, connected(port) as client:
        client.send("GET /a.txt")
        whole = await client.answer()
        assert (whole.status, whole.body) == (200, CONTENT)
        for head, status, body in (
            ("HEAD /a.txt", 200, b""),
            (f"GET /a.txt\nIf-None-Match: {whole.headers['etag']}", 304, b""),
            ("GET /a.txt\nRange: bytes=1-2", 206, b"12"),
            ("GET /missing", 404, None),
            ("OPTIONS /a.txt", 204, b""),
            ("DELETE /missing", 404, None),
        ):
            client.send(head)
            answer = await client.answer(empty=head.startswith("HEAD"))
            assert answer.status == status, head
            assert body is None or answer.body == body
        client.send(
            "PUT /..%2Fnew\nTransfer-Encoding: chunked", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert (await client.answer(empty=True)).status == 201
        client.send("GET /../new")
        assert (await client.answer()).body == b"abcde"
        client.send("GET /a.txt\nRange: bytes=0-1,4-5")
        assert (await client.answer()).body.count(b"content-range") == 2
        client.send("PUT /long\nContent-Length: 100000", b"1" * 100)
        refused = await client.answer()
        assert (refused.status, refused.headers["connection"]) == (413, "close")
        assert await client.reader.read() == b""
    assert not await store.exists("long")


@PROTOCOLS
async def test_a_client_may_wait_with_the_body(store: AsyncDictStore, http: str) -> None:
    app = StoreApp(store, writable=True)
    async with serving(app, http=http, lifespan="off") as port:
        async with connected(port) as client:
            head = "PUT /a.txt\nContent-Length: 3\nExpect: 100-continue"
            client.send(f"{head}\nIf-None-Match: *")
            assert (await client.head()).status == 100
            client.writer.write(b"new")
            assert (await client.head()).status == 412
        async with connected(port) as client:
            client.send(f'{head}\nIf-Match: "x"')
            assert (await client.head()).status == 412  # and the body was not asked for
        async with connected(port) as client:
            client.send(head)
            assert (await client.head()).status == 100
            client.writer.write(b"new")
            assert (await client.head()).status == 204
    assert await store.get("a.txt") == b"new"


@PROTOCOLS
async def test_a_download_that_is_cut(http: str) -> None:
    store = Watched()
    async with serving(StoreApp(store), http=http, lifespan="off") as port:
        async with connected(port, window=4096) as client:
            client.send("GET /a")
            assert (await client.head()).status == 200
            await client.reader.readexactly(1000)
            await until(lambda: store.open == 1)
            client.cut()
            await until(lambda: store.open == 0)
        async with connected(port) as client:
            client.send("GET /a")
            assert len((await client.answer()).body) == SIZE
        await until(lambda: store.open == 0)
        assert store.begun == 2


@PROTOCOLS
async def test_an_upload_that_is_cut(tmp_path: Path, http: str) -> None:
    async with AsyncFilesystemStore(tmp_path) as store:
        await store.put("a", CONTENT)
        app, running = StoreApp(store, writable=True), 0

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            nonlocal running
            running += 1
            try:
                await app(scope, receive, send)
            finally:
                running -= 1

        async with serving(counted, http=http, lifespan="off") as port:
            for head in ("Content-Length: 300000", "Transfer-Encoding: chunked"):
                async with connected(port) as client:
                    client.send(f"PUT /a\n{head}", b"186A0\r\n" + b"1" * 100_000 + b"\r\n")
                    await client.writer.drain()
                    await until(lambda: running == 1)
                    client.cut()
                    await until(lambda: running == 0)
        assert await store.get("a") == CONTENT
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a"]


async def test_the_server_opens_and_closes_the_store(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("a", CONTENT)
    async with serving(StoreApp(store), lifespan="on") as port, connected(port) as client:
        client.send("GET /a")
        assert (await client.answer()).body == CONTENT
    with pytest.raises(StoreClosed):
        await store.get("a")


async def test_a_server_whose_store_does_not_open_does_not_start(tmp_path: Path) -> None:
    store = AsyncDictStore()
    await store.aclose()
    sent: list[Any] = []
    messages = iter(["lifespan.startup"])

    async def receive() -> Any:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await StoreApp(store)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.failed"]


async def test_mounted_below_a_path(store: AsyncDictStore) -> None:
    app = StoreApp(store)
    async with serving(app, lifespan="off", root_path="/fi les") as port, connected(port) as client:
        client.send("GET /a.txt")
        assert (await client.answer()).body == CONTENT
    await asyncio.sleep(0)
