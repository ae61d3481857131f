"""What every file of the project holds to."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.source import PACKAGE, ROOT

TOP = {"LICENSE", "README.md", "benchmarks", "noxfile.py", "pyproject.toml", "storage", "tests"}
FOLDERS = (".ci", "benchmarks", "storage", "tests")
MOST_LINES = 300
MOST_LINES_OF_TESTS = 520
# Places of one machine. In two pieces, or this file would be the first to be found.
PLACES = re.compile(r"(?<![\w.\-/])/" + r"(work|opt/venv|root|home/\w+)/")


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """The project's own files: relative path and text."""
    # .git is a file in a linked worktree.
    paths = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    paths += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(paths):
        if "__pycache__" in path.parts or (suffixes and path.suffix not in suffixes):
            continue
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        except UnicodeDecodeError:
            # Not text: the leavings of a run (coverage, a database), or test data.
            continue


def test_no_file_is_too_long_to_read() -> None:
    long = {
        path: lines
        for path, text in texts(".py")
        if not path.startswith(f"{PACKAGE}/_sync/")
        and (lines := len(text.splitlines()))
        > (MOST_LINES_OF_TESTS if path.startswith("tests/") else MOST_LINES)
    }
    assert long == {}


def test_no_tabs() -> None:
    found = [path for path, text in texts(".py", ".md", ".toml", ".yaml", ".cfg") if "\t" in text]
    assert found == []


def test_no_places_of_one_machine() -> None:
    found = [f"{path}: {match[0]}" for path, text in texts() for match in PLACES.finditer(text)]
    assert found == []


def test_the_top_level_is_what_was_agreed() -> None:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("only a git clone knows which files belong to it")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(listing, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    names = {Path(line).parts[0] for line in result.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP
