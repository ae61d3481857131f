"""What is checked in below storage/_sync is what the generator writes today."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


def test_an_edited_and_a_stray_file_are_found(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    generated = tmp_path / PACKAGE / "_sync"
    (generated / "stray.py").write_text("")
    edited = next(iter(sorted(generated.rglob("*.py"))))
    edited.write_text(edited.read_text("utf-8") + "\n# edited by hand\n", "utf-8")
    result = generator("--check", root=tmp_path)
    assert result.returncode != 0
    assert "-# edited by hand" in result.stdout
    assert "stray.py: a stray file" in result.stdout


def test_every_file_names_its_source_and_its_command() -> None:
    for path, text in files(GENERATED).items():
        head = text[:400]
        assert (SOURCE / path).is_file(), f"_sync/{path} has no source"
        assert "storage._tools.generate" in head, f"_sync/{path} does not name its command"
        source = "_async" if path.name == "__init__.py" else f"_async/{path}"
        assert source in head, f"_sync/{path} does not name its source"
