"""What a URL of a bucket says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...._core.errors import ConfigError
from ...._core.info import Capability
from ...._core.urls import StoreURL
from .checksums import SENT
from .settings import Encryption


def options_of(url: StoreURL) -> dict[str, Any]:
    """The arguments of ``connect`` for ``s3://KEY:SECRET@bucket/prefix?...``.

    Raises:
        ConfigError: An option makes no sense, or only half of the credentials is there.
    """
    if not url.host:
        raise ConfigError("a URL of S3 names a bucket: s3://bucket/prefix")
    if (url.user is None) is not (url.password is None):
        raise ConfigError("a URL of S3 holds both the access key and its secret, or neither")
    options: dict[str, Any] = {
        "bucket_name": url.host,
        "prefix": url.path.removeprefix("/"),
        "aws_access_key_id": url.user,
        "aws_secret_access_key": url.password,
    }
    for name, kind in _OPTIONS:
        options[_ARGUMENTS.get(name, name)] = url.option(name, kind)
    known = {name: value for name, value in options.items() if value is not None}
    kms_key = url.option("kms_key", str)
    if kms_key is not None or url.option("encrypted", bool, default=False):
        known["encryption"] = Encryption(kms_key=kms_key)
    # In plain words, which need no client to be read.
    style = url.option("addressing_style", _style)
    return known | ({"config": {"addressing_style": style}} if style else {})


def _style(text: str) -> str:
    if text not in ("auto", "path", "virtual"):
        raise ValueError(text)
    return text


def _checksum(text: str) -> str:
    if text not in SENT:
        raise ValueError(text)
    return text


def _capabilities(text: str) -> Capability:
    """Names of capabilities, with commas between them."""
    found = Capability.NONE
    for name in text.split(","):
        found |= Capability[name.strip().upper()]
    return found


_OPTIONS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("anonymous", bool),
    ("checksum", _checksum),
    ("create", bool),
    ("endpoint_url", str),
    ("exact_keys", bool),
    ("lacking", _capabilities),
    ("lane", str),
    ("ordered", bool),
    ("part_size", int),
    ("profile", str),
    ("region", str),
    ("request_payer", bool),
    ("storage_class", str),
    ("timeout", float),
    ("verify", bool),
)
_ARGUMENTS = {"region": "region_name"}
