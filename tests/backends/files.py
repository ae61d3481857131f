"""What the tests of the stores on files share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import pytest

from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore, AsyncSafeFilesystemStore

FileStore: TypeAlias = AsyncFilesystemStore | AsyncHashdirStore | AsyncSafeFilesystemStore

KINDS = (AsyncFilesystemStore, AsyncSafeFilesystemStore, AsyncHashdirStore)
ANY_KEY = (AsyncSafeFilesystemStore, AsyncHashdirStore)

each_kind = pytest.mark.parametrize("kind", KINDS)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


def tree(root: Path) -> dict[str, bytes | str | None]:
    """Everything below a directory: bytes of files, targets of links, None for directories."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def litter(root: Path) -> list[str]:
    """Hidden files that writers left behind."""
    return [str(path) for path in root.rglob("*") if path.name.startswith(".storage-tmp-")]


def descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


async def listed(store: FileStore, prefix: str = "", start_after: str = "") -> list[str]:
    """The keys of a store, as they come."""
    return [key async for key in store.keys(prefix, start_after=start_after)]


def python(program: str, *arguments: object, **options: object) -> subprocess.Popen[bytes]:
    """Another process that runs a program; it can import this package."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, **options)  # type: ignore[call-overload, no-any-return]
