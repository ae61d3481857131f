"""Redirects, and what is never sent or connected to on their way."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from itertools import count

import pytest

pytest.importorskip("aiohttp")

from storage._async.backends._web import sessions
from storage.http import AsyncHttpStore, HttpStore
from storage.object import AccessDenied, MalformedResponse, NotSupported, StoreError
from tests.services.web import Odd, WebServer

_names = count(1)


@pytest.fixture
def at(web: WebServer) -> str:
    """A path that nothing else uses."""
    return f"/redirects-{next(_names)}"


@pytest.fixture(scope="module")
def trap() -> Iterator[WebServer]:
    """Another server: another port is another origin."""
    with WebServer().running() as trap:
        yield trap


def _to(location: str, status: int = 302) -> Odd:
    return Odd(status, {"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(web: WebServer, at: str, status: int) -> None:
    web.put(f"{at}/b", b"content")
    web.odd[f"{at}/a"] = _to("b", status)
    async with AsyncHttpStore() as store:
        assert await store.get(f"{web.url}{at}/a") == b"content"
        assert await store.exists(f"{web.url}{at}/a")
        assert await store.get_range(f"{web.url}{at}/a", 3, 5) == b"te"
        assert b"".join([piece async for piece in store.stream(f"{web.url}{at}/a")]) == b"content"


async def test_or_not(web: WebServer, at: str) -> None:
    web.odd[f"{at}/a"] = _to("b")
    async with AsyncHttpStore(follow_redirects=False) as store:
        with pytest.raises(NotSupported):
            await store.get(f"{web.url}{at}/a")
    assert web.asked(f"{at}/b") == []


async def test_loops_end(web: WebServer, at: str) -> None:
    web.odd[f"{at}/a"], web.odd[f"{at}/b"] = _to("b"), _to("a")
    for number in range(5):
        web.odd[f"{at}/{number}"] = _to(f"{number + 1}")
    web.odd[f"{at}/nowhere"] = Odd(302)
    async with AsyncHttpStore(f"{web.url}{at}", max_redirects=3) as store:
        with pytest.raises(MalformedResponse, match="circle"):
            await store.get("a")
        assert len(web.asked(f"{at}/a")) == 1
        with pytest.raises(MalformedResponse, match="more than 3"):
            await store.get("0")
        assert len(web.asked(f"{at}/3")) == 1
        assert web.asked(f"{at}/4") == []
        with pytest.raises(AccessDenied):
            await store.exists("nowhere")


@pytest.mark.parametrize("auth", ["canary-token", ("user", "canary-password")])
async def test_credentials_stay_with_their_origin(
    web: WebServer, trap: WebServer, at: str, auth: str | tuple[str, str]
) -> None:
    web.put(f"{at}/mine", b"mine")
    trap.put(f"{at}/theirs", b"theirs")
    web.odd[f"{at}/here"] = _to(f"{at}/mine")
    web.odd[f"{at}/away"] = _to(f"{trap.url}{at}/theirs")
    trap.odd[f"{at}/back"] = _to(f"{web.url}{at}/mine")
    web.odd[f"{at}/around"] = _to(f"{trap.url}{at}/back")
    web.odd[f"{at}/on"] = _to(f"{trap.url}{at}/on")
    trap.odd[f"{at}/on"] = _to("theirs")
    headers = {"X-Api-Key": "canary-key", "Cookie": "canary=1"}
    async with AsyncHttpStore(f"{web.url}{at}", headers=headers, auth=auth) as store:
        assert await store.get("here") == b"mine"
        for _, sent in (*web.asked(f"{at}/here"), *web.asked(f"{at}/mine")):
            assert sent["x-api-key"] == "canary-key"
            wanted = "Bearer canary-token"
            if not isinstance(auth, str):
                wanted = "Basic " + base64.b64encode(b"user:canary-password").decode()
            assert sent["authorization"] == wanted
        assert await store.get("away") == b"theirs"
        assert await store.get("around") == b"mine"
        assert await store.get("on") == b"theirs"
        assert await store.exists("away")
    assert len(trap.asked(f"{at}/theirs")) == 3
    foreign = [*trap.asked(f"{at}/theirs"), *trap.asked(f"{at}/back"), web.asked(f"{at}/mine")[-1]]
    for _, sent in foreign:
        assert "canary" not in str(sent)
        assert not {"authorization", "x-api-key", "cookie"} & sent.keys()


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/1",
        "ftp://127.0.0.1/x",
        "data:,x",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "http://0x7f000001/",
    ],
)
async def test_where_no_redirect_may_lead(web: WebServer, at: str, place: str) -> None:
    web.odd[at] = _to(place)
    async with AsyncHttpStore() as store:
        with pytest.raises(AccessDenied):
            await store.get(f"{web.url}{at}")
        with pytest.raises(AccessDenied):
            await store.exists(f"{web.url}{at}")


def test_never_away_from_tls() -> None:
    from storage._async.backends._web.sessions import Wire
    from storage._async.backends.http.sending import Manners, Requests
    from storage._async.backends.http.targets import Target

    send = Requests(Wire(1, 1, 1, True, None), Manners({}, 10, 0, False))
    with pytest.raises(AccessDenied, match="TLS"):
        send._led(Target.parse("https://example.org/a"), "http://example.org/b", 1)
    assert send._led(Target.parse("http://example.org/a"), "https://example.org/b", 1).encrypted


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_private_addresses(web: WebServer, at: str, host: str) -> None:
    web.put(at, b"private")
    async with AsyncHttpStore(allow_private=False, retries=0) as store:
        with pytest.raises(AccessDenied, match="public"):
            await store.get(f"http://{host}:{web.port}{at}")
    assert web.asked(at) == []


@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/latest/meta-data", "http://localhost:{port}/x", "//[::1]/x"]
)
async def test_private_addresses_behind_a_redirect(
    web: WebServer, at: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.odd[at] = _to(place.format(port=web.port))
    # The first server stands for one of the internet, of which there is none here.
    answers = iter([True, False, False])
    monkeypatch.setattr(sessions, "is_public", lambda address: next(answers))
    async with AsyncHttpStore(allow_private=False) as store:
        with pytest.raises(AccessDenied, match="public"):
            await store.get(f"{web.url}{at}")
    assert len(web.asked(at)) == 1
    assert web.asked("/x") == []


async def test_secrets_are_nowhere(
    web: WebServer, trap: WebServer, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web.odd[f"{at}/denied"] = Odd(403)
    web.odd[f"{at}/down"] = Odd(503)
    web.odd[f"{at}/away"] = _to(f"{trap.url}/nothing?X-Amz-Signature=canary")
    web.odd[f"{at}/bad"] = _to("ftp://user:canary@example.org/?sig=canary")
    web.odd[f"{at}/odd"] = Odd(200, {"Content-Length": "canary?"})
    web.odd[f"{at}/range"] = Odd(206, {"Content-Range": "bytes"})
    auth, headers = ("user", "canary-password"), {"X-Key": "canary-key"}
    told = []
    async with AsyncHttpStore(f"{web.url}{at}", auth=auth, headers=headers, retries=0) as store:
        told += [repr(store), str(vars(store)), str(vars(store._send)), str(store._send._manners)]
        for key in ("denied", "down", "away", "bad", "odd", "range", "missing"):
            with pytest.raises(StoreError) as caught:
                await store.get(key)
            told += traceback.format_exception(caught.value)
            told.append(str(vars(caught.value)))
    # A presigned URL is a secret, too.
    async with AsyncHttpStore(retries=0, timeout=5) as store:
        for place in (f"{at}/denied", f"{at}/odd", f"{at}/missing"):
            with pytest.raises(StoreError) as caught:
                await store.get(f"{web.url}{place}?X-Amz-Signature=canary&sig=canary")
            told += traceback.format_exception(caught.value)
            assert "?***" in str(caught.value)
        with pytest.raises(NotSupported) as refused:
            store._require("get", "http://x/?sig=canary", ~store.capabilities, "that")
        told.append(str(refused.value))
        with pytest.raises(StoreError) as caught:
            await store.head("http://127.0.0.1:1/x?sig=canary")
        told += traceback.format_exception(caught.value)
    told += [record.getMessage() for record in caplog.records]
    lines = [line for text in told for line in text.splitlines() if "canary" in line]
    # A traceback shows the lines of this very file.
    assert [line for line in lines if "await store" not in line] == []


def test_unclosed_stores_warn(web: WebServer, at: str) -> None:
    web.put(at, b"content")
    store = HttpStore(web.url)
    assert store.get(at[1:]) == b"content"
    kept = [store]
    del store
    with pytest.warns(ResourceWarning, match="unclosed"):
        kept.clear()
