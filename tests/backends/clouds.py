"""Stores of cloud services, as their tests make them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from storage._core.info import Capability
from storage.azure import AsyncAzureBlobStore, AzureBlobStore
from storage.gcs import AsyncGoogleCloudStore, GoogleCloudStore
from tests.services.clouds import BUCKET
from tests.services.process import CloudService

KIB = 1024
PART = 256 * KIB
PUTS = {"fakegcs": "POST", "azurite": "PUT"}
"""The method by which each service stores an object."""


def connected(
    service: CloudService, *, origin: str | None = None, blocking: bool = False, **options: Any
) -> Any:
    """A store in a corner of its own.

    Args:
        service: The server.
        origin: What stands before it.
        blocking: Whether it is the twin.
        options: Of the store.
    """
    endpoint = (origin or "") + (urlsplit(service.endpoint).path if origin else service.endpoint)
    known: dict[str, Any] = {
        "endpoint_url": endpoint, "prefix": f"{secrets.token_hex(6)}/", "part_size": PART,
        "retries": 2, **options,
    }  # fmt: skip
    bucket = known.pop("bucket", BUCKET)
    if service.name == "azurite":
        known.setdefault("account_key", service.key)
        kind = AzureBlobStore if blocking else AsyncAzureBlobStore
        return kind(service.account, bucket, **known)
    known.setdefault("token", service.key)
    known.setdefault("lacking", Capability.COPY_IF_ABSENT | Capability.DELETE_IF_MATCH)
    return (GoogleCloudStore if blocking else AsyncGoogleCloudStore)(bucket, **known)
