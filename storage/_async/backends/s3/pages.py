"""Listings of versions and of unfinished uploads: pages that are checked before use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo
from . import attributes
from .requests import Requests


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object, or the mark that it was deleted.

    Args:
        info: What is known of it; of a mark only the key and the time.
        version: What the server calls it.
        latest: Whether it is what stands under the key now.
        deleted: Whether it is the mark of a deletion.
    """

    info: ObjectInfo
    version: str
    latest: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that was begun, and neither completed nor aborted.

    Args:
        key: Of the object that it is to become.
        upload_id: What the server calls it.
        started: When it was begun, with its time zone.
    """

    key: str
    upload_id: str
    started: datetime


async def versions(send: Requests, own: str, prefix: str) -> AsyncGenerator[ObjectVersion, None]:
    """The versions of the objects whose keys begin with a prefix, of each key the newest first.

    Args:
        send: Sends the requests.
        own: The store's own prefix.
        prefix: What the keys begin with, as the user says it.
    """
    found = _pages(send, "list_object_versions", own + prefix, "VersionIdMarker", "Versions")
    async with aclosing(found) as pages:
        async for page in pages:
            entries = [(entry, False) for entry in page.get("Versions", ())]
            entries += [(entry, True) for entry in page.get("DeleteMarkers", ())]
            # The client gives versions and marks apart.
            listed = [_version(own, entry, deleted) for entry, deleted in entries]
            for each in sorted(listed, key=_newest_first):
                if each.info.key:  # less the folder mark of the prefix itself
                    yield each


def _version(own: str, entry: Mapping[str, Any], deleted: bool) -> ObjectVersion:
    if not entry.get("VersionId") or not isinstance(entry.get("LastModified"), datetime):
        raise MalformedResponse("a listing of versions with one that has no name or no time")
    if not deleted and not isinstance(entry.get("Size"), int):
        raise MalformedResponse("a listing of versions with one that has no size")
    info = ObjectInfo(
        entry["Key"][len(own) :],
        entry.get("Size"),
        attributes.unquoted(entry.get("ETag")),
        attributes.utc(entry["LastModified"]),
    )
    return ObjectVersion(info, entry["VersionId"], bool(entry.get("IsLatest")), deleted)


def _newest_first(version: ObjectVersion) -> tuple[bytes, bool, float]:
    modified = version.info.modified
    time = modified.timestamp() if modified is not None else 0.0
    return version.info.key.encode(), not version.latest, -time


async def uploads(send: Requests, own: str, prefix: str) -> AsyncGenerator[UnfinishedUpload, None]:
    """The unfinished uploads of keys that begin with a prefix; arguments as for `versions`."""
    found = _pages(send, "list_multipart_uploads", own + prefix, "UploadIdMarker", "Uploads")
    async with aclosing(found) as pages:
        async for page in pages:
            for entry in page.get("Uploads", ()):
                if not entry.get("UploadId") or not isinstance(entry.get("Initiated"), datetime):
                    raise MalformedResponse("a listing of uploads with one without name or time")
                started = attributes.utc(entry["Initiated"])
                assert started is not None
                yield UnfinishedUpload(entry["Key"][len(own) :], entry["UploadId"], started)


async def _pages(
    send: Requests, operation: str, prefix: str, second: str, entries: str
) -> AsyncGenerator[Mapping[str, Any], None]:
    markers: dict[str, str] = {}
    seen: set[tuple[str, ...]] = set()
    while True:
        page = await send(operation, Prefix=prefix, **markers)
        if not isinstance(page.get("IsTruncated"), bool):
            raise MalformedResponse("a listing that does not say whether it is whole")
        for entry in [*page.get(entries, ()), *page.get("DeleteMarkers", ())]:
            if not str(entry.get("Key", "")).startswith(prefix):
                raise MalformedResponse(f"a listing with keys that do not begin with {prefix!r}")
        yield page
        if not page["IsTruncated"]:
            return
        names = ("KeyMarker", second)
        markers = {name: page[f"Next{name}"] for name in names if page.get(f"Next{name}")}
        if not markers or tuple(markers.values()) in seen:
            raise MalformedResponse("a listing that does not say anew where it goes on")
        seen.add(tuple(markers.values()))
