"""Small packages to generate from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from storage._tools.generate import generate, write

PACKAGE = Path(__file__).parents[2] / "storage"
HEAD = "from __future__ import annotations\n"


class Sample:
    """A package with an async layer of its own, over the real ``_core``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, path: str, source: str) -> None:
        """Write a module below ``_async``."""
        target = self.root / "_async" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(source).lstrip(), encoding="utf-8")
        (target.parent / "__init__.py").touch()

    def texts(self) -> dict[str, str]:
        """What the generator makes of it."""
        return generate(self.root)

    def load(self, name: str) -> ModuleType:
        """A module of it, with the generated code in place."""
        write(self.texts(), self.root / "_sync")
        importlib.invalidate_caches()
        return importlib.import_module(f"{self.root.name}.{name}")


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
