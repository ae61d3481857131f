"""When nothing may be deleted, and which ends may not be brought together."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product, starmap
from typing import TypeAlias

from ..._core import calls
from ..._core.errors import ConfigError
from ..._core.mounts import on_its_device
from ..base import AsyncBaseStore
from .report import SyncReport

HALF = 0.5
StrPath: TypeAlias = str | os.PathLike[str]


def check_max_delete(max_delete: float | None) -> None:
    """Raise `ConfigError` unless it is a count, a share from 0.0 to 1.0, or None."""
    if max_delete is None:
        return
    share = isinstance(max_delete, float)
    if isinstance(max_delete, bool) or max_delete < 0 or (share and not max_delete <= 1.0):
        raise ConfigError(
            f"max_delete is a count, a share from 0.0 to 1.0 or None, not {max_delete!r}"
        )


def refusal(
    report: SyncReport,
    deletes: int,
    listed_here: int,
    listed_there: int,
    max_delete: float | None,
) -> str | None:
    """Why nothing may be deleted, or None.

    Args:
        report: What became of all else.
        deletes: Objects that would be deleted.
        listed_here: Objects that the source has.
        listed_there: Objects that the target had.
        max_delete: So many objects at most; as a float, such a share of the target's, rounded up.
    """
    if report.doubts:
        return "; ".join(report.doubts)
    if report.failed:
        return "some objects could not be copied"
    if report.conflicts:
        return "others changed some objects meanwhile"
    if not listed_here:
        return "the source is empty; clear the target if that is meant"
    if max_delete is None:
        return None
    most = max_delete if isinstance(max_delete, int) else _share(listed_there, max_delete)
    if deletes <= most:
        return None
    return (
        f"{deletes} of the target's {listed_there} objects would go, and max_delete allows {most}"
    )


def _share(count: int, share: float) -> int:
    return math.ceil(round(count * share, 6))  # 7 % of 100 are not 7.000000000000001


async def check_apart(
    ends: Sequence[AsyncBaseStore | None], files: Mapping[str, StrPath | None]
) -> None:
    """Make sure that no end holds another one, or one of these files.

    Raises:
        ConfigError: One does.
    """
    await calls.call(_check_apart, [end for end in ends if end is not None], files)


def _check_apart(ends: list[AsyncBaseStore], files: Mapping[str, StrPath | None]) -> None:
    places = [(repr(end), list(_places(end._locations()))) for end in ends]
    for name, file in files.items():
        if file is not None:
            path = os.path.join(os.path.realpath(file), "")
            places.append((f"the {name} {os.fspath(file)!r}", list(_places([("file", path)]))))
    for (a, at), (b, there) in combinations(places, 2):
        if any(starmap(_meet, product(at, there))):
            raise ConfigError(f"{a} and {b} are the same store, or one is in the other")


def _places(locations: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The same locations, and where they are on their devices."""
    for service, path in locations:
        yield service, path
        found = on_its_device(path) if service == "file" else None
        if found is not None:
            yield f"device {found[0]}", found[1]


def _meet(a: tuple[str, str], b: tuple[str, str]) -> bool:
    return a[0] == b[0] and (a[1].startswith(b[1]) or b[1].startswith(a[1]))
