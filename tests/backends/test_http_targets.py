"""Which URLs are asked for what: tricky keys, bad URLs, private addresses."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("aiohttp")

import storage
from storage._async.backends._web.addresses import is_public
from storage._async.backends.http.targets import BadURL, Target
from storage.http import AsyncHttpStore, HttpStore
from storage.object import ConfigError, InvalidKey, NotSupported
from tests.repository.source import ROOT

BASE = Target.parse("https://example.org:8443/a%20b/")
TRICKY = [
    "//evil.example/x",
    "/etc/passwd",
    "https://evil.example/",
    "user:secret@evil.example",
    "@evil.example",
    "\\\\evil.example\\x",
    "?x=1",
    "#fragment",
    "a\r\nHost: evil.example\r\n\r\nGET /x HTTP/1.1",
    "a%2e%2e/b",
    "%2F..%2Fb",
    ";x=1",
    "é/😀 b",
]


@pytest.mark.parametrize("key", TRICKY)
def test_a_key_is_a_path_under_the_base(key: str) -> None:
    target = BASE.below(key)
    assert target.origin == "https://example.org:8443"
    assert target.path.startswith("/a%20b/")
    own = target.path.removeprefix("/a%20b/")
    assert unquote(own) == key
    assert own.isascii()
    assert own.isprintable()
    assert not set(own) & set("?#@\\ \r\n:;")


@pytest.mark.parametrize("key", ["..", "../x", "a/../../x", "a/.", "./a", "..\\x", "a\\..\\..\\x"])
async def test_no_key_leads_out_of_the_base(key: str) -> None:
    async with AsyncHttpStore("http://127.0.0.1:1/base") as store:
        for verb in (store.get, store.head, store.exists):
            with pytest.raises(InvalidKey):
                await verb(key)


@pytest.mark.parametrize(
    "key",
    [
        "file:///etc/passwd",
        "gopher://example.org/1",
        "ftp://example.org/x",
        "a.txt",
        "//example.org/x",
        "http:/x",
        "http://",
        "https://user:canary@example.org/x",
        "http://example.org\\@evil.example/x",
        "http://example.org/a b",
        "http://example.org/a\r\nX: y",
        "http://example.org/\tx",
        "http://example.org/#x",
        "http://exa mple.org/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://%65vil.example/",
        "http://2130706433/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://010.0.0.1/",
        "http://" + "a" * 300 + "/",
    ],
)
async def test_a_key_that_is_no_plain_url(key: str) -> None:
    async with AsyncHttpStore() as store:
        with pytest.raises(InvalidKey) as caught:
            await store.get(key)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("HTTP://Example.ORG", "http://example.org", "/"),
        ("http://example.org:80/a", "http://example.org", "/a"),
        ("https://example.org:80/a", "https://example.org:80", "/a"),
        ("http://[::1]:8000/a", "http://[::1]:8000", "/a"),
        ("http://bücher.example/ü?ü=%2F", "http://xn--bcher-kva.example", "/%C3%BC?%C3%BC=%2F"),
        ("http://example.org/a%2Fb//c;d?e=f&g", "http://example.org", "/a%2Fb//c;d?e=f&g"),
    ],
)
def test_what_a_url_comes_to(text: str, origin: str, path: str) -> None:
    assert Target.parse(text) == Target(origin, path)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "https://example.org:8443/x"),
        ("c?d#e", "https://example.org:8443/a%20b/c?d"),
        ("//other.example/x", "https://other.example/x"),
        ("../../../x", "https://example.org:8443/x"),
        (" http://other.example/a b ", "http://other.example/a%20b"),
        ("", None),
        ("file:///etc/passwd", None),
        ("\\\\evil.example", None),
        ("http://user:pw@evil.example/", None),
        ("/\udcff", None),
    ],
)
def test_where_a_redirect_leads(location: str, url: str | None) -> None:
    if url is None:
        with pytest.raises(BadURL):
            BASE.led_to(location)
    else:
        assert BASE.led_to(location).url == url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "2002:7f00:1::", "64:ff9b::a9fe:a9fe",
    ],
)  # fmt: skip
def test_a_private_address(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["ftp://example.org/"], {}),
        (["https://user:pw@example.org/"], {}),
        (["https://example.org/?a=b"], {}),
        ([], {"auth": "token"}),
        ([], {"headers": {"X-Api-Key": "canary"}}),
        (["https://example.org"], {"headers": {"Host": "evil.example"}}),
        (["https://example.org"], {"headers": {"Range": "bytes=0-1"}}),
        (["https://example.org"], {"headers": {"X-A\r\nX-B": "x"}}),
        (["https://example.org"], {"headers": {"X-A": "canary\r\nX-B: y"}}),
        (["https://example.org"], {"headers": {"authorization": "x"}, "auth": "canary"}),
        (["https://example.org"], {"auth": ("us:er", "canary")}),
        (["https://example.org"], {"auth": ("canary",)}),
        (["https://example.org"], {"auth": "canary\nx"}),
        (["https://example.org"], {"connections": 0}),
        (["https://example.org"], {"retries": -1}),
        (["https://example.org"], {"read_timeout": 0}),
        (["https://example.org"], {"timeout": 0}),
    ],
)
def test_what_makes_no_sense(arguments: list[str], options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        AsyncHttpStore(*arguments, **options)
    assert "canary" not in str(caught.value)


def test_urls_of_stores() -> None:
    store = storage.open_store("https://user:canary@example.org:8443/a%20b%25?timeout=5&retries=0")
    assert type(store) is HttpStore
    assert repr(store) == "HttpStore('https://example.org:8443/a%20b%25/')"
    assert type(storage.open_async_store("http://localhost")) is AsyncHttpStore
    with pytest.raises(ConfigError):
        storage.open_store("https://example.org/?verify=no")
    with pytest.raises(ConfigError) as caught:
        storage.open_store("https://user:canary@example.org/?token=canary")
    assert "canary" not in str(caught.value)


def test_pickling() -> None:
    store = pickle.loads(pickle.dumps(AsyncHttpStore("https://example.org/a", retries=7)))
    assert repr(store) == "AsyncHttpStore('https://example.org/a/')"
    assert store._recipe["retries"] == 7
    secrets: tuple[dict[str, Any], ...] = ({"auth": "canary"}, {"headers": {"X-Key": "canary"}})
    for secret in secrets:
        with pytest.raises(TypeError):
            pickle.dumps(AsyncHttpStore("https://example.org", **secret))


CHANGES: dict[str, Any] = {
    "put": lambda store: store.put("http://x/a", b""),
    "delete": lambda store: store.delete("http://x/a", missing_ok=True),
    "copy": lambda store: store.copy("http://x/a", "http://x/b"),
    "move": lambda store: store.move("http://x/a", "http://x/b"),
    "put_many": lambda store: store.put_many({}),
    "delete_many": lambda store: store.delete_many([]),
    "clear": lambda store: store.clear(),
    "open_writer": lambda store: store.open_writer("http://x/a"),
    "keys": lambda store: list(store.keys()),
    "list": lambda store: list(store.list()),
    "list_with_delimiter": lambda store: store.list_with_delimiter(),
}


@pytest.mark.parametrize("verb", CHANGES)
def test_it_only_reads(verb: str) -> None:
    with HttpStore() as store, pytest.raises(NotSupported, match="read only"):
        CHANGES[verb](store)


def test_without_aiohttp() -> None:
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "import storage\n"
        "try: storage.open_async_store('https://example.org')\n"
        "except storage._core.errors.MissingExtra as error: print(error)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    assert "storage[http]" in told.stdout
