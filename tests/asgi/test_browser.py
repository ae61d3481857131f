"""The page for people, in a real browser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from storage.asgi import StoreApp
from storage.object import AsyncDictStore
from tests.asgi.serving import serving
from tests.asgi.webdriver import Browser, browsing, missing

EVIL = """<img src=x onerror="window.ran=1">'"&amp;\u202etxt.js"""
TAB, ENTER = "\ue004", "\ue007"
CONTRAST = """
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
    const c = part / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = light(getComputedStyle(document.body).backgroundColor);
return [...document.querySelectorAll("h1, a, td, th, button, .hint, nav span")].map((element) => {
  const ink = light(getComputedStyle(element).color);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
});
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    reason = missing()
    if reason and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)  # it is no wheel
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def browser(window: Browser) -> Browser:
    window.complaints()  # of the test before
    return window


async def visit(app: Any, work: Callable[[str], None]) -> None:
    """Do something in the browser while the application is served."""
    async with serving(app, lifespan="off") as port:
        await asyncio.to_thread(work, f"http://127.0.0.1:{port}/")


def names(browser: Browser) -> list[str]:
    """What the table shows."""
    script = "return [...document.querySelectorAll('tbody th')].map((e) => e.textContent)"
    found: list[str] = browser.run(script)
    return found


def status(browser: Browser) -> str:
    """What is told to whoever reads and to whoever listens."""
    return str(browser.run("return document.querySelector('[role=status]').textContent"))


async def test_looking_around(browser: Browser) -> None:
    store = AsyncDictStore()
    for key in ("a.txt", "photos/2026/cat.txt", "photos/2026/spring/x", "photos/../x.txt", "b.txt"):
        await store.put(key, key.encode())

    def work(url: str) -> None:
        browser.open(url)
        browser.style()
        assert names(browser) == ["a.txt", "b.txt", "photos/"]
        assert browser.run("return document.querySelector('#files, button')") is None
        # By keyboard alone: the breadcrumb, what may be scrolled, then the names.
        browser.run("document.querySelector('thead').scrollIntoView(); document.body.focus()")
        for _ in range(8):
            browser.keys(TAB)
            if browser.run("return document.activeElement.textContent") == "photos/":
                break
        browser.keys(ENTER)
        browser.until(lambda: names(browser) == ["../", "2026/"])
        browser.run("document.querySelectorAll('tbody a')[1].click()")
        browser.until(lambda: names(browser) == ["cat.txt", "spring/"])
        crumbs = browser.run("return document.querySelector('nav').innerText").split()
        assert crumbs == ["Objects", "photos", "2026"]
        table = browser.find("table")
        assert browser("GET", f"{table}/computedrole") == "table"
        assert browser("GET", f"{table}/computedlabel") == "Objects in photos/2026/"
        assert browser("GET", f"{browser.find('.actions a')}/computedlabel") == "Download cat.txt"
        browser.run("document.querySelector('tbody a').click()")
        browser.until(
            lambda: browser.run("return document.body.innerText") == "photos/2026/cat.txt"
        )
        browser.open(f"{url}?prefix=photos/../")
        browser.run("document.querySelector('tbody a').click()")
        browser.until(lambda: browser.run("return document.body.innerText") == "photos/../x.txt")
        assert browser.complaints() == []

    await visit(StoreApp(store, browse=True), work)


async def test_page_by_page(browser: Browser) -> None:
    store = AsyncDictStore({f"{n:02}": b"" for n in range(5)})

    def work(url: str) -> None:
        browser.open(url)
        seen = names(browser)
        for more in (["02", "03"], ["04"]):
            browser.run("document.querySelector('[rel=next]').click()")
            browser.until(lambda more=more: names(browser) == more)
            seen += more
        assert seen == sorted(store.objects)
        assert browser.run("return document.querySelector('[rel=next]')") is None

    await visit(StoreApp(store, browse=True, page_size=2), work)


async def test_adding_and_deleting(browser: Browser, tmp_path: Path) -> None:
    store = AsyncDictStore({"in/old.txt": b"old"})
    names_of = [tmp_path / name for name in ("ä #1?.txt", "old.txt", "huge")]
    for path, size in zip(names_of, (10, 20, 3000), strict=True):
        path.write_bytes(b"x" * size)

    def work(url: str) -> None:
        browser.open(f"{url}?prefix=in/")
        assert browser("GET", f"{browser.find('#files')}/computedlabel") == "Add files"
        browser.type("#files", str(names_of[0]))
        browser.until(lambda: names(browser) == ["old.txt", "ä #1?.txt"])
        for yes, length in ((False, 3), (True, 20)):
            browser.type("#files", str(names_of[1]))
            assert browser.answer(yes=yes) == "Replace old.txt?"
            if not yes:
                browser.until(lambda: "kept what was there" in status(browser))
            else:
                browser.until(lambda: len(store.objects["in/old.txt"]) == 20)
                browser.until(lambda: status(browser) == "")
            assert len(store.objects["in/old.txt"]) == length
        browser.type("#files", str(names_of[2]))
        browser.until(lambda: status(browser) == "huge: it is too large")
        button = browser.find("button.delete")
        assert browser("GET", f"{button}/computedlabel") == "Delete old.txt"
        for yes in (False, True):
            browser("POST", f"{button}/click")
            assert browser.answer(yes=yes) == "Delete old.txt?"
        browser.until(lambda: status(browser) == "old.txt was deleted")
        assert names(browser) == ["ä #1?.txt"]
        assert browser.run("return document.activeElement.textContent") == "ä #1?.txt"
        store.objects.clear()  # by somebody else
        browser("POST", f"{browser.find('button.delete')}/click")
        browser.answer(yes=True)
        browser.until(lambda: names(browser) == [])

    await visit(StoreApp(store, browse=True, writable=True, max_upload=2000), work)
    assert store.objects == {}


async def test_content_of_others_does_nothing(browser: Browser) -> None:
    """Neither a name nor a page that somebody has put here runs any script."""
    script = b"<title>calm</title><script>document.title = 'ran'</script>"
    store = AsyncDictStore({f"{EVIL}/{EVIL}": b"", "page.html": script})

    def work(url: str) -> None:
        for where in ("", "?prefix=" + EVIL.replace("&", "%26").replace("#", "%23") + "/"):
            browser.open(url + where)
            assert EVIL in names(browser)[0]
            assert browser.run("return window.ran") is None
            assert browser.run("return document.querySelectorAll('img').length") == 0
        assert browser.complaints() == []
        browser.open(f"{url}page.html")
        assert browser("GET", "/title") == "calm"
        assert any("sandbox" in each for each in browser.complaints())

    await visit(StoreApp(store, browse=True, writable=True, title=EVIL), work)


async def test_another_site_cannot_write(browser: Browser) -> None:
    attack = """
      const [url, done] = [arguments[0], []];
      for (const method of ["PUT", "DELETE", "POST"]) for (const mode of ["cors", "no-cors"])
        done.push(fetch(url, {method, mode, body: method === "DELETE" ? null : "2"})
          .then((answer) => answer.type, () => "refused"));
      return Promise.all(done);
    """
    written = []

    class Watching(AsyncDictStore):
        async def _put(self, key: str, data: Any, options: Any) -> Any:
            written.append(bytes(data))
            return await super()._put(key, data, options)

    store = Watching({"a": b"1", "evil.html": b"<title>a page of another site</title>"})

    def work(url: str) -> None:
        browser.open(url.replace("127.0.0.1", "localhost") + "evil.html")
        assert browser.run(attack, f"{url}a") == [*["refused"] * 5, "opaque"]
        browser.open(f"{url}evil.html")
        script = "return fetch('a', {method: 'PUT', body: '3'}).then((answer) => answer.status)"
        assert browser.run(script) == 204

    await visit(StoreApp(store, writable=True, trusted=True), work)
    assert (written, store.objects["a"]) == ([b"3"], b"3")


async def test_it_can_be_read_in_light_and_dark(browser: Browser) -> None:
    store = AsyncDictStore({"a": b"", "b/c": b"", "long " * 20: b""})

    def work(url: str) -> None:
        papers = set()
        for dark in (False, True):
            browser.open(f"{url}?prefix=")
            browser.style(dark=dark, width=380)
            assert min(browser.run(CONTRAST)) >= 4.5
            papers.add(browser.run("return getComputedStyle(document.body).backgroundColor"))
            assert browser.run("return document.documentElement.scrollWidth") <= 380
        assert len(papers) == 2
        browser.style()

    await visit(StoreApp(store, browse=True, writable=True), work)
