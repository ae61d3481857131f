"""Where the stores of these tests lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import pytest

RAM = "/dev/shm"


@cache
def has_ram() -> bool:
    """Whether there is a file system in memory that can do what a disk's can, and has room."""
    try:
        with NamedTemporaryFile(dir=RAM) as file:
            os.setxattr(file.fileno(), "user.storage", b"")
        return shutil.disk_usage(RAM).free > 1 << 30
    except (OSError, AttributeError):
        return False


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """In memory, where files are only what lies below a wrapper: they have runs on a disk."""
    if getattr(request.cls, "on_disk", False) or not has_ram():
        yield tmp_path
        return
    with TemporaryDirectory(dir=RAM, prefix="storage-tests-", ignore_cleanup_errors=True) as place:
        yield Path(place)
