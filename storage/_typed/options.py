"""What a store is opened with, in the words of AutoStore."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from .._core.errors import ConfigError

GIB = 1024 * 1024 * 1024
MIB = 1024 * 1024


@dataclass
class StorageConfig:
    """What holds for every kind of store.

    ``retry_delay``, ``chunk_size``, ``enable_compression``, ``temp_dir`` and ``extra`` may be
    said, as they always could, and change nothing, as they never did.
    """

    timeout: float | None = 30
    """Seconds that one operation may take; None for no limit."""
    max_retries: int = 3
    """How often a request is sent again, by stores that are told so."""
    retry_delay: float = 1.0
    chunk_size: int = 8192
    enable_compression: bool = False
    cache_enabled: bool = False
    """Whether what is read is kept on this machine's disk. Each use of it asks for the etag."""
    cache_dir: str | None = None
    """Where; None for a directory in the user's own cache. Processes may share one."""
    cache_expiry_hours: float = 24
    """Age of the entries that `cleanup_cache` removes; 0 for none."""
    temp_dir: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    cache_max_bytes: int | None = 8 * GIB
    """Of one store's entries together; what was not used for longest goes."""
    scheme: str = ""
    """Which URLs they are for, in a list of several; empty for all others."""


@dataclass
class LocalFileConfig(StorageConfig):
    """For directories."""


@dataclass
class Options(StorageConfig):
    """The same, as it was called later."""


@dataclass
class S3Options(StorageConfig):
    """For buckets; what is not said comes from the URL, the environment or the profile."""

    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = field(default=None, repr=False)
    aws_session_token: str | None = field(default=None, repr=False)
    region_name: str | None = None
    endpoint_url: str | None = None
    profile_name: str | None = None
    use_ssl: bool = True
    verify: bool | str | None = None
    multipart_threshold: int = 64 * MIB
    """Has no effect: a stream of any length is sent in parts, what is short in one request."""
    multipart_chunksize: int = 16 * MIB
    """Bytes of a part; at least 5 MiB are used."""
    max_concurrency: int = 10
    """Connections at least."""
    scheme: str = "s3"


@dataclass
class S3StorageConfig(S3Options):
    """The same, with a cache unless it is refused."""

    cache_enabled: bool = True


Given: TypeAlias = "StorageConfig | Iterable[StorageConfig] | None"


def chosen(
    each: Sequence[StorageConfig], scheme: str, settings: Mapping[str, Any], *, strict: bool
) -> StorageConfig | None:
    """The options for a scheme, of what was given, with single settings laid over them.

    Args:
        each: What was given.
        scheme: Of the URL; empty for a store.
        settings: Fields by name.
        strict: Whether each setting has to be one of this scheme's.
    """
    found = next((one for one in each if one.scheme == scheme), None)
    if found is None:
        found = next((one for one in each if not one.scheme), None)
    return _with(found, scheme, settings, strict) if settings else found


def _with(
    found: StorageConfig | None, scheme: str, settings: Mapping[str, Any], strict: bool
) -> StorageConfig:
    base = found or (S3Options() if scheme == "s3" else Options())
    known = {each.name for each in fields(base)}
    unknown = sorted(settings.keys() - known)
    if unknown and strict:
        raise ConfigError(f"no option {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    laid = {name: value for name, value in settings.items() if name in known}
    return replace(base, **laid)
