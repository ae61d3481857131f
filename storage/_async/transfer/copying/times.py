"""The time of what an object is a copy of, where a medium keeps it: as its own, or beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ...._core.info import ObjectInfo
from ...._core.moments import EPOCH, microseconds

MTIME = "mtime"
"""The metadata entry that tells a file's time, as rclone has it: seconds since 1970."""

_SECONDS = re.compile(r"(-?\d{1,12})(?:\.(\d{1,18}))?", re.ASCII)


class Kept(NamedTuple):
    """What a copy keeps of a time."""

    modified: datetime | None
    metadata: Mapping[str, str] | None


def of_copy(source_keeps: bool, target_keeps: bool, info: ObjectInfo) -> Kept:
    """What a copy is to be given.

    Args:
        source_keeps: Whether ``modified`` of the source is the content's time, and not only that
            of the last transfer.
        target_keeps: Whether the target takes such a time as its own.
        info: Of the source's object.
    """
    metadata, modified = info.metadata, info.modified
    told = None
    if metadata and not source_keeps and MTIME in metadata:
        told = parse(metadata[MTIME])
    if target_keeps:
        if told is not None and metadata:
            metadata = {name: value for name, value in metadata.items() if name != MTIME}
        return Kept(told or modified, metadata)
    if source_keeps and modified is not None:
        metadata = {**(metadata or {}), MTIME: text(modified)}
    return Kept(None, metadata)


def text(moment: datetime) -> str:
    """A time as metadata tells it."""
    count = microseconds(moment)
    sign = "-" if count < 0 else ""
    seconds, rest = divmod(abs(count), 1_000_000)
    return f"{sign}{seconds}.{rest:06}".rstrip("0").rstrip(".")


def parse(told: str) -> datetime | None:
    """The reverse of `text`, to the microsecond; None for anything else."""
    match = _SECONDS.fullmatch(told)
    if match is None:
        return None
    seconds, fraction = int(match[1]), int((match[2] or "").ljust(6, "0")[:6])
    try:
        return EPOCH + timedelta(0, seconds, -fraction if told[0] == "-" else fraction)
    except OverflowError:
        return None
