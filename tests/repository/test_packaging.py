"""pyproject.toml, README.md and the commands agree with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

import pytest

import storage
from tests.repository.readme import command
from tests.repository.source import PACKAGE, ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
COMMANDS = ("main-command", "test-command")


def test_the_version_stands_once() -> None:
    if storage.__version__ == "0+unknown":
        pytest.skip("the clone is not installed")
    # Another one: installed before the version was changed.
    assert storage.__version__ == PROJECT["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / PACKAGE / "py.typed").read_bytes() == b""
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_pythons_are_consistent() -> None:
    found = [re.fullmatch(r".*:: (3\.\d+)", line) for line in PROJECT["classifiers"]]
    pythons = [match[1] for match in found if match]
    assert pythons, "no classifiers"
    oldest = pythons[0]
    assert PROJECT["requires-python"] == f">={oldest}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["pyright"]["pythonVersion"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_every_dependency_has_a_lower_bound() -> None:
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    development = {"all", "bench", "dev", "lint", "runner", "servers", "test"}
    wanted = [*PROJECT["dependencies"]]
    wanted += [line for name, lines in extras.items() if name not in development for line in lines]
    assert [line for line in wanted if ">=" not in line] == []


def test_all_holds_every_extra_for_users() -> None:
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    development = {"all", "bench", "dev", "lint", "runner", "servers", "test"}
    large = {"arrow", "numpy", "pandas", "polars", "scipy", "torch"}
    found = [re.fullmatch(r"storage\[(.+)\]", line) for line in extras["all"]]
    names = [name for match in found if match for name in match[1].split(",")]
    assert all(found)
    assert names == sorted(extras.keys() - development - large)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_has_the_command(name: str) -> None:
    text = command(name)
    assert text.startswith("python3 -m venv"), "one command does it all, environment included"
    subprocess.run(["bash", "-n", "-c", text], check=True)


def test_ci_takes_the_commands_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert f"for name in {' '.join(COMMANDS)}; do" in script
    assert command("test-command") not in script
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
