"""What is checked in below storage/_sync is what the generator writes today."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path, PurePosixPath

import pytest

from tests.repository.source import PACKAGE, ROOT

GENERATED = ROOT / PACKAGE / "_sync"
SOURCE = ROOT / PACKAGE / "_async"

pytestmark = pytest.mark.skipif(
    not (ROOT / PACKAGE / "_tools" / "generate.py").exists(), reason="there is no generator yet"
)


def generator(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the generator of a clone."""
    return subprocess.run(
        [sys.executable, "-m", "storage._tools.generate", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[PurePosixPath, str]:
    """The text of every file below a folder, by its relative path."""
    return {
        PurePosixPath(path.relative_to(folder).as_posix()): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_checked_in_code_is_fresh() -> None:
    result = generator("--check")
    assert result.returncode == 0, result.stdout


def test_generate_gives_the_same_texts() -> None:
    texts = import_module("storage._tools.generate").generate(ROOT / PACKAGE)
    assert {PurePosixPath(path): text for path, text in texts.items()} == files(GENERATED)


def test_an_empty_folder_can_be_the_output(tmp_path: Path) -> None:
    result = generator("--output", str(tmp_path))
    assert result.returncode == 0, result.stdout
    assert files(tmp_path) == files(GENERATED)


def test_nothing_need_be_there_before(tmp_path: Path) -> None:
    """The generator, the package it is in included, runs without what it generates."""
    shutil.copytree(
        ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("_sync", "__pycache__")
    )
    # The options of the formatter are part of the project.
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    result = generator(root=tmp_path)
    assert result.returncode == 0, result.stdout
    assert files(tmp_path / PACKAGE / "_sync") == files(GENERATED)


def test_an_edited_and_a_stray_file_are_found(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    stray = tmp_path / PACKAGE / "_sync" / "stray.py"
    stray.write_text("")
    assert generator("--check", root=tmp_path).returncode != 0
    stray.unlink()
    assert generator("--check", root=tmp_path).returncode == 0
    edited = next(iter(sorted((tmp_path / PACKAGE / "_sync").rglob("*.py"))))
    edited.write_text(edited.read_text("utf-8") + "\n# edited by hand\n", "utf-8")
    assert generator("--check", root=tmp_path).returncode != 0


def test_every_file_names_its_source_and_its_command() -> None:
    for path, text in files(GENERATED).items():
        head = text[:400]
        assert (SOURCE / path).is_file(), f"_sync/{path} has no source"
        assert "storage._tools.generate" in head, f"_sync/{path} does not name its command"
        source = "_async" if path.name == "__init__.py" else f"_async/{path}"
        assert source in head, f"_sync/{path} does not name its source"
