"""Stores of cloud services: how they are made, and what only they can do."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import secrets
import time
import urllib.error
import urllib.request
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("aiohttp")

from storage import open_async_store, open_store
from storage._async.backends._cloud.requests import Request
from storage._async.backends.azure.credentials import Account, Signer
from storage._async.backends.gcs.credentials import Signer as GoogleSigner
from storage._core.errors import (
    AccessDenied,
    ConfigError,
    InvalidKey,
    NotSupported,
    StoreClosed,
    StoreNotFound,
    StoreUnavailable,
)
from storage._core.info import Capability
from storage.azure import AsyncAzureBlobStore, AzureBlobStore
from storage.gcs import AsyncGoogleCloudStore, GoogleCloudStore
from tests.backends.clouds import PART, PUTS, connected
from tests.services.process import CloudService

KEY = "Y2FuYXJ5LW9mLXRoZS1rZXk="


@pytest.fixture(params=list(PUTS))
def service(request: pytest.FixtureRequest) -> CloudService:
    found: CloudService = request.getfixturevalue(request.param)
    return found


def _asked(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


# -- life -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_first_write_makes_the_bucket(service: CloudService, streamed: bool) -> None:
    more: dict[str, Any] = {"project": "tests"} if service.name == "fakegcs" else {}
    bucket = f"made-{secrets.token_hex(6)}"
    data = bytes(PART + 1)
    async with connected(service, bucket=bucket, create=True, **more) as store:
        with pytest.raises(StoreNotFound):
            await store.get("key")
        await store.put("key", iter([data]) if streamed else data)
        assert await store.get("key") == data
        await store._medium.create()  # somebody else was faster


def test_a_blocking_store(service: CloudService) -> None:
    with connected(service, blocking=True) as store:
        assert store.put("a/b", b"data", if_absent=True).size == 4
        store.put("large", (bytes(PART) for _ in range(3)))
        assert store.get("a/b") == b"data"
        assert list(store.keys()) == ["a/b", "large"]
        with store.open_reader("large") as reader:
            assert reader.seek(-5, 2) == 3 * PART - 5
            assert len(reader.read()) == 5
        assert store.clear() == 2
    with pytest.raises(StoreClosed):
        store.get("a/b")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_loops_and_forks(service: CloudService) -> None:
    store = connected(service)
    twin = (AzureBlobStore if service.name == "azurite" else GoogleCloudStore).around(store)
    twin.put("key", b"data")
    for _ in range(2):
        assert asyncio.run(store.get("key")) == b"data"
    child = os.fork()
    if not child:
        try:
            right = twin.get("key") == asyncio.run(store.get("key")) == b"data"
            os._exit(0 if right else 1)
        finally:
            os._exit(2)
    deadline = time.monotonic() + 20
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < deadline, "the child hangs"
        time.sleep(0.01)
    assert ended[1] == 0
    assert twin.get("key") == b"data"
    twin.close()


async def test_an_unclosed_store_says_so(fakegcs: CloudService) -> None:
    store = connected(fakegcs)
    await store.put("key", b"")
    sessions = store._medium.send.sessions
    with pytest.warns(ResourceWarning, match="unclosed AsyncGoogleCloudStore"):
        del store
    await sessions.aclose()


def test_what_is_plain_is_pickled() -> None:
    for plain in (
        AsyncGoogleCloudStore("box", anonymous=True, prefix="a/", part_size=PART),
        AzureBlobStore("account", "box", prefix="a/", timeout=3),
    ):
        again = pickle.loads(pickle.dumps(plain))
        assert repr(again) == repr(plain)
        assert "'a/'" in repr(again)
    for secret in (
        AsyncGoogleCloudStore("box", token="canary"),
        AsyncAzureBlobStore("account", "box", sas_token="canary"),
    ):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


# -- names and attributes -------------------------------------------------------------------------


def test_names_that_a_service_would_change() -> None:
    azure = AsyncAzureBlobStore("account", "box")
    for key in ("a.", "a./b", ".", "../a", "a\\b", "a\x7f", "a\nb", "a/" * 254 + "a"):
        with pytest.raises(InvalidKey):
            azure._check_key(key)
    google = AsyncGoogleCloudStore("box", anonymous=True, prefix="p")
    for key in ("a\nb", "a\rb", "k" * 1024):
        with pytest.raises(InvalidKey):
            google._check_key(key)
    for key in ("a//b", "/a", "a/", "a%2e", "é", ".a", "a.b"):
        azure._check_key(key)
        google._check_key(key)


@pytest.mark.parametrize(
    "pairs", [{"plain": "text"}, {"Upper": "x"}, {"é": "日本\n"}, {"empty": ""}, {"a-b": " x "}]
)
async def test_metadata_of_any_kind(service: CloudService, pairs: dict[str, str]) -> None:
    async with connected(service) as store:
        await store.put("key", b"", metadata=pairs, if_absent=True)
        assert (await store.head("key")).metadata == pairs
        await store.copy("key", "other")
        assert (await store.get_with_info("other"))[1].metadata == pairs
        with pytest.raises(ConfigError):
            await store.put("key", b"", content_type="text\r\nevil: 1")


async def test_plain_metadata_is_readable_by_others(azurite: CloudService) -> None:
    async with connected(azurite) as store:
        await store.put("key", b"data", metadata={"plain": "text"}, content_type="text/x")
        url = await store.presigned_get("key", content_type="text/y")
        with urllib.request.urlopen(url) as answer:
            assert answer.headers["x-ms-meta-plain"] == "text"
            assert answer.headers["Content-Type"] == "text/y"


# -- presigned URLs -------------------------------------------------------------------------------


async def test_azure_signs_urls(azurite: CloudService) -> None:
    async with connected(azurite) as store:
        put = await store.presigned_put("a b/é", 60)
        await asyncio.to_thread(_asked, put, "PUT", b"data", **{"x-ms-blob-type": "BlockBlob"})
        get = await store.presigned_get("a b/é", 60)
        assert await asyncio.to_thread(_asked, get) == b"data"
        for wrong in (get.replace("sp=r", "sp=rw"), get.replace("%C3%A9", "e"), put):
            with pytest.raises(urllib.error.HTTPError) as caught:
                await asyncio.to_thread(_asked, wrong)
            caught.value.close()
            assert caught.value.code == 403
        delete = await store.presigned_delete("a b/é", 60)
        await asyncio.to_thread(_asked, delete, "DELETE")
        assert await store.exists("a b/é") is False
    async with connected(azurite, account_key=None, sas_token="sig=x") as store:
        with pytest.raises(NotSupported):
            await store.presigned_get("key")


def _service_account() -> tuple[dict[str, str], Any]:
    """Credentials as Google gives them out, and the key that their signatures fit."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    known = {
        "type": "service_account", "project_id": "project", "private_key_id": "1",
        "private_key": text, "client_email": "me@example.com", "client_id": "1",
        "token_uri": "http://127.0.0.1:1/token",
    }  # fmt: skip
    return known, key.public_key()


async def test_google_signs_urls_by_a_service_account(tmp_path: Path) -> None:
    pytest.importorskip("google.auth")
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256, Hash

    known, public = _service_account()
    path = tmp_path / "key.json"
    path.write_text(json.dumps(known))
    async with AsyncGoogleCloudStore("box", credentials=str(path), retries=0) as store:
        url = urlsplit(await store.presigned_get("a b/é", 60, content_disposition="attachment"))
        with pytest.raises(StoreUnavailable, match="TransportError"):  # nobody gives a token
            await store.get("key")
    query, _, signature = url.query.partition("&X-Goog-Signature=")
    told = parse_qs(query)
    assert told["response-content-disposition"] == ["attachment"]
    assert told["X-Goog-Expires"] == ["60"]
    request = f"GET\n{url.path}\n{query}\nhost:{url.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = Hash(SHA256())
    digest.update(request.encode())
    date = told["X-Goog-Date"][0]
    text = f"GOOG4-RSA-SHA256\n{date}\n{date[:8]}/auto/storage/goog4_request\n"
    text += digest.finalize().hex()
    public.verify(bytes.fromhex(signature), text.encode(), padding.PKCS1v15(), SHA256())
    assert url.path == "/box/a%20b/%C3%A9"


@pytest.mark.parametrize("expiry", [0, -1, 604_801, 1.5, True])
async def test_presigned_urls_end_within_a_week(expiry: Any) -> None:
    async with AsyncAzureBlobStore("account", "box", account_key=KEY) as store:
        with pytest.raises(ConfigError, match="604800"):
            await store.presigned_get("key", expiry)
        assert "sig=" in await store.presigned_put("key", 604_800)


# -- who asks -------------------------------------------------------------------------------------


class _Token:
    """A credential of azure-identity."""

    def __init__(self, lives: float) -> None:
        self.lives, self.asked = lives, 0

    def get_token(self, *scopes: str) -> Any:
        """A token, and when it ends."""
        self.asked += 1
        self.token, self.expires_on = f"token{self.asked}", time.time() + self.lives
        assert scopes == ("https://storage.azure.com/.default",)
        return self


class _AsyncToken(_Token):
    async def get_token(self, *scopes: str) -> Any:
        """The same, for asyncio."""
        return super().get_token(*scopes)


@pytest.mark.parametrize("kind", [_Token, _AsyncToken])
@pytest.mark.parametrize(("lives", "asked"), [(3600, 1), (60, 3)])
async def test_azures_tokens_are_renewed(kind: type[_Token], lives: float, asked: int) -> None:
    credential = kind(lives)
    signer = Signer(Account("account", credential=credential))
    for _ in range(3):
        _, headers = await signer.sign(Request("GET", "https://x/y"))
    assert headers["Authorization"] == f"Bearer token{asked}"
    assert credential.asked == asked


async def test_a_credential_that_fails_is_not_quoted() -> None:
    class Bad:
        def get_token(self, *scopes: str) -> Any:
            raise RuntimeError("canary")

    with pytest.raises(AccessDenied, match="no token: RuntimeError") as caught:
        await Signer(Account("a", credential=Bad())).sign(Request("GET", "https://x/y"))
    assert caught.value.__cause__ is None


async def test_googles_tokens_are_renewed() -> None:
    pytest.importorskip("google.auth.transport.requests")

    class Credentials:
        token = ""
        asked = 0

        @property
        def valid(self) -> bool:
            return self.asked == 2  # the first one has ended at once

        def refresh(self, transport: Any) -> None:
            self.asked += 1
            self.token = f"token{self.asked}"

    signer = GoogleSigner(Credentials())
    tokens = [(await signer.sign(Request("GET", "https://x")))[1]["Authorization"] for _ in "123"]
    assert tokens == ["Bearer token1", "Bearer token2", "Bearer token2"]


@pytest.mark.parametrize("told", ["/no/such/file.json", b"canary", "{canary", {"canary": 1}, 3])
async def test_credentials_that_are_none(told: Any) -> None:
    pytest.importorskip("google.auth")
    async with AsyncGoogleCloudStore("box", credentials=told) as store:
        with pytest.raises((ConfigError, AccessDenied)) as caught:
            await store.get("key")
    assert "canary" not in str(caught.value)


# -- URLs -----------------------------------------------------------------------------------------


def test_urls() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        google: Any = open_async_store(
            "gs://box/a/b/?token=canary&create=yes&project=p&part_size=524288"
        )
        assert type(google) is AsyncGoogleCloudStore
        assert (google._prefix, google._part_size) == ("a/b/", 524_288)
        azure: Any = open_async_store(f"azure://account:{KEY.replace('=', '%3D')}@box")
        assert azure._medium.signer.account.key.reveal() == KEY
        assert azure._medium.url == "https://account.blob.core.windows.net/box"
        assert type(open_store("az://account@box/p?sas_token=sig%3Dcanary")) is AzureBlobStore
        assert type(open_store("gcs://box?anonymous=true")) is GoogleCloudStore
        assert "canary" not in repr([google, azure])
        local = AsyncAzureBlobStore.from_connection_string(
            f"AccountName=me;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:1/me", "box"
        )
        assert local._container.url == "http://127.0.0.1:1/me/box"
        assert local.capabilities & Capability.DELETE_IF_MATCH


@pytest.mark.parametrize(
    "make",
    [
        lambda: open_store("az://box"),
        lambda: open_store("gs://me@box"),
        lambda: open_store("gs://box?retrys=3"),
        lambda: AsyncAzureBlobStore("account", "Box"),
        lambda: AsyncAzureBlobStore("acc/ount", "box"),
        lambda: AsyncAzureBlobStore("account", "box", account_key="no base 64"),
        lambda: AsyncAzureBlobStore("account", "box", account_key=KEY, sas_token="sig=x"),
        lambda: AsyncAzureBlobStore("account", "box", endpoint_url="file:///etc"),
        lambda: AsyncAzureBlobStore("account", "box", part_size=1000),
        lambda: AsyncAzureBlobStore("account", "box", connections=0),
        lambda: AsyncAzureBlobStore("account", "box", read_timeout=0),
        lambda: AsyncAzureBlobStore.from_connection_string("canary", "box"),
        lambda: AsyncGoogleCloudStore("box/../other"),
        lambda: AsyncGoogleCloudStore("box", endpoint_url="ftp://x"),
        lambda: AsyncGoogleCloudStore("box", token="x", anonymous=True),
    ],
)
def test_arguments_that_make_no_sense(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()
