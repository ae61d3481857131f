"""Small packages to generate from."""

from __future__ import annotations

import importlib
from pathlib import Path
from textwrap import dedent
from types import ModuleType

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
