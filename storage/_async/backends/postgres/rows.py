"""What is written in the columns beside an object's bytes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo, WriteOptions


def new_etag() -> str:
    """An etag that no other write has."""
    return secrets.token_hex(16)


def condition(etag: str) -> str:
    """An etag of a user's as the server takes it; what can be none of ours matches nothing."""
    return etag if etag.isascii() and "\0" not in etag else ""


def attributes(options: WriteOptions) -> tuple[str | None, str | None]:
    """Content type and metadata; as JSON, so that they may hold any character."""
    kind, pairs = options.content_type, options.metadata
    # Text of PostgreSQL has no NUL, and no lone surrogates.
    return (
        None if kind is None else json.dumps(kind)[1:-1],
        json.dumps(dict(pairs)) if pairs else None,
    )


def info_of(key: str, fields: Sequence[Any]) -> ObjectInfo:
    """What an object is, by etag, size, modified, content type and metadata."""
    etag, size, modified, kind, pairs = fields
    if kind is None and pairs is None:
        return ObjectInfo(key, size, etag, modified)
    try:
        return ObjectInfo(
            key,
            size,
            etag,
            modified,
            None if kind is None else json.loads(f'"{kind}"'),
            None if pairs is None else json.loads(pairs),
        )
    except ValueError as error:
        raise MalformedResponse(f"the metadata in the table is damaged: {error}") from error
