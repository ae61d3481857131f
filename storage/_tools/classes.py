"""Classes of the async side as blocking ones."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeGuard

from .functions import Functions, self_attributes
from .rules import NOT_FORWARDED, Names
from .source import FunctionNode, Module, Sources, Untranslatable, decorators


class Classes:
    """Writes the classes of one module.

    Args:
        sources: All modules.
        names: The names on both sides.
        module: The one.
        functions: Gives what writes the functions of a module; a class takes in the members of
            those bases that have no twin, which may be defined elsewhere.
    """

    def __init__(
        self,
        sources: Sources,
        names: Names,
        module: Module,
        functions: Callable[[Module], Functions],
    ) -> None:
        self._sources = sources
        self._names = names
        self._module = module
        self._functions = functions

    def text(self, node: ast.ClassDef) -> str:
        """The twin of a class."""
        if node.decorator_list or node.keywords:
            raise Untranslatable(self._module, node, "a class with decorators: write it out")
        bases = self._bases(node)
        own = node.name + "".join(base[7:] for base in bases if base.startswith("Generic["))
        abstract = self._sources.is_abstract(self._module, node)
        lines = [
            f"class {self._names.of(node.name)}({', '.join(bases)}):",
            self._functions(self._module).docstring(node),
            "",
            f"    _async: {own}",
            f"    _async_type: ClassVar[type[{node.name}]] = {node.name}"
            + ("  # type: ignore[type-abstract]" if abstract else ""),
        ]
        for member in self._members(node):
            lines += ["", *(f"    {line}" if line else "" for line in member.split("\n"))]
        return "\n".join(lines) + "\n"

    def _bases(self, node: ast.ClassDef) -> list[str]:
        """The bases of the twin."""
        shown = []
        for module, each in self._flat(node):
            for base in each.bases:
                name = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
                found = self._sources.find(module, name)
                rest = ast.unparse(base).removeprefix(name)
                if found is None and name not in ("ABC", "Generic"):
                    raise Untranslatable(module, base, f"a base of unknown meaning: {name}")
                if name == "Generic":
                    shown.append(name + rest)
                elif found is not None and self._has_twin(found[1]):
                    shown.append(self._names.of(found[1].name) + rest)
        if all(base.startswith("Generic[") for base in shown):
            shown.insert(0, "Twin")
        return list(dict.fromkeys(shown))

    def _has_twin(self, node: ast.stmt) -> TypeGuard[ast.ClassDef]:
        return isinstance(node, ast.ClassDef) and node.name in self._names

    def _flat(self, node: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        """The class, and those of its bases that have no twin of their own."""
        queue = [(self._module, node)]
        while queue:
            module, each = queue.pop(0)
            yield module, each
            bases = self._sources.bases(module, each)
            queue += [base for base in bases if not self._has_twin(base[1])]

    # -- members ----------------------------------------------------------------------------

    def _members(self, node: ast.ClassDef) -> Iterator[str]:
        """The public members, each a definition at the margin; the nearest of a name wins."""
        seen: set[str] = set()
        for module, each in self._flat(node):
            found = list(self._defined(module, each, node.name))
            yield from (text for name, text in found if name not in seen)
            seen |= {name for name, _ in found}

    def _defined(self, module: Module, node: ast.ClassDef, owner: str) -> Iterator[tuple[str, str]]:
        """The name and the text of each member that stands in a class body."""
        functions = self._functions(module)
        for index, member in enumerate(node.body):
            match member:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    if _is_public(name):
                        yield name, functions.method(member, node, owner)
                    if name == "__init__" and "overload" not in decorators(member):
                        yield from self._attributes(module, node, functions, member)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant()) if _is_public(
                    name
                ) and _is_constant(name):
                    yield name, f"{module.segment(member)}\n"
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) if _is_public(name):
                    following = node.body[index + 1 : index + 2]
                    docstring = functions.docstring_of(following[0]) if following else ""
                    yield name, functions.forwarded(name, kind, docstring)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_public(name):
                    if self._is_inherited(module, node, name):
                        continue
                    if not isinstance(value, ast.Name):
                        reason = f"give {name} a type, or make it private"
                        raise Untranslatable(module, member, reason)
                    yield name, f"{name} = {self._names.of(value.id)}\n"
                case ast.ClassDef(name=name) if _is_public(name):
                    raise Untranslatable(module, member, f"{name} within a class: move it out")
                case ast.If() | ast.Try() | ast.With() | ast.For():
                    raise Untranslatable(module, member, "a statement within a class: move it out")

    def _attributes(
        self, module: Module, node: ast.ClassDef, functions: Functions, init: FunctionNode
    ) -> Iterator[tuple[str, str]]:
        """Properties for what ``__init__`` leaves in public."""
        for name, kind, where in self_attributes(init):
            if self._is_inherited(module, node, name):
                continue
            if kind is None:
                raise Untranslatable(module, where, f"give self.{name} a type, or make it private")
            yield name, functions.forwarded(name, kind, "")

    def _is_inherited(self, module: Module, node: ast.ClassDef, name: str) -> bool:
        """Whether a base has a typed attribute or a method of this name."""
        for _, each in list(self._sources.lineage(module, node))[1:]:
            for member in each.body:
                match member:
                    case ast.AnnAssign(target=ast.Name(id=found)):
                        pass
                    case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found):
                        pass
                    case _:
                        continue
                if found == name:
                    return True
        return False


def _is_constant(name: str) -> bool:
    """Whether both sides may share it: it is looked up in the class, too."""
    return name.isupper()


def _is_public(name: str) -> bool:
    special = name.startswith("__") and name.endswith("__")
    return (special or not name.startswith("_")) and name not in NOT_FORWARDED
