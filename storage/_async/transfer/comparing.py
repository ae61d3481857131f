"""Are two objects the same, as far as can be told without reading them?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, get_args

from ..._core.errors import ConfigError
from ..._core.info import ObjectInfo
from .steps import Remembered, fingerprint

Comparison: TypeAlias = Literal["auto", "size", "mtime", "checksum", "missing", "always"]
Verdict: TypeAlias = tuple[Literal["keep", "skip", "compare", "copy"], str]
"""What is to be done, and why."""
Judge: TypeAlias = Callable[[ObjectInfo, ObjectInfo, Remembered | None], Verdict]

STRONG: Final = frozenset({"sha256", "sha512", "blake2b", "blake3"})
"""Digests that are as good as the bytes; a CRC only finds accidents."""
TOLERANCE: Final = 1.0
"""Seconds by which times may differ that mean the same: media round them."""

_OTHER_SIZE: Final[Verdict] = ("copy", "size")
_SAME: Final[Verdict] = ("keep", "same")
_READ: Final[Verdict] = ("compare", "bytes")
_READ_TIME: Final[Verdict] = ("compare", "time")
_MD5 = re.compile(r'"?[0-9a-f]{32}(-\d+)?"?')


def judge(compare: Comparison, *, source_keeps: bool = False, target_keeps: bool = False) -> Judge:
    """What decides about a key that both ends have.

    Args:
        compare: The way to compare.
        source_keeps: Whether the source's times are those of the content, and not of its arrival.
        target_keeps: Whether copies have the content's time in the target.

    Raises:
        ConfigError: There is no such way to compare.
    """
    if compare not in get_args(Comparison):
        raise ConfigError(f"compare is one of {get_args(Comparison)}, not {compare!r}")
    if compare == "mtime":
        if target_keeps:
            return _same_times if source_keeps else _like_times
        return _own_times
    return _JUDGES[compare]


def _auto(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    if here.size != there.size and here.size is not None and there.size is not None:
        return _OTHER_SIZE
    if known is not None and known.here == fingerprint(here) and known.there == fingerprint(there):
        return _SAME
    if here.etag is not None and here.etag == there.etag and _MD5.fullmatch(here.etag):
        return _SAME  # of the bytes, or of the digests of their parts; others never are equal
    return _checksum(here, there, None)


def _checksum(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    if here.size != there.size and here.size is not None and there.size is not None:
        return _OTHER_SIZE
    if here.checksum is None or there.checksum is None:
        return _READ
    kind = here.checksum.partition(":")[0]
    if kind not in STRONG or kind != there.checksum.partition(":")[0]:
        return _READ
    return _SAME if here.checksum == there.checksum else ("copy", "checksum")


def _size(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    if here.size is None or there.size is None:
        return _READ
    return _SAME if here.size == there.size else _OTHER_SIZE


def _same_times(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    """Copies have the time of what they are copies of."""
    verdict = _like_times(here, there, known)
    return ("copy", "time") if verdict is _READ_TIME else verdict


def _like_times(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    """Copies have the time of the content, which the source may not list."""
    verdict = _size(here, there, known)
    if verdict is not _SAME:
        return verdict
    if here.modified is None or there.modified is None:
        return _READ
    apart = abs((here.modified - there.modified).total_seconds())
    return _SAME if apart <= TOLERANCE else _READ_TIME


def _own_times(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    """Copies have the time when they were made, which comes after that of the source."""
    verdict = _size(here, there, known)
    if verdict is not _SAME:
        return verdict
    if here.modified is None or there.modified is None:
        return _READ
    return _SAME if here.modified <= there.modified else ("copy", "time")


def _missing(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    return "skip", "exists"


def _always(here: ObjectInfo, there: ObjectInfo, known: Remembered | None) -> Verdict:
    return "copy", "always"


_JUDGES: Final[dict[str, Judge]] = {
    "auto": _auto,
    "size": _size,
    "checksum": _checksum,
    "missing": _missing,
    "always": _always,
}
