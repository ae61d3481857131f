"""The command: what it checks, and that its output depends on the sources alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from storage._tools import rules
from storage._tools.generate import differences, generate, write
from storage._tools.source import GenerateError
from tests.generator.samples import PACKAGE, Sample

PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.1[123].*/bin/python")) or [
    Path(sys.executable)
]


@cache
def texts() -> dict[str, str]:
    """What the generator gives for the package."""
    return generate(PACKAGE, strict=True)


def test_what_is_checked_in_is_fresh() -> None:
    diff = "".join(differences(texts(), PACKAGE / "_sync"))
    assert diff == "", diff


def test_differences_are_shown(sample: Sample, tmp_path: Path) -> None:
    sample.add("deep/thing.py", "class AsyncThing: ...")
    output = tmp_path / "_sync"
    write(sample.texts(), output)
    assert list(differences(sample.texts(), output)) == []
    (output / "stray.py").touch()
    edited = output / "deep" / "thing.py"
    edited.write_text(edited.read_text() + "# by hand\n")
    (output / "__init__.py").unlink()
    diff = "".join(differences(sample.texts(), output))
    assert "stray.py: a stray file" in diff
    assert "-# by hand" in diff
    assert "+# Generated from storage/_async/__init__.py" in diff
    write(sample.texts(), output)
    assert list(differences(sample.texts(), output)) == []


def test_a_rule_that_nothing_needs_is_refused(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.add("thing.py", '"""`AsyncReader`"""\nclass AsyncThing:\n    """`AsyncKnown`"""')
    monkeypatch.setattr(rules, "RENAMES", {"AsyncKnown": "Known", "AsyncGone": "Gone"})
    generate(sample.root)
    with pytest.raises(GenerateError, match=r"nothing needs AsyncGone$"):
        generate(sample.root, strict=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The package without its blocking layer, and nothing else."""
    ignored = shutil.ignore_patterns("_sync", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "storage", ignore=ignored)
    return tmp_path


def command(clone: Path, *arguments: str, python: str = sys.executable) -> tuple[int, str]:
    """Run the generator of a clone, from another working directory."""
    environment = {**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [python, "-W", "error", "-m", "storage._tools.generate", *arguments],
        cwd=clone.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_generates_from_nothing_and_checks(clone: Path) -> None:
    code, said = command(clone, "--check")
    assert (code, "+class DictStore(LifetimeStore):" in said) == (1, True)
    assert command(clone) == (0, "")
    assert command(clone, "--check") == (0, "")
    (clone / "storage" / "_sync" / "old.py").touch()
    assert command(clone, "--check") == (1, "old.py: a stray file, which has no source\n")


def test_the_command_says_what_it_cannot_translate(clone: Path) -> None:
    source = clone / "storage" / "_async" / "wrong.py"
    source.write_text("class AsyncWrong:\n    async def get(self, key) -> int: ...\n")
    assert command(clone, "--check") == (1, "storage/_async/wrong.py:2: annotate key\n")


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_every_python_generates_the_same(clone: Path, tmp_path: Path, python: Path) -> None:
    output = tmp_path / "output"
    assert command(clone, "--output", str(output), python=str(python)) == (0, "")
    assert list(differences(texts(), output)) == []
