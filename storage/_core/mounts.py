"""Where a path lies on its own file system, whatever it is mounted as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

_ESCAPED = re.compile(r"\\([0-7]{3})")


def on_its_device(path: str) -> tuple[str, str] | None:
    """What is the same for all paths that bind mounts make of one.

    Args:
        path: An absolute path without symbolic links; nothing need be there.

    Returns:
        A name of the file system, and the path in it; None where the system does not tell.
    """
    found = None
    longest = 0
    for device, root, point in _mounts():
        below = point.rstrip("/") + "/"
        if f"{path}/".startswith(below) and len(below) >= longest:  # a later one hides the others
            longest, found = len(below), (device, root.rstrip("/") + "/" + path[len(below) :])
    return found


def _mounts() -> Iterator[tuple[str, str, str]]:
    with (
        suppress(OSError),  # only Linux tells
        open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines,
    ):
        for line in lines:
            _, _, device, root, point, _ = line.split(" ", 5)
            yield device, _plain(root), _plain(point)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
