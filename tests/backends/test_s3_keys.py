"""Keys of the S3 store: each names exactly one object, or is refused before anything is sent."""

from __future__ import annotations

import secrets
from urllib.parse import unquote

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._async.backends.s3.urls import options_of
from storage._core.errors import ConfigError, InvalidKey
from storage._core.info import Capability
from storage._core.text import Secret
from storage._core.urls import StoreURL
from tests.backends.s3 import connected, own_corner
from tests.faults.proxy import FaultProxy
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

PLAIN = [
    "a b", "A", "a", "a/b", "%41", "%2e%2e/x", "+", "?q=1", "#h", "&;=@,!$'()*", "~", ":",
    '"<>`{}|^', "é", "e\u0301", "😀", "x.", "...", "x/.hidden", ".../x", " lead", "trail ",
    "x" * 255, "é" * 127, "d/" * 400 + "x", "versions/x", "uploads/x",
]  # fmt: skip
DOUBTFUL = [
    "/", "//", ".", "..", "./x", "../x", "../../etc/passwd", "x/.", "x/..", "x/./y", "x/../y",
    "\t", "x\ny", "\x7f", "x" * 256, "d/" + "é" * 128,
    "/x", "//x", "x//y", "x/", "x//", "b\\c", "..\\x", "x/.uploads/y", "x.versions/y",
]  # fmt: skip


@pytest.mark.parametrize("key", PLAIN, ids=range(len(PLAIN)))
async def test_keys_are_kept_exactly(
    s3_service: S3Service, shared_bucket: NewBucket, key: str
) -> None:
    async with own_corner(s3_service, shared_bucket) as store:
        await store.put(key, b"data")
        assert await store.get(key) == b"data"
        assert [found async for found in store.keys()] == [key]
        await store.copy(key, "copy")
        assert await store.delete_many([key]) == 1
        assert [found async for found in store.keys()] == ["copy"]


@pytest.mark.parametrize("key", DOUBTFUL, ids=range(len(DOUBTFUL)))
async def test_keys_that_a_server_may_change_are_refused(key: str) -> None:
    store = AsyncBucketStore.connect("bucket", endpoint_url="http://127.0.0.1:9")
    for call in (store.get, store.head, store.exists, store.delete, store.presigned_get):
        with pytest.raises(InvalidKey):
            await call(key)
    with pytest.raises(InvalidKey):
        await store.put(key, b"")
    with pytest.raises(InvalidKey):
        await store.copy("a", key)
    assert not store._send.lanes.held  # nothing was opened for it


async def test_keys_are_sent_as_they_are(moto: S3Service, new_bucket: NewBucket) -> None:
    # The client must not fold what a server keeps, either.
    bucket = new_bucket(moto)
    keys = [*PLAIN, *(key for key in DOUBTFUL if "\n" not in key)]  # moto takes no line feed
    async with (
        FaultProxy(moto.endpoint_url) as wire,
        connected(moto, bucket, endpoint_url=wire.url, exact_keys=True) as store,
    ):
        for key in keys:
            await store.put(key, key.encode())
            assert unquote(wire.requests[-1].target) == f"/{bucket}/{key}"
        assert sorted([key async for key in store.keys()]) == sorted(keys)
        for key in keys:
            assert await store.get(key) == key.encode()
        assert await store.clear() == len(keys)


async def test_long_keys(s3_service: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(s3_service, shared_bucket) as store:
        room = 1024 - len(store._prefix)
        longest = ("é" * 100 + "/") * 5
        longest += "x" * (room - len(longest.encode()))
        await store.put(longest, b"data")
        assert [key async for key in store.keys()] == [longest]
        for key in (longest + "x", "x" * 1025, "x" * 2000):
            with pytest.raises(InvalidKey):
                await store.put(key, b"data")


# -- URLs ---------------------------------------------------------------------------------------


def test_what_a_url_says() -> None:
    url = StoreURL.parse(
        "s3://AKIA:se%2Fcret@bucket/some/where?endpoint_url=http://localhost:9000&region=eu-west-1"
        "&create=yes&timeout=5&ordered=true&exact_keys=false&lacking=if_match,delete_if_match"
        "&part_size=5242880&addressing_style=virtual&verify=false&profile=me&lane=client"
    )
    options = options_of(url)
    url.finish()
    assert options.pop("config") == {"addressing_style": "virtual"}
    assert options.pop("aws_secret_access_key").reveal() == "se/cret"
    assert options == {
        "bucket_name": "bucket",
        "prefix": "some/where",
        "aws_access_key_id": "AKIA",
        "endpoint_url": "http://localhost:9000",
        "region_name": "eu-west-1",
        "create": True,
        "timeout": 5.0,
        "ordered": True,
        "exact_keys": False,
        "lacking": Capability.IF_MATCH | Capability.DELETE_IF_MATCH,
        "part_size": 5242880,
        "verify": False,
        "profile": "me",
        "lane": "client",
    }


def test_a_plain_url() -> None:
    store = AsyncBucketStore.from_url(StoreURL.parse("s3://bucket"))
    assert repr(store) == "AsyncBucketStore('bucket')"
    anonymous = options_of(StoreURL.parse("s3://bucket/?anonymous=true"))
    assert anonymous["anonymous"]


@pytest.mark.parametrize(
    "text",
    [
        "s3:///prefix",
        "s3://user@bucket",
        "s3://bucket?create=perhaps",
        "s3://bucket?addressing_style=sideways",
        "s3://bucket?lacking=everything",
        "s3://bucket?timeout=0",
        "s3://bucket?endpoint_url=localhost",
        "s3://bucket?part_size=1",
    ],
)
def test_what_a_url_cannot_say(text: str) -> None:
    with pytest.raises(ConfigError):
        AsyncBucketStore.from_url(StoreURL.parse(text))


def test_an_unknown_option_names_the_known() -> None:
    url = StoreURL.parse("s3://bucket?regoin=x")
    AsyncBucketStore.from_url(url)
    with pytest.raises(ConfigError, match=r"endpoint_url.*region"):
        url.finish()


async def test_a_url_works(s3_service: S3Service, shared_bucket: NewBucket) -> None:
    secret = Secret(s3_service.secret_key)
    url = StoreURL(
        "s3",
        shared_bucket(s3_service),
        f"/{secrets.token_hex(8)}",
        s3_service.access_key,
        secret,
        {"endpoint_url": s3_service.endpoint_url, "region": s3_service.region},
    )
    async with AsyncBucketStore.from_url(url) as store:
        await store.put("key", b"data")
        assert await store.get("key") == b"data"
