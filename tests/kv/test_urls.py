"""URLs of key-value stores: what they mean, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from storage.kv import (
    DictStore,
    FilesystemStore,
    HDictStore,
    HFilesystemStore,
    HS3Store,
    KeyValueStore,
    ReadOnlyDecorator,
    S3Store,
    URLEncodeKeysDecorator,
    create_store,
    decorate_store,
    get_store,
    get_store_from_url,
    url2dict,
)
from storage.object import ConfigError
from tests.kv.stores import bucket
from tests.services.process import S3Service

MEANT: dict[str, dict[str, Any]] = {
    "memory://": {"type": "memory"},
    "memory://#wrap:readonly": {"type": "memory", "wrap": "readonly"},
    "hmemory+a+b://": {"type": "hmemory", "wrap": "b+a"},
    "fs://a/Relative/path": {"type": "fs", "path": "a/Relative/path"},
    "hfs:///an/absolute%20path?create_if_missing=false": {
        "type": "hfs", "path": "/an/absolute path", "create_if_missing": False,
    },
    "redis:///2": {"type": "redis", "host": "localhost", "db": 2},
    "redis://user:pw@there:99/0": {
        "type": "redis", "host": "there", "port": 99, "db": 0, "username": "user",
        "password": "pw",
    },
    "hredis://pw@there": {"type": "hredis", "host": "there", "password": "pw"},
    "s3://key:a%3Ab%2Fc@there:99/name?force_bucket_suffix=false&verify=/etc/ca&is_secure=1": {
        "type": "s3", "host": "there:99", "bucket": "name", "access_key": "key",
        "secret_key": "a:b/c", "force_bucket_suffix": False, "verify": "/etc/ca",
        "is_secure": True,
    },
    "hs3://key:secret@/name?region_name=eu-west-1": {
        "type": "hs3", "host": "", "bucket": "name", "access_key": "key",
        "secret_key": "secret", "region_name": "eu-west-1",
    },
    "azure://me:dead%2Fbeef@box?use_sas&create_if_missing=false&max_block_size=4*1024*1024": {
        "type": "azure", "account_name": "me", "account_key": "dead/beef", "container": "box",
        "use_sas": True, "create_if_missing": False, "max_block_size": 4194304,
    },
    "azure://me:key@box?use_sas=false&max_connections=5&socket_timeout=20": {
        "type": "azure", "account_name": "me", "account_key": "key", "container": "box",
        "use_sas": False, "max_connections": 5, "socket_timeout": 20.0,
    },
    "gcs://e30=@box?bucket_creation_location=EU": {
        "type": "gcs", "bucket_name": "box", "credentials": b"{}",
        "bucket_creation_location": "EU",
    },
}  # fmt: skip


@pytest.mark.parametrize("url", MEANT)
def test_what_a_url_means(url: str) -> None:
    assert url2dict(url, raise_on_extra_params=True) == MEANT[url]


@pytest.mark.parametrize(
    "url",
    [
        "dummy://foo/bar",
        "memory://host",
        "memory+readonly://#wrap:readonly",
        "memory://?colour=red",
        "memory+purple://",
        "fs:///tmp/x?create_if_missing=perhaps",
        "fs:///tmp/x?perm=rw",
        "redis://host:port/0",
        "redis://host/zero",
        "s3://key:secret@host",
        "s3://key:secret@host/bucket?url_valid_time=soon",
        "azure://account@container",
        "azure://a:k@c?max_block_size=4*many",
        "gcs://%25%25@bucket",
    ],
)
def test_what_makes_no_sense(url: str) -> None:
    with pytest.raises(ConfigError):
        get_store_from_url(url)


def test_extra_options_can_be_ignored() -> None:
    assert url2dict("memory://?colour=red") == {"type": "memory"}


def test_the_classes() -> None:
    assert type(get_store_from_url("memory://")) is DictStore
    assert type(get_store_from_url("hmemory://")) is HDictStore
    assert type(get_store("hmemory")) is HDictStore
    assert type(get_store_from_url("memory://", store_cls=DictStore)) is DictStore
    with pytest.raises(ValueError, match="DictStore"):
        get_store_from_url("memory://", store_cls=FilesystemStore)


def test_wrappers_and_their_order() -> None:
    store = get_store_from_url("memory+readonly+urlencode://")
    assert type(store) is ReadOnlyDecorator
    assert type(store._dstore) is URLEncodeKeysDecorator
    store = get_store_from_url("memory://#wrap:readonly+urlencode")
    assert type(store) is URLEncodeKeysDecorator
    assert type(get_store("memory+readonly")) is ReadOnlyDecorator
    assert type(get_store("memory", wrap="readonly")) is ReadOnlyDecorator
    with pytest.raises(ValueError, match="both"):
        get_store("memory+readonly", wrap="readonly")
    with pytest.raises(ValueError, match="purple"):
        decorate_store(DictStore(), "purple")


@pytest.mark.parametrize("kind", ["fs", "hfs", "file", "hfile", "filesystem"])
def test_directories(tmp_path: Path, kind: str) -> None:
    store = get_store(kind, path=str(tmp_path / "new"))
    assert (tmp_path / "new").is_dir()
    assert isinstance(store, HFilesystemStore) is (kind not in ("fs", "file"))
    get_store(kind, path=str(tmp_path / "none"), create_if_missing=False)
    assert not (tmp_path / "none").exists()


def test_parameters_are_checked() -> None:
    wrong: list[dict[str, Any]] = [{}, {"path": "x", "colour": "red"}]
    for parameters in wrong:
        with pytest.raises(ValueError, match="parameter of fs"):
            get_store("fs", **parameters)
    with pytest.raises(ValueError, match="purple"):
        get_store("purple")


def test_the_older_form_warns() -> None:
    with pytest.warns(DeprecationWarning, match="get_store"):
        assert type(create_store("memory", {"create_if_missing": True})) is DictStore


def test_any_other_store_by_its_url(tmp_path: Path) -> None:
    with get_store_from_url(f"sqlite://{tmp_path}/objects.sqlite") as store:
        store.put("a", b"1")
        with pytest.raises(ValueError, match="key"):
            store.put("a/b", b"1")
    with get_store_from_url(f"hsqlite://{tmp_path}/objects.sqlite") as store:
        assert isinstance(store, KeyValueStore)
        store.put("a/b", b"2")
        assert sorted(store) == ["a", "a/b"]


def _url(service: S3Service, name: str, **options: str) -> str:
    host = service.endpoint_url.removeprefix("http://")
    place = f"hs3://{service.access_key}:{quote(service.secret_key, safe='')}@{host}/{name}"
    given = {"is_secure": "false", "region_name": service.region, **options}
    return place + "?" + "&".join(f"{key}={value}" for key, value in given.items())


def test_buckets(seaweedfs: S3Service, new_bucket: Callable[[S3Service], str]) -> None:
    name = new_bucket(seaweedfs)
    url = _url(seaweedfs, name, force_bucket_suffix="false", object_prefix="in/")
    with get_store_from_url(url) as store:
        assert type(store) is HS3Store
        assert seaweedfs.secret_key not in repr(store)
        store.put("a/b", b"1")
        assert store.url_for("a/b") == f"{seaweedfs.endpoint_url}/{name}/in/a/b"
        assert store.size("a/b") == 1


def test_a_bucket_is_named_after_its_owner() -> None:
    with get_store_from_url("s3://KEY:secret@host/name") as store:
        assert store.bucket == "name-key"
    with get_store_from_url("s3://key:secret@/name-key") as store:
        assert store.bucket == "name-key"
        assert store.url_for("a") == "https://name-key.s3.amazonaws.com/a"


def test_signed_urls(seaweedfs: S3Service, new_bucket: Callable[[S3Service], str]) -> None:
    from urllib.request import urlopen

    with bucket(seaweedfs, new_bucket(seaweedfs), S3Store, url_valid_time=60) as store:
        store.put("a", b"1")
        with urlopen(store.url_for("a")) as answer:
            assert answer.read() == b"1"


def test_a_missing_bucket_is_no_empty_one(seaweedfs: S3Service) -> None:
    with bucket(seaweedfs, "there-is-no-such", S3Store, create_if_missing=False) as store:
        for ask in (store.keys, lambda: store.get("a"), lambda: store.put("a", b"")):
            with pytest.raises(OSError, match="there-is-no-such"):
                ask()
