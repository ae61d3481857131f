"""Listings for programs, page by page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from storage.asgi import StoreApp
from storage.object import AsyncDictStore, Capability, ObjectInfo
from tests.asgi.client import Client

KEYS = ["a", "a/1", "a/2", "a//3", "b/x/1", "b/x/2", "é", "😀", "\uffff"]


class Unordered(AsyncDictStore):
    """It lists as it pleases."""

    capabilities = AsyncDictStore.capabilities & ~Capability.ORDERED

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        infos = [info async for info in super()._list(prefix, start_after)]
        for info in infos[::2] + infos[1::2][::-1]:
            yield info


async def pages(client: Client, **query: Any) -> list[dict[str, Any]]:
    """All pages, one after the other."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["next"] is not None:
        if found:
            query["start_after"] = found[-1]["next"]
        answer = await client("GET", f"/?{urlencode(query)}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        found.append(json.loads(answer.body))
    return found


def service(kind: type[AsyncDictStore], **options: Any) -> Client:
    """That of a tenant with some keys, between others."""
    objects = {f"t/{key}": key.encode() for key in KEYS} | {"s": b"", "t": b"", "u/x": b""}
    return Client(StoreApp(kind(objects), prefix="t/", listing=True, **options))


@pytest.mark.parametrize("kind", [AsyncDictStore, Unordered])
@pytest.mark.parametrize("limit", [1, 2, 3, 9, 1000])
async def test_every_key_is_on_one_page(kind: type[AsyncDictStore], limit: int) -> None:
    found = await pages(service(kind), limit=limit)
    listed = [item["key"] for page in found for item in page["objects"]]
    assert listed == sorted(KEYS, key=str.encode)
    assert all(len(page["objects"]) <= limit for page in found)
    assert len(found) == -(-len(KEYS) // limit)


@pytest.mark.parametrize("kind", [AsyncDictStore, Unordered])
@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_levels(kind: type[AsyncDictStore], limit: int) -> None:
    client = service(kind)

    async def level(prefix: str) -> tuple[list[str], list[str]]:
        found = await pages(client, prefix=prefix, delimiter="/", limit=limit)
        assert all(len(page["objects"]) + len(page["prefixes"]) <= limit for page in found)
        return (
            [name for page in found for name in page["prefixes"]],
            [item["key"] for page in found for item in page["objects"]],
        )

    assert await level("") == (["a/", "b/"], ["a", "é", "\uffff", "😀"])
    assert await level("a/") == (["a//"], ["a/1", "a/2"])
    assert await level("b/") == (["b/x/"], [])
    assert await level("nothing") == ([], [])


@pytest.mark.parametrize("options", [{"delimiter": "/"}, {}])
async def test_a_page_of_a_long_level_is_not_the_whole_level(options: dict[str, str]) -> None:
    looks = 0

    class Watched(AsyncDictStore):
        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            nonlocal looks
            async for info in super()._list(prefix, start_after):
                looks += 1
                yield info

    store = Watched({f"{number:05}": b"" for number in range(2000)})
    client = Client(StoreApp(store, listing=True, page_size=10))
    answer = await client("GET", f"/?{urlencode({'start_after': '00999', **options})}")
    assert [item["key"] for item in json.loads(answer.body)["objects"]] == [
        f"{number:05}" for number in range(1000, 1010)
    ]
    assert looks == 11


async def test_what_is_told_of_an_object() -> None:
    store = AsyncDictStore()
    info = await store.put("a", b"123", content_type="text/css")
    client = Client(StoreApp(store, listing=True))
    answer = await client("GET", "/", {"Accept": "text/html"})
    assert json.loads(answer.body) == {
        "prefix": "",
        "delimiter": "",
        "prefixes": [],
        "objects": [
            {
                "key": "a",
                "size": 3,
                "etag": f'"{info.etag}"',
                "modified": info.modified.isoformat() if info.modified else None,
                "content_type": "text/css",
            }
        ],
        "next": None,
    }
    head = await client("HEAD", "/")
    assert head.headers["content-length"] == answer.headers["content-length"]


async def test_a_page_is_never_longer_than_the_service_says() -> None:
    client = service(AsyncDictStore, page_size=2)
    for query in ("", "?limit=5", "?limit=999999999"):
        assert len(json.loads((await client("GET", f"/{query}")).body)["objects"]) == 2
    for wrong in ("0", "-1", "x", "1.5", "9999999999", "²"):
        assert (await client("GET", f"/?{urlencode({'limit': wrong})}")).status == 400


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (None, False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("application/json", False),
        ("text/html;q=0.5, application/json;q=0.9", False),
        ("text/html;q=0.9, application/json;q=0.5", True),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
    ],
)
async def test_browsers_get_a_page(client: Client, accept: str | None, page: bool) -> None:
    answer = await client("GET", "/", {} if accept is None else {"Accept": accept})
    assert answer.headers["content-type"].startswith("text/html" if page else "application/json")
    assert answer.headers["vary"] == "accept"
