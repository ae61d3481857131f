"""Which server is meant, and whether it is Amazon's."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from ...._core.errors import ConfigError


def of_environment() -> str | None:
    """The URL that the environment names."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def custom(client: Any) -> str | None:
    """The URL of the server that a client talks to; None where that is Amazon's own."""
    resolver = getattr(client, "_ruleset_resolver", None)
    for name, value in getattr(resolver, "_builtins", {}).items():
        if getattr(name, "value", name) == "SDK::Endpoint":
            return value  # type: ignore[no-any-return]
    endpoint: str | None = getattr(getattr(client, "meta", None), "endpoint_url", None)
    return None if endpoint is None or is_amazon(endpoint) else endpoint


def is_amazon(endpoint: str | None) -> bool:
    """Whether a URL is one of Amazon's S3; None is."""
    if endpoint is None:
        return True
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def host_of(endpoint: str) -> str:
    """Host and port of a URL."""
    return urlsplit(endpoint).netloc.rpartition("@")[2]


def check(endpoint: str) -> None:
    """Refuse what is no URL of HTTP, or holds a user and a password.

    Raises:
        ConfigError: It is so.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("endpoint_url is a URL such as https://storage.example.com:9000")
    if "@" in parts.netloc:
        raise ConfigError(
            "endpoint_url holds no user and password: give aws_access_key_id and "
            "aws_secret_access_key"
        )
