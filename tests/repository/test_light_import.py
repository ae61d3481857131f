"""`import storage` costs next to nothing: it loads no backend, no twin, no command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.repository.source import ROOT

HEAVY = ("aiobotocore", "aiohttp", "aiosqlite", "asyncio", "botocore", "click", "sqlite3", "tqdm")


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    # Isolated (-I) from the environment, but not from the clone.
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    result = subprocess.run(
        [sys.executable, "-I", "-c", path + code], stdout=subprocess.PIPE, check=True
    )
    return set(json.loads(result.stdout))


def test_importing_the_package_is_light() -> None:
    loaded = loaded_by("import storage")
    assert loaded.isdisjoint(HEAVY)
    ours = {name.split(".")[1] for name in loaded if name.startswith("storage.")}
    assert ours <= {"_core", "_registry"}


def test_the_version_is_read_when_asked_for() -> None:
    assert "importlib.metadata" not in loaded_by("import storage") - loaded_by("pass")
    assert "importlib.metadata" in loaded_by("import storage; storage.__version__")


def test_unknown_names_are_attribute_errors() -> None:
    import storage

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        storage.nothing  # type: ignore[attr-defined]  # noqa: B018
