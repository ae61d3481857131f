"""The package as text: its modules, and what each of them imports. Nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "storage"


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        """Whether other modules are below this one."""
        return self.path.name == "__init__.py"

    @property
    def parts(self) -> tuple[str, ...]:
        """The name below the package: ("_async", "backends", "fs")."""
        return tuple(self.name.split(".")[1:])

    def tree(self) -> ast.Module:
        """The syntax tree."""
        return _parse(self.path)


@dataclass(frozen=True)
class Import:
    """That one module imports another one of the package, or a name from it."""

    source: Module
    target: str
    line: int
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.source.name}, line {self.line}, imports {self.target}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The target's name below the package."""
        return tuple(self.target.split(".")[1:])


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def modules(root: Path = ROOT) -> dict[str, Module]:
    """All modules of the package by their dotted names."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


def facades(root: Path = ROOT) -> list[Module]:
    """The public modules right below the package: storage.fs, storage.aiofs, ..."""
    return [
        module
        for module in modules(root).values()
        if len(module.parts) == 1 and not module.is_package and not module.parts[0].startswith("_")
    ]


def imports(module: Module, root: Path = ROOT) -> Iterator[Import]:
    """What the module imports from the package, wherever in the file it does so."""
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _inside(alias.name):
                    yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(module, node)
            if not _inside(origin):
                continue
            # `from package import module` is an import of the module.
            rest = []
            for alias in node.names:
                if f"{origin}.{alias.name}" in modules(root):
                    yield Import(module, f"{origin}.{alias.name}", node.lineno)
                else:
                    rest.append(alias.name)
            if rest:
                yield Import(module, origin, node.lineno, tuple(rest))


def import_time(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported: no bodies of functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.stmt):
                yield child
            waiting.append(child)


def _inside(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    """The dotted name that a `from ... import` refers to."""
    if not node.level:
        return node.module or ""
    base = module.name.split(".")
    base = base[: len(base) - node.level + module.is_package]
    return ".".join([*base, *([node.module] if node.module else [])])
