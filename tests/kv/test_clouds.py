"""Key-value stores in Azure Blob Storage and Google Cloud Storage."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from storage.kv import (
    AzureBlockBlobStore,
    GoogleCloudStore,
    HAzureBlockBlobStore,
    HGoogleCloudStore,
    KeyValueStore,
    get_store,
    get_store_from_url,
)
from storage.object import ConfigError
from tests.services.process import CloudService

MADE = ("azurite", "fakegcs")


def _connection(service: CloudService) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={service.account};AccountKey={service.key};"
        f"BlobEndpoint={service.endpoint};"
    )


@pytest.fixture(params=MADE)
def store(request: pytest.FixtureRequest) -> Any:
    service: CloudService = request.getfixturevalue(request.param)
    name = f"kv-{secrets.token_hex(6)}"
    made: Any
    if service.name == "azurite":
        options: dict[str, Any] = {"max_block_size": 1_000_000, "max_single_put_size": 1_500_000}
        made = HAzureBlockBlobStore(_connection(service), name, **options)
    else:
        options = {"token": service.key, "endpoint_url": service.endpoint, "project": "tests"}
        made = HGoogleCloudStore(None, name, **options)
    with made:
        yield made


def test_values(store: KeyValueStore) -> None:
    assert store.put("a/b c", b"data") == "a/b c"
    assert store.get("a/b c") == b"data"
    assert "a/b c" in store
    assert "other" not in store
    with pytest.raises(KeyError):
        store.get("other")
    with pytest.raises(ValueError, match="'Ü'"):
        store.get("Ü")
    long = bytes(range(250)) * 8_000
    store.put("long", long)
    with store.open("long") as file:
        assert file.seek(-5, 2) == len(long) - 5
        assert file.read() == long[-5:]
        assert (file.seek(3), file.read(4)) == (3, long[3:7])
        file.seek(3_000_000)
        assert file.read() == b""
    assert sorted(store.keys()) == ["a/b c", "long"]
    assert sorted(store.iter_prefixes("/")) == ["a/", "long"]
    store.delete("long")
    store.delete("long")
    assert store.keys() == ["a/b c"]


def test_no_bucket_is_made_unasked(azurite: CloudService) -> None:
    made = AzureBlockBlobStore(_connection(azurite), "not-there", create_if_missing=False)
    with made as store, pytest.raises(OSError, match="ContainerNotFound"):
        store.put("key", b"")


def test_a_public_container(azurite: CloudService) -> None:
    name = f"public-{secrets.token_hex(6)}"
    with AzureBlockBlobStore(_connection(azurite), name, public=True) as store:
        store.put("key", b"data")
    anonymous = f"AccountName={azurite.account};BlobEndpoint={azurite.endpoint}"
    with AzureBlockBlobStore(anonymous, name, create_if_missing=False) as store:
        assert store.get("key") == b"data"


def test_what_urls_make() -> None:
    account = "azure://me:a2V5@box?max_connections=70&max_block_size=4*1024*1024&socket_timeout=20"
    azure: Any = get_store_from_url(account)
    inner = azure.store._async
    assert type(azure) is AzureBlockBlobStore
    assert inner._medium.url == "https://me.blob.core.windows.net/box"
    assert inner._medium.signer.account.key.reveal() == "a2V5"
    assert (inner._recipe["connections"], inner._recipe["read_timeout"]) == (70, 20.0)
    assert (inner._part_size, inner._create_bucket) == (4 * 1024 * 1024, True)
    signed: Any = get_store_from_url("hazure://me:sig%3Dx@box?use_sas&create_if_missing=false")
    assert signed.store._async._medium.signer.account.sas.reveal() == "sig=x"
    assert type(signed) is HAzureBlockBlobStore
    json = base64.urlsafe_b64encode(b'{"type": "none"}').decode()
    google: Any = get_store_from_url(f"hgcs://{json}@box?bucket_creation_location=EU")
    assert google.store._async._recipe["location"] == "EU"
    assert type(google) is HGoogleCloudStore
    assert type(get_store("gcs", bucket_name="box", credentials=None)) is GoogleCloudStore
    for made in (azure, signed, google):
        assert not {"a2V5", "sig=x", json} & set(repr(made).split("'"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: get_store_from_url("azure://me:sig@box?use_sas"),
        lambda: get_store_from_url("azure://box"),
        lambda: get_store_from_url("gcs://e30=@box?colour=red"),
        lambda: get_store("azure", container="box", colour="red"),
        lambda: AzureBlockBlobStore("AccountName=me;AccountKey=a2V5"),
    ],
)
def test_what_makes_no_sense(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()
