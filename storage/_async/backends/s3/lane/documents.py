"""The XML documents that requests carry."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

_SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# Line ends would come out as other ones, if they were not written as references.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;", "\n": "&#xA;"})


def delete(content: Mapping[str, Any]) -> bytes | None:
    """What ``DeleteObjects`` takes; None where there is more in it than is known here."""
    if not content.keys() <= {"Objects", "Quiet"}:
        return None
    objects = _elements("Object", content["Objects"], ("Key", "VersionId", "ETag"))
    if objects is None:
        return None
    quiet = (
        f"<Quiet>{'true' if content['Quiet'] else 'false'}</Quiet>" if "Quiet" in content else ""
    )
    return _document("Delete", objects + quiet)


def complete(content: Mapping[str, Any]) -> bytes | None:
    """What ``CompleteMultipartUpload`` takes; None where there is more in it."""
    if content.keys() != {"Parts"}:
        return None
    sums = (
        "ChecksumCRC32",
        "ChecksumCRC32C",
        "ChecksumCRC64NVME",
        "ChecksumSHA1",
        "ChecksumSHA256",
    )
    parts = _elements("Part", content["Parts"], ("ETag", *sums, "PartNumber"))
    return None if parts is None else _document("CompleteMultipartUpload", parts)


def create_bucket(content: Mapping[str, Any]) -> bytes | None:
    """What ``CreateBucket`` takes; None where there is more in it."""
    if content.keys() != {"LocationConstraint"}:
        return None
    place = str(content["LocationConstraint"]).translate(_ESCAPES)
    return _document(
        "CreateBucketConfiguration", f"<LocationConstraint>{place}</LocationConstraint>"
    )


def md5(content: bytes) -> str:
    """The digest as a header tells it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _elements(
    name: str, entries: Iterable[Mapping[str, Any]], known: tuple[str, ...]
) -> str | None:
    lines = []
    for entry in entries:
        if not entry.keys() <= set(known):
            return None
        fields = [
            f"<{each}>{str(value).translate(_ESCAPES)}</{each}>" for each, value in entry.items()
        ]
        lines.append(f"<{name}>{''.join(fields)}</{name}>")
    return "".join(lines)


def _document(name: str, content: str) -> bytes:
    return f'<{name} xmlns="{_SPACE}">{content}</{name}>'.encode()
