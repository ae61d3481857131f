"""Disks to cut the power of, to fill up and to damage, for tests of local stores."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

needs_disks = pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("mkfs.ext4") is None
    or not Path("/dev/loop-control").exists(),
    reason="only root may mount disk images, where there are any",
)
# The file system does nothing by itself: no commits in between, no order of data and names.
LAZY = "commit=300,noauto_da_alloc,data=writeback"


def formatted(image: Path, size: int = 64 * 1024 * 1024, system: str = "ext4") -> Path:
    """A disk image with an empty file system."""
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run([f"mkfs.{system}", "-q", image], check=True)
    return image


def mounted(stack: ExitStack, image: Path, where: Path, options: str = "rw") -> Path:
    """Mount a disk image until the stack is left."""
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", f"loop,{options}", image, where], check=True)
    stack.callback(subprocess.check_call, ["umount", where])
    return where


def without_power(image: Path, cut: Path) -> Path:
    """The disk as it would be if the power went now: what has reached it, and nothing else."""
    subprocess.run(["cp", "--sparse=always", image, cut], check=True)
    return cut
