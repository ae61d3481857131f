"""The stores that are put to the conformance kit: one table, a few lines for each.

A new backend needs its line here, and is then tested async and blocking by the same checks.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from storage import _registry
from storage._core.errors import MissingExtra
from storage._core.info import Capability
from tests.services import buckets, clouds
from tests.services.process import (
    CloudService,
    DatabaseService,
    FileService,
    RedisService,
    S3Service,
)

ALL = ~Capability.NONE


@dataclass(frozen=True)
class Medium:
    """One kind of store, and how to make it.

    Args:
        scheme: The scheme of its URLs, by which the registry knows the async class and its twin.
        make: Makes a store of a class at a place; a place is a path that nothing else uses.
        capabilities: What the store has to declare.
        hints: Attributes of `StoreConformance`.
        litter: What lies at a place besides objects, by the keys that are there.
        service: The server that it needs.
        persists: Whether a second store at the same place sees the same objects.
        begins_missing: Whether a place that was never written to is a missing store.
        twin: Whether its blocking twin is tested, too.
        spared: What the names of checks begin with that another run of the same code takes.
    """

    scheme: str
    make: Callable[[type[Any], Any], Any]
    capabilities: Capability = ALL
    hints: dict[str, Any] = field(default_factory=dict)
    litter: Callable[[Any, list[str]], Iterable[str]] = lambda place, keys: ()
    service: str | None = None
    persists: bool = True
    begins_missing: bool = True
    twin: bool = True
    spared: tuple[str, ...] = ()

    def load(self, blocking: bool) -> type[Any]:
        """The async class, or its blocking twin."""
        backend = next(each for each in _registry.BACKENDS if each.scheme == self.scheme)
        kind: type[Any] = _registry._load(backend.blocking if blocking else backend.asynchronous)
        return kind

    def hints_for(self, blocking: bool) -> dict[str, Any]:
        """The hints for the async class, or for its twin, which does the same with keys."""
        if not blocking:
            return self.hints
        fewer = _FEWER if self.service else {"examples": 40}
        return {**self.hints, **fewer, "own_keys": False}

    def is_there(self) -> bool:
        """Whether its façades exist, and what they need."""
        try:
            return bool(self.load(blocking=False) and self.load(blocking=True))
        except (ModuleNotFoundError, MissingExtra):
            return False


def files_under(root: Path) -> list[str]:
    """The files below a directory, by their paths below it."""
    return [
        os.path.relpath(os.path.join(directory, name), root)
        for directory, _, names in os.walk(root)
        for name in names
    ]


def _more_files(per_object: int) -> Callable[[Path, list[str]], list[str]]:
    """Litter of directories: any files at all, if there are more than the objects take."""

    def litter(place: Path, keys: list[str]) -> list[str]:
        found = files_under(place)
        return found if len(found) != per_object * len(keys) else []

    return litter


def _beside(*suffixes: str) -> Callable[[Path, list[str]], list[str]]:
    """Litter of stores in one file: other files in its directory, but for those it may have."""

    def litter(place: Path, keys: list[str]) -> list[str]:
        known = {place.name, *(place.name + suffix for suffix in suffixes)}
        return [name for name in files_under(place.parent) if name not in known]

    return litter


@dataclass(frozen=True)
class Corner:
    """A part of a bucket or of a database that nothing else uses."""

    service: Any
    bucket: str
    prefix: str


def corner(
    service: S3Service | RedisService | CloudService | DatabaseService, bucket: str
) -> Corner:
    """A new corner of a bucket."""
    return Corner(service, bucket, secrets.token_hex(6))


def _connect(kind: type[Any], place: Corner, lane: str = "fast") -> Any:
    return kind.connect(
        place.bucket,
        prefix=place.prefix,
        endpoint_url=place.service.endpoint_url,
        region_name=place.service.region,
        aws_access_key_id=place.service.access_key,
        aws_secret_access_key=place.service.secret_key,
        lacking=_MOTO_LACKS if place.service.name == "moto" else Capability.NONE,
        part_size=5 * 1024 * 1024,
        lane=lane,
    )


@dataclass(frozen=True)
class Served:
    """A directory of this machine, as a file server gives it out."""

    service: FileService
    path: Path


def _served(litter: Callable[[Path, list[str]], Iterable[str]]) -> Callable[..., Iterable[str]]:
    return lambda place, keys: litter(place.path, keys)


def _by_ssh(kind: type[Any], place: Served) -> Any:
    service = place.service
    return kind(
        service.host,
        str(place.path),
        port=service.port,
        username=service.user,
        client_keys=[f"{service.directory}/id_ed25519"],
        known_hosts=f"{service.directory}/known_hosts",
    )


def _by_ftp(kind: type[Any], place: Served) -> Any:
    service = place.service
    encrypted = service.name == "ftps"
    return kind(
        service.host,
        str(place.path),
        port=service.port,
        username=service.user,
        password=service.password,
        tls="explicit" if encrypted else "none",
        allow_plaintext=not encrypted,
        ca_file=f"{service.directory}/ca.pem" if encrypted else None,
    )


def _by_client(kind: type[Any], place: Corner) -> Any:
    return _connect(kind, place, "client")


def _by_aiohttp(kind: type[Any], place: Corner) -> Any:
    return _connect(kind, place, "aiohttp")


def _connect_redis(kind: type[Any], place: Corner) -> Any:
    return kind.connect(
        place.service.host,
        place.service.port,
        db=9999 if place.bucket else 0,  # there are 16
        password=place.service.password,
        prefix=place.prefix + ":",
    )


def _by_azure(kind: type[Any], place: Corner) -> Any:
    service = place.service
    return kind(
        service.account,
        place.bucket or clouds.BUCKET,
        account_key=service.key,
        endpoint_url=service.endpoint,
        prefix=place.prefix + "/",
        part_size=1024 * 1024,
    )


def _by_google(kind: type[Any], place: Corner) -> Any:
    return kind(
        place.bucket or clouds.BUCKET,
        token=place.service.key,
        endpoint_url=place.service.endpoint,
        prefix=place.prefix + "/",
        part_size=1024 * 1024,
        lacking=_FAKE_GCS_LACKS,
    )


def _besides(place: Corner, keys: list[str]) -> list[str]:
    """What is on a Redis server besides objects and what stands beside them."""
    import redis

    with redis.Redis(place.service.host, place.service.port, password=place.service.password) as it:
        found = {name for name in it.scan_iter(f"{place.prefix}:*") if b"\0" in name}
    known = {f"{place.prefix}:{key}\0about".encode() for key in keys}
    return [repr(name) for name in found - known]


def _by_asyncpg(kind: type[Any], place: Corner) -> Any:
    return kind(place.service.url, table=f"t{place.prefix}", max_connections=4)


def _orphans(place: Corner, keys: list[str]) -> list[str]:
    """Chunks of no object, and uploads."""
    import asyncpg

    table = f"t{place.prefix}"
    query = f"""
SELECT 'chunk ' || number FROM {table}_chunks c
WHERE NOT EXISTS (SELECT 1 FROM {table} o WHERE o.etag = c.etag)
UNION ALL SELECT 'upload ' || etag FROM {table}_uploads"""

    async def look() -> list[str]:
        connection = await asyncpg.connect(place.service.url)
        try:
            return [row[0] for row in await connection.fetch(query)]
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    return asyncio.run(look())


def _uploads(place: Corner, keys: list[str]) -> list[str]:
    client = buckets.client(place.service)
    found = client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.prefix)
    return [upload["Key"] for upload in found.get("Uploads", ())]


# What fake-gcs-server takes no notice of, without a word.
_FAKE_GCS_LACKS = Capability.COPY_IF_ABSENT | Capability.DELETE_IF_MATCH
# What moto takes no notice of, without a word.
_MOTO_LACKS = Capability.COPY_IF_ABSENT
_FILES = {"picklable": True, "memory_limit": 8 * 1024 * 1024}
_BUCKETS = {
    "creates": False,
    "remote": True,
    "thorough": False,
    "examples": 20,
    "steps": 15,
    "seconds": 0.3,
    # More than one part of a multipart upload.
    "stream_size": 12_000_000,
    "memory_limit": 64 * 1024 * 1024,
    "idle_descriptors": 40,
    "secrets": ["testingsecret"],
}

MEDIA: dict[str, Medium] = {
    "memory": Medium(
        "memory",
        lambda kind, place: kind(),
        hints={"in_memory": True},
        persists=False,
        begins_missing=False,
    ),
    "filesystem": Medium(
        "file",
        lambda kind, place: kind(place, durable=False),
        hints=_FILES,
        capabilities=ALL,
        litter=_more_files(1),
    ),
    "safe": Medium(
        "safe",
        lambda kind, place: kind(place, durable=False),
        hints=_FILES,
        capabilities=ALL,
        litter=_more_files(1),
    ),
    "hashdir": Medium(
        "hashdir",
        lambda kind, place: kind(place, durable=False),
        hints=_FILES,
        capabilities=ALL & ~Capability.ORDERED,
        litter=_more_files(2),
    ),
    "sqlite": Medium(
        "sqlite",
        lambda kind, place: kind(place, durable=False),
        hints={**_FILES, "idle_descriptors": 20},
        litter=_beside("-wal", "-shm"),
    ),
    "zip": Medium(
        "zip",
        lambda kind, place: kind(place),
        hints={**_FILES, "idle_descriptors": 2},
        capabilities=ALL & ~Capability.RANGES,
        litter=_beside("-journal"),
    ),
    "valkey": Medium(
        "redis",
        _connect_redis,
        hints={
            "creates": False,
            "remote": True,
            "examples": 30,
            "steps": 20,
            "stream_size": 6_000_000,
            "idle_descriptors": 20,
            "secrets": ["test-secret"],
        },
        capabilities=ALL & ~Capability.ORDERED,
        litter=_besides,
        service="valkey",
        begins_missing=False,
    ),
    "seaweedfs": Medium(
        "s3",
        _connect,
        hints=_BUCKETS,
        capabilities=ALL & ~Capability.ORDERED,
        litter=_uploads,
        service="seaweedfs",
        begins_missing=False,
    ),
    "moto": Medium(
        "s3",
        _connect,
        # It is slow, and the other one has pages too.
        hints={**_BUCKETS, "many": 120, "seconds": 0.15},
        spared=("test_cancelled", "test_large_streams"),
        capabilities=ALL & ~Capability.ORDERED & ~_MOTO_LACKS,
        litter=_uploads,
        service="moto",
        begins_missing=False,
        twin=False,
    ),
}
_FILE_SERVERS = {
    "remote": True,
    "thorough": False,
    "examples": 8,
    "steps": 8,
    "many": 60,
    "seconds": 0.1,
    "memory_limit": 8 * 1024 * 1024,
    "idle_descriptors": 20,
}
MEDIA["sftp"] = Medium(
    "sftp",
    _by_ssh,
    hints={**_FILE_SERVERS, "picklable": True, "idle_tasks": 8},
    capabilities=Capability.ORDERED
    | Capability.IF_ABSENT
    | Capability.COPY_IF_ABSENT
    | Capability.STREAMS
    | Capability.RANGES,
    litter=_served(_more_files(1)),
    service="sftp",
    twin=False,
)
MEDIA["postgres"] = Medium(
    "postgresql",
    _by_asyncpg,
    hints={
        "remote": True,
        "thorough": False,
        "examples": 15,
        "steps": 12,
        "many": 60,
        "seconds": 0.15,
        # More than two of its statements carry.
        "stream_size": 3_000_000,
        "memory_limit": 24 * 1024 * 1024,
        "idle_descriptors": 20,
        "secrets": ["test-secret"],
    },
    litter=_orphans,
    service="postgres",
    twin=False,
)
MEDIA["ftp"] = Medium(
    "ftp",
    _by_ftp,
    # A session a loop costs a login, and names are those of the same tree as over SSH.
    hints={**_FILE_SERVERS, "secrets": ["secret-of-the-ftp-user"], "own_keys": False},
    capabilities=Capability.ORDERED | Capability.STREAMS | Capability.RANGES,
    litter=_served(_more_files(1)),
    service="ftp",
    twin=False,
)
_CLOUDS = {
    **_BUCKETS,
    "examples": 8,
    "steps": 8,
    "many": 60,
    "seconds": 0.1,
    "stream_size": 2_500_000,
    "memory_limit": 8 * 1024 * 1024,
}
if not clouds.Azurite.missing():  # it is no wheel, and tests that need it say so
    MEDIA["azure"] = Medium(
        "az",
        _by_azure,
        hints={**_CLOUDS, "secrets": [clouds.MARK], "own_keys": False, "many": 30, "examples": 5},
        capabilities=ALL & ~Capability.ORDERED,
        service="azurite",
        begins_missing=False,
        twin=False,
    )
MEDIA["gcs"] = Medium(
    "gs",
    _by_google,
    hints={**_CLOUDS, "secrets": ["token-secret"]},
    capabilities=ALL & ~_FAKE_GCS_LACKS,
    service="fakegcs",
    begins_missing=False,
    twin=False,
)
# The same servers by other lanes, with fewer examples: what stands above the lanes is the same on
# each of them, and so is what is blocking about a twin.
_FEWER = {"examples": 8, "steps": 8, "seconds": 0.15}
_LIGHT = {"thorough": False, "own_keys": False, "many": 60, "seconds": 0.1}


def _limited(kind: type[Any], place: Any) -> Any:
    return kind(max_size=1 << 30, when_full="evict", ttl=3600)


def _packed(compression: str, kind: type[Any], place: Any) -> Any:
    return kind(place, compression=compression)


def _by(name: str, make: Callable[[type[Any], Any], Any], **hints: Any) -> Medium:
    medium = MEDIA[name]
    return replace(medium, make=make, twin=False, hints={**medium.hints, **_FEWER, **hints})


MEDIA |= {
    "seaweedfs_client": _by("seaweedfs", _by_client),
    "seaweedfs_aiohttp": _by("seaweedfs", _by_aiohttp, own_keys=False, many=120),
    "moto_client": _by("moto", _by_client, own_keys=False, many=40, steps=4, seconds=0.05),
    # And in other modes, which do not change what a store promises.
    "memory_limited": _by("memory", _limited, **_LIGHT),
    "zip_stored": _by("zip", partial(_packed, "store"), **_LIGHT),
}
if any(find_spec(name) for name in ("backports", "compression")):
    MEDIA["zip_zstd"] = _by("zip", partial(_packed, "zstd"), **_LIGHT)
