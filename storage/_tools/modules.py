"""Modules of the async side as blocking ones: their text, and the imports that it needs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from .annotations import Annotations
from .classes import Classes
from .functions import SHADOWED, Functions
from .rules import HELPERS, RENAMES, Names
from .source import Module, Origin, Sources, Untranslatable, is_async_name

NARROWER = """\
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""


def banner(source: str) -> str:
    """The first lines of a generated file."""
    command = "python -m storage._tools.generate"
    return f"# Generated from {source}: do not edit, but run\n# `{command}`.\n"


class Generator:
    """Writes the blocking form of all modules."""

    def __init__(self, modules: list[Module]) -> None:
        self._sources = Sources(modules)
        self._public: dict[Module, list[str]] = {}
        for module in modules:
            names = [name for name in module.definitions if _needs_twin(module, name)]
            if names:
                self._public[module] = names
        self.names = Names({name for names in self._public.values() for name in names})
        self._homes: dict[str, tuple[str, ...]] = {}
        for module, names in self._public.items():
            for name in names:
                other = self._homes.setdefault(self.names.of(name), module.twin)
                if other != module.twin:
                    reason = f"{name} has the blocking name of something in {'/'.join(other)}.py"
                    raise Untranslatable(module, module.definitions[name], reason)

    def texts(self) -> Iterator[tuple[Module, str]]:
        """Each module that has a blocking form, and it, before formatting."""
        for module, names in self._public.items():
            writer = _ModuleText(self._sources, self.names, self._homes, module)
            yield module, writer.text(names)


def _needs_twin(module: Module, name: str) -> bool:
    """Whether something public needs a blocking form, and is no value that both sides share."""
    node = module.definitions[name]
    if name in RENAMES or not module.is_public(name):
        return False
    match node:
        case ast.AsyncFunctionDef():
            return True
        case ast.ClassDef() | ast.Assign(value=ast.Name()):
            return is_async_name(name) or name.startswith("async_")
        case ast.FunctionDef(returns=kind):
            returns_async = kind is not None and "Async" in ast.unparse(kind)
            return name.startswith("async_") or returns_async
    return False


class _ModuleText:
    """Writes one module."""

    def __init__(
        self,
        sources: Sources,
        names: Names,
        homes: dict[str, tuple[str, ...]],
        module: Module,
    ) -> None:
        self._sources = sources
        self._names = names
        self._homes = homes
        self._module = module
        # Where names may come from: a class takes in members of bases from other modules.
        self._visited = {module.parts: module}

    def text(self, public: list[str]) -> str:
        """The whole of it."""
        body = "\n\n".join(self._block(name) for name in public)
        head = banner(self._module.label) + (NARROWER if "_async_type: " in body else "")
        docstring = self._functions(self._module).docstring(self._module.tree).strip()
        future = "from __future__ import annotations"
        return "\n\n".join([head + docstring, future, self._imports(ast.parse(body)), body])

    def _functions(self, module: Module) -> Functions:
        self._visited[module.parts] = module
        return Functions(self._names, module, Annotations(self._sources, self._names, module))

    def _block(self, name: str) -> str:
        node = self._module.definitions[name]
        match node:
            case ast.ClassDef():
                classes = Classes(self._sources, self._names, self._module, self._functions)
                return classes.text(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._functions(self._module).function(node)
            case ast.Assign(value=ast.Name(id=other)) if other in self._names:
                return f"{self._names.of(name)} = {self._names.of(other)}\n"
        raise Untranslatable(self._module, node, f"{name} has no blocking form")

    # -- imports ----------------------------------------------------------------------------

    def _imports(self, body: ast.Module) -> str:
        plain: list[str] = []
        typing_only: list[str] = []
        for name in sorted(set(_free_names(body))):
            origin = self._origin(name)
            if origin is not None:
                line = origin.statement(name, self._module.twin[:-1])
                (typing_only if origin.typing_only else plain).append(line)
        if typing_only:
            plain.append(HELPERS["TYPE_CHECKING"].statement("TYPE_CHECKING", ()))
            plain += ["", "if TYPE_CHECKING:", *(f"    {line}" for line in typing_only)]
        return "\n".join(plain)

    def _origin(self, name: str) -> Origin | None:
        """Where a name comes from; None where it needs no import."""
        home = self._homes.get(name)
        if home is not None:
            return None if home == self._module.twin else Origin(home, name)
        if name in HELPERS:
            return HELPERS[name]
        for module in self._visited.values():
            plain = name.removeprefix(SHADOWED)
            if plain in module.definitions:
                return Origin(module.parts, plain)
            if name in module.imports:
                return module.imports[name]
        if hasattr(builtins, name):
            return None
        raise Untranslatable(self._module, self._module.tree, f"no import is known of {name}")


def _free_names(node: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that generated code takes from its module."""
    match node:
        case ast.Call(func=ast.Name(id="cast")):
            yield from ("cast", "Any")
            yield from _free_names(node.args[1], bound)
        case ast.Name(id=name):
            if name not in bound and isinstance(node.ctx, ast.Load):
                yield name
        case ast.FunctionDef():
            inner = bound | {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
            for statement in node.body:
                yield from _free_names(statement, inner)
            for part in (node.args, node.returns, *node.decorator_list):
                if part is not None and not isinstance(part, ast.Attribute):  # @name.setter
                    yield from _free_names(part, bound)
        case ast.ClassDef(body=body):
            own = bound | {each.name for each in body if isinstance(each, ast.FunctionDef)}
            for child in ast.iter_child_nodes(node):
                yield from _free_names(child, own if isinstance(child, ast.Assign) else bound)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _free_names(child, bound)
