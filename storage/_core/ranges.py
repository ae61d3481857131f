"""Ranges that lie close together are read as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

GAP = 1024 * 1024
"""Bytes between two ranges that are read along rather than asked for apart."""
MAX_MERGED = 16 * 1024 * 1024
"""Bytes that one merged read has at most, so that memory stays bounded."""


class MergedRange(NamedTuple):
    """One read that serves several ranges."""

    start: int
    end: int
    members: tuple[int, ...]
    """Indexes of the ranges that it serves."""


def merge_ranges(
    ranges: Sequence[tuple[int, int]], *, gap: int = GAP, limit: int = MAX_MERGED
) -> list[MergedRange]:
    """The reads that serve all ``ranges``, sorted by their start.

    Args:
        ranges: (start, end) in bytes, ``0 <= start <= end``, in any order; they may overlap.
        gap: Ranges at most so many bytes apart are merged.
        limit: But not into reads of more bytes than that (a single longer range stays whole).
    """
    merged: list[MergedRange] = []
    for index in sorted(range(len(ranges)), key=lambda i: ranges[i]):
        start, end = ranges[index]
        last = merged[-1] if merged else None
        if last and start - last.end <= gap and max(end, last.end) - last.start <= limit:
            merged[-1] = MergedRange(last.start, max(end, last.end), (*last.members, index))
        else:
            merged.append(MergedRange(start, end, (index,)))
    return merged
