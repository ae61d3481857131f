"""The stores that the tests of key-value stores go over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.fs import FilesystemStore as Files
from storage.kv import (
    CacheDecorator,
    DictStore,
    FilesystemStore,
    HDictStore,
    HFilesystemStore,
    HMACDecorator,
    HRedisStore,
    HS3Store,
    KeyValueStore,
    PrefixDecorator,
    RedisStore,
    S3Store,
    URLEncodeKeysDecorator,
)
from storage.utils import TTLStore
from tests.backends import redises
from tests.services.process import S3Service

SERVED = ("s3", "hs3", "redis", "hredis")
"""Those that need a server."""


def _held(url: str) -> Any:
    """A store by its URL, in a file that is there."""
    store = KeyValueStore(url)
    store.put("a", b"")
    store.delete("a")
    return store


def _expiring(place: Path) -> Any:
    """A store of files, whose values may have a time to live."""
    place.mkdir()
    return KeyValueStore(TTLStore(Files(place)))


MADE: dict[str, Callable[[Path], Any]] = {
    "memory": lambda place: DictStore(),
    "hmemory": lambda place: HDictStore(),
    "fs": FilesystemStore,
    "hfs": HFilesystemStore,
    "sqlite": lambda place: _held(f"sqlite://{place}/objects.sqlite"),
    "expiring": _expiring,
    "zip": lambda place: _held(f"zip://{place}/objects.zip"),
    "prefixed": lambda place: PrefixDecorator("p-", FilesystemStore(place)),
    "quoted": lambda place: URLEncodeKeysDecorator(DictStore()),
    "cached": lambda place: CacheDecorator(DictStore(), FilesystemStore(place)),
    "signed": lambda place: HMACDecorator(b"secret", FilesystemStore(place)),
}
NO_COPIES = ("signed",)
EXTENDED = ("hmemory", "hfs", "hredis", "hs3", "quoted")
EXPIRING = (
    "memory", "hmemory", "fs", "hfs", "prefixed", "quoted", "cached", "signed", "sqlite",
    "expiring", "redis", "hredis",
)  # fmt: skip


def bucket(service: S3Service, name: str, kind: type[S3Store] = S3Store, **options: Any) -> S3Store:
    """A store in a bucket of a server."""
    return kind(
        name,
        host=service.endpoint_url.removeprefix("http://"),
        is_secure=False,
        access_key=service.access_key,
        secret_key=service.secret_key,
        region_name=service.region,
        **options,
    )


@contextlib.contextmanager
def opened(
    name: str, place: Path, request: pytest.FixtureRequest, new_bucket: Callable[[S3Service], str]
) -> Iterator[Any]:
    """A store by its name in `MADE` or `SERVED`."""
    if name in MADE:
        made = MADE[name](place)
    elif name.endswith("redis"):
        kind = HRedisStore if name == "hredis" else RedisStore
        made = kind(redises.blocking(request.getfixturevalue("valkey")))
    else:
        service: S3Service = request.getfixturevalue("seaweedfs")
        made = bucket(service, new_bucket(service), HS3Store if name == "hs3" else S3Store)
    with made as store:
        yield store
