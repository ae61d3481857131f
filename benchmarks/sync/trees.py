"""The files that are synchronised: as long as real ones, and the same in every run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB
LEAST, MOST = 4 * KIB, 64 * KIB
LARGE = 256 * MIB
FOLDERS = 50
CHANGED = 100
"""One in so many changes between two runs."""


def lengths(count: int) -> Iterator[int]:
    """Of small files: log-normal between 4 and 64 KiB, most of them near 16."""
    chance = random.Random(count)
    while count:
        length = int(chance.lognormvariate(9.7, 0.7))
        if LEAST <= length <= MOST:
            count -= 1
            yield length


@dataclass
class Tree:
    """A directory of files.

    Args:
        name: What the figures call it.
        root: The directory.
        lengths: Of the files, in bytes, by key.
    """

    name: str
    root: Path
    lengths: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self.lengths.values())

    def write(self, key: str, length: int) -> None:
        """Make a file anew; what is in it is like nothing else."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for start in range(0, length, MIB):
                file.write(os.urandom(min(MIB, length - start)))
        self.lengths[key] = length

    def change(self) -> list[str]:
        """Change one in a hundred, and its length, so that no tool may miss it; tells which."""
        keys = sorted(self.lengths)[::CHANGED]
        for key in keys:
            self.write(key, self.lengths[key] + 1)
        return keys


def small(folder: Path, count: int) -> Tree:
    """Many small files in some directories."""
    tree = Tree(f"{count:,} files of 4 to 64 KiB", folder / "small")
    for number, length in enumerate(lengths(count)):
        tree.write(f"{number % FOLDERS:02}/file-{number:05}.bin", length)
    return tree


def large(folder: Path, count: int, length: int = LARGE) -> Tree:
    """A few large ones."""
    tree = Tree(f"{count:,} files of {length // MIB} MiB", folder / "large")
    for number in range(count):
        tree.write(f"large-{number}.bin", length)
    return tree
