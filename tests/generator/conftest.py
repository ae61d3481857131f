"""Small packages to generate from, as fixtures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.generator.samples import HEAD, PACKAGE, Sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    (tmp_path / "_async").mkdir()
    return Sample(tmp_path)


@pytest.fixture
def translated(sample: Sample) -> Callable[[str], str]:
    """Gives the blocking form of one module."""

    def translate(source: str) -> str:
        sample.add("thing.py", HEAD + dedent(source))
        return sample.texts()["thing.py"]

    return translate


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A package whose generated code runs."""
    folder = tmp_path_factory.mktemp("living")
    root = folder / "living_sample"
    root.mkdir()
    (root / "__init__.py").touch()
    (root / "_core").symlink_to(PACKAGE / "_core")
    sys.path.insert(0, str(folder))
    yield Sample(root)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith("living_sample")]:
        del sys.modules[name]
