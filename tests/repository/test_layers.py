"""Imports point strictly down, and neighbours leave each other alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.layers import violations

GOOD = {
    "__init__.py": "def open_store():\n    from ._registry import find",
    "_registry.py": "from . import fs",
    "fs.py": "from ._sync.backends.fs import FileStore\nfrom ._core.errors import StoreError",
    "_sync/backends/fs.py": "from ..._async.backends import fs",
    "_async/backends/fs.py": "from ..base import AsyncBase\nfrom storage._core import errors",
    "_async/backends/s3/store.py": "from . import lane\nfrom .lane import Lane",
    "_async/backends/s3/lane.py": "import asyncio",
    "_async/backends/safe.py": "from ._files.tree import Tree",
    "_async/backends/_files/tree.py": "",
    "_async/base.py": "import storage._core.errors",
    "_async/wrappers/fanout.py": "from ..backends.memory import AsyncMemoryStore",
    "_async/backends/memory.py": "",
    "_core/errors.py": "from __future__ import annotations",
    "cli/__init__.py": "import storage\nfrom storage import fs, _registry",
    "testing/kit.py": "from storage import fs",
    "_tools/generate.py": "from .names import rename",
    "_tools/names.py": "",
}


def tree(folder: Path, files: dict[str, str]) -> Path:
    """A package with these files."""
    for name, text in files.items():
        path = folder / "storage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent / "__init__.py").touch()
    return folder


def test_imports_point_down() -> None:
    assert list(violations()) == []


def test_a_good_package_passes(tmp_path: Path) -> None:
    assert list(violations(tree(tmp_path, GOOD))) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_core/errors.py", "from .._async import base"),
        ("_core/errors.py", "def late():\n    import storage"),
        ("_async/base.py", "from storage._sync.backends.fs import FileStore"),
        (
            "_async/base.py",
            "if TYPE_CHECKING:\n    from .. import fs",
        ),
        ("_async/base.py", "from storage import open_store"),
        ("_async/backends/fs.py", "from .memory import AsyncMemoryStore"),
        ("_async/backends/fs.py", "from . import memory"),
        ("_async/backends/fs.py", "from .s3.lane import Lane"),
        ("_async/backends/s3/lane.py", "from ..fs import AsyncFileStore"),
        ("_async/backends/_files/tree.py", "from ..fs import AsyncFileStore"),
        ("_sync/backends/fs.py", "from ...fs import FileStore"),
        ("fs.py", "from ._registry import find"),
        ("fs.py", "from .memory import MemoryStore"),
        ("_registry.py", "import storage.cli"),
        ("_core/errors.py", "from storage._tools import generate"),
        ("_tools/generate.py", "from storage._core import errors"),
        ("cli/__init__.py", "from storage.testing import kit"),
    ],
)
def test_a_wrong_import_is_seen(tmp_path: Path, file: str, text: str) -> None:
    files = {**GOOD, "memory.py": "", file: text}
    assert len(list(violations(tree(tmp_path, files)))) == 1
