"""The program of the README does what it says."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from tests.asgi.serving import connected, serving


async def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = importlib.import_module("tests.asgi.example")
    async with serving(example.app, lifespan="on") as port, connected(port) as client:
        client.send("PUT /files/reports/0007.pdf\nContent-Length: 7", b"a paper")
        assert (await client.answer(empty=True)).status == 201
        client.send("GET /report/7\nRange: bytes=2-")
        part = await client.answer()
        assert (part.status, part.body) == (206, b"paper")
        assert part.headers["content-disposition"] == 'attachment; filename="0007.pdf"'
        client.send("GET /files/?prefix=reports/\nAccept: text/html")
        assert b'href="/files/reports/0007.pdf"' in (await client.answer()).body
        client.send("GET /report/8")
        assert (await client.answer()).status == 404
    assert (tmp_path / "files" / "reports" / "0007.pdf").read_bytes() == b"a paper"
