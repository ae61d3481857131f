"""What a key of a typed store asks for, and what is known of the object that it means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qsl

from ..._core.info import Capability, ObjectInfo, WriteOptions
from ..base import AsyncBaseStore

CONTENT_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".npy": "application/octet-stream",
    ".npz": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".pickle": "application/octet-stream",
    ".pkl": "application/octet-stream",
    ".png": "image/png",
    ".pt": "application/octet-stream",
    ".pth": "application/octet-stream",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""The media type of what has an extension."""

_OPTION = r"(?:format=\.?\w+|ignore_cache(?:=(?:true|1|false|0)?)?)"
_ASKED = re.compile(rf"(?P<key>.+)\?(?P<options>{_OPTION}(?:&{_OPTION})*)", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """A key, in the form in which it is to be read or written, from where."""

    store: AsyncBaseStore
    key: str
    format: str
    """The extension that was asked for, with its dot; empty for none."""

    @property
    def is_set(self) -> bool:
        """Whether a set of parts is meant."""
        return self.key.endswith("/")


@dataclass(frozen=True)
class Found:
    """An object that holds a value."""

    store: AsyncBaseStore
    key: str
    """Its own key, with its extension."""
    extension: str
    """That decides how it is read, with its dot and in lower case."""
    listed: ObjectInfo | None = None
    """What the listing told in which it was found."""

    @property
    def info(self) -> ObjectInfo:
        """What is known of it."""
        return self.listed or ObjectInfo(self.key)


@dataclass(frozen=True)
class FileMetadata:
    """What is known of an object; None where the store does not know it."""

    size: int | None
    """Length in bytes."""
    modified_time: datetime | None
    """When it was written last, with its time zone."""
    created_time: datetime | None = None
    """Always None: no object is changed after it was created."""
    content_type: str | None = None
    etag: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """The ``key`` with its extension, the user's ``metadata``, the ``checksum``."""

    @classmethod
    def of(cls, info: ObjectInfo, extension: str) -> Self:
        """The same, from what a store tells."""
        known = {"key": info.key, "metadata": info.metadata, "checksum": info.checksum}
        return cls(
            info.size,
            info.modified,
            None,
            info.content_type or content_type(extension),
            info.etag,
            {name: value for name, value in known.items() if value is not None},
        )


def asked(key: str) -> tuple[str, str | None, bool]:
    """A key without the options at its end (``?format=csv&ignore_cache``), and these.

    Any other question mark is a part of the key.
    """
    match = _ASKED.fullmatch(key)
    if match is None:
        return key, None, False
    options = dict(parse_qsl(match["options"], keep_blank_values=True))
    ignored = options.get("ignore_cache", "0") in ("", "1", "true")
    return match["key"], options.get("format"), ignored


def dotted(form: str | None) -> str:
    """A form as an extension: ``csv`` and ``.CSV`` are ``.csv``; None is empty."""
    return f".{form.lower().removeprefix('.')}" if form else ""


def content_type(extension: str) -> str | None:
    """The media type of an extension; of ``.sparse.npz`` that of its end."""
    return CONTENT_TYPES.get("." + extension.rpartition(".")[2])


def attributes(store: AsyncBaseStore, extension: str) -> WriteOptions:
    """What an object of a value is stored with."""
    if Capability.ATTRIBUTES not in store.capabilities:
        return WriteOptions()
    return WriteOptions(content_type=content_type(extension))
