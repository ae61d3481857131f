"""The page for people, as text; `test_browser` has it in a browser."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import quote

from storage.asgi import StoreApp
from storage.object import AsyncDictStore, ObjectInfo
from tests.asgi.client import Client

EVIL = """x"'><script>alert(1)&lt;\x07"""


class Seen(HTMLParser):
    """Which elements a document has, and the text in styles and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inner: dict[str, list[str]] = {"style": [], "script": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in self.inner and data.strip():
            self.inner[self.tags[-1][0]].append(data)


async def page(app: StoreApp, target: str = "/") -> tuple[Seen, str]:
    """The document, and its policy."""
    answer = await Client(app)("GET", target, {"Accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Seen(answer.body.decode()), answer.headers["content-security-policy"]


async def test_names_are_text_and_nothing_else() -> None:
    store = AsyncDictStore({EVIL: b"", f"{EVIL}/{EVIL}/{EVIL}": b"", f"{EVIL}/{EVIL}": b""})
    app = StoreApp(store, browse=True, writable=True, title=EVIL)
    last = f"/?prefix={quote(EVIL)}"
    for target in ("/", f"/?prefix={quote(EVIL + '/')}", last):
        seen, policy = await page(app, target)
        assert [tag for tag, _ in seen.tags].count("script") == 1
        assert not {name for _, given in seen.tags for name in given if name.startswith("on")}
        for tag, (text,) in seen.inner.items():
            digest = base64.b64encode(sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        shown = [given.get("aria-label") for tag, given in seen.tags if tag == "button"]
        name = f"{EVIL[:-1]}␇" if target != last else "(no name)"
        assert shown == [f"Delete {name}"]


async def test_who_may_only_read_is_offered_nothing_else() -> None:
    store = AsyncDictStore({"a": b"", "b/c": b""})
    for writable in (False, True):
        seen, _ = await page(StoreApp(store, browse=True, writable=writable))
        tags = {tag for tag, _ in seen.tags}
        assert tags & {"form", "input", "button"} == (
            {"form", "input", "button"} if writable else set()
        )


async def test_sizes_and_times() -> None:
    sizes = [0, 1023, 1024, 10_240, 1024**2 - 1, 1024**2 * 150]

    class Sized(AsyncDictStore):
        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            for number, size in enumerate([*sizes, None]):
                yield ObjectInfo(f"{number}", size)

    answer = await Client(StoreApp(Sized(), browse=True))("GET", "/", {"Accept": "text/html"})
    found = re.findall(r"<td class=number>(?:<data[^>]*>)?([^<]+)", answer.body.decode())
    assert found == ["0 B", "1023 B", "1.0 KiB", "10.0 KiB", "1.0 MiB", "150 MiB", "–"]
    assert b"1,048,575 bytes" in answer.body


async def test_the_deepest_level_makes_no_endless_page() -> None:
    client = Client(StoreApp(AsyncDictStore({"a": b""}), browse=True))
    for accept in ("text/html", "application/json"):
        headers = {"Accept": accept}
        answer = await client("GET", f"/?prefix={'a/' * 512}", headers)
        assert (answer.status, len(answer.body) < 1_500_000) == (200, True)
        assert (await client("GET", f"/?prefix={'a/' * 30_000}", headers)).status == 400
