"""The async sources as the generator sees them: modules, what they import and define, classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


_PRAGMA = re.compile(r"# (?:(?:type|pyright): ignore\[|noqa: ).*")


class GenerateError(Exception):
    """The blocking layer cannot be generated; the message says where and why."""


class Untranslatable(GenerateError):
    """Something in a source has no blocking form.

    Args:
        module: Where it stands.
        node: What it is.
        reason: Why it cannot be translated, and what to do.
    """

    def __init__(self, module: Module, node: ast.AST, reason: str) -> None:
        super().__init__(f"{module.label}:{getattr(node, 'lineno', 1)}: {reason}")


@dataclass(frozen=True)
class Origin:
    """Where an imported name comes from: a module of the package (its parts) or another one."""

    module: tuple[str, ...] | str
    name: str | None
    """None for a whole module."""
    typing_only: bool = False

    def statement(self, alias: str, package: tuple[str, ...]) -> str:
        """The import of it as ``alias`` in a module of ``package``."""
        renamed = "" if alias == self.name else f" as {alias}"
        if self.name is None:
            return f"import {self.module}" + ("" if alias == self.module else f" as {alias}")
        if isinstance(self.module, str):
            return f"from {self.module} import {self.name}{renamed}"
        common = 0
        while common < len(package) and self.module[common : common + 1] == package[common:][:1]:
            common += 1
        dots = "." * (len(package) - common + 1)
        return f"from {dots}{'.'.join(self.module[common:])} import {self.name}{renamed}"


@dataclass(eq=False)
class Module:
    """One file under ``_async``."""

    parts: tuple[str, ...]
    label: str
    text: str
    tree: ast.Module
    imports: dict[str, Origin] = field(default_factory=dict)
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    overloads: dict[str, list[FunctionNode]] = field(default_factory=dict)
    exports: set[str] | None = None
    """The names in ``__all__``, where there is one."""

    @property
    def twin(self) -> tuple[str, ...]:
        """The parts of the generated module."""
        return ("_sync", *self.parts[1:])

    def segment(self, node: ast.AST) -> str:
        """The source text of a node."""
        text = ast.get_source_segment(self.text, node)
        assert text is not None
        return text

    def pragmas(self, node: FunctionNode) -> list[str]:
        """The comments in the head of a function that are meant for linters and type checkers."""
        head = self.text.splitlines()[node.lineno - 1 : max(node.lineno, node.body[0].lineno - 1)]
        return [found[0] for line in head for found in [_PRAGMA.search(line)] if found]

    def is_public(self, name: str) -> bool:
        """Whether a name defined here is to have a twin."""
        if self.exports is not None:
            return name in self.exports
        return name.startswith("async_") or is_async_name(name)


def is_async_name(name: str) -> bool:
    """Whether it is the name of a class for asyncio."""
    return name.startswith("Async") and name[5:6].isupper()


def read_sources(root: Path) -> list[Module]:
    """All modules under ``root/_async``, sorted by their paths."""
    modules = []
    if not (root / "_async").is_dir():
        raise GenerateError(f"{root} holds no folder _async")
    for path in sorted((root / "_async").rglob("*.py"), key=lambda path: path.parts):
        relative = path.relative_to(root)
        parts = relative.with_suffix("").parts
        if parts[-1] == "__init__":
            continue
        text = path.read_text(encoding="utf-8")
        label = f"storage/{relative.as_posix()}"
        module = Module(parts, label, text, ast.parse(text, label))
        _survey(module, module.tree.body, typing_only=False)
        modules.append(module)
    return modules


def _survey(module: Module, body: list[ast.stmt], *, typing_only: bool) -> None:
    """Note what the statements import and define."""
    for node in body:
        match node:
            case ast.Import():
                for name in node.names:
                    alias = name.asname or name.name.partition(".")[0]
                    whole = name.name if name.asname else alias
                    module.imports[alias] = Origin(whole, None, typing_only)
            case ast.ImportFrom():
                for name in node.names:
                    origin = Origin(_target(module, node), name.name, typing_only)
                    module.imports[name.asname or name.name] = origin
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                _survey(module, node.body, typing_only=True)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if "overload" in decorators(node):
                module.overloads.setdefault(node.name, []).append(node)
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                module.definitions[node.name] = node
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                module.exports = set(ast.literal_eval(node.value))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                module.definitions[name] = node


def _target(module: Module, node: ast.ImportFrom) -> tuple[str, ...] | str:
    if not node.level:
        return node.module or ""
    package = module.parts[: len(module.parts) - node.level]
    return (*package, *(node.module or "").split("."))


class Sources:
    """All modules, and the classes and names found through their imports."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self._by_parts = {module.parts: module for module in modules}

    def find(self, module: Module, name: str) -> tuple[Module, ast.stmt] | None:
        """The definition of a name used in ``module``; None if it is not under ``_async``."""
        if name in module.definitions:
            return module, module.definitions[name]
        origin = module.imports.get(name)
        if origin is None or origin.name is None or isinstance(origin.module, str):
            return None
        target = self._by_parts.get(origin.module)
        return None if target is None else self.find(target, origin.name)

    def bases(self, module: Module, node: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        """The bases of a class that are defined under ``_async``."""
        for base in node.bases:
            name = base.value if isinstance(base, ast.Subscript) else base
            found = self.find(module, name.id) if isinstance(name, ast.Name) else None
            if found is not None and isinstance(found[1], ast.ClassDef):
                yield found[0], found[1]

    def lineage(self, module: Module, node: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        """The class and all its bases under ``_async``, nearest first."""
        yield module, node
        for base in self.bases(module, node):
            yield from self.lineage(*base)

    def is_abstract(self, module: Module, node: ast.ClassDef) -> bool:
        """Whether an abstract method is left without a body."""
        seen: set[str] = set()
        for _, each in self.lineage(module, node):
            for member in each.body:
                if isinstance(member, FunctionNode) and member.name not in seen:
                    seen.add(member.name)
                    if "abstractmethod" in decorators(member):
                        return True
        return False


def decorators(node: FunctionNode) -> list[str]:
    """The decorators of a function, as they are written."""
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def has_yield(node: FunctionNode) -> bool:
    """Whether it is a generator."""
    queue: list[ast.AST] = list(node.body)
    while queue:
        each = queue.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, FunctionNode | ast.Lambda | ast.ClassDef):
            queue.extend(ast.iter_child_nodes(each))
    return False
