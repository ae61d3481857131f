"""Functions and methods of the async side as blocking ones of one line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .annotations import Annotations, Result
from .rules import Names
from .signatures import Signatures
from .source import FunctionNode, Module, Untranslatable, decorators, has_yield

KEPT = ("property", "classmethod", "staticmethod", "overload")
CONTEXT = ("asynccontextmanager", "contextlib.asynccontextmanager")
SHADOWED = "_async_"
"""Prefix of an async function's name where the blocking one has the same."""
DROPPED = ("abstractmethod", "cached_property", *CONTEXT)


@dataclass(frozen=True)
class Receiver:
    """What a call is made on, and what runs it.

    Args:
        target: The async object, with its dot; empty for a function.
        run: What runs a coroutine.
        iterate: What runs an async iterator.
        owner: What a twin is made by.
    """

    target: str
    run: str = "run"
    iterate: str = "iterate"
    owner: str = ""


INSTANCE = Receiver("self._async.", "self._run", "self._iterate", "type(self)")
CLASS = Receiver("cls._async_type.", owner="cls")
FUNCTION = Receiver("")


class Functions:
    """Writes the functions and methods of one module."""

    def __init__(self, names: Names, module: Module, annotations: Annotations) -> None:
        self._names = names
        self._module = module
        self._types = annotations
        self._signatures = Signatures(module, annotations)

    def function(self, node: FunctionNode) -> str:
        """A function of the module, with its overloads."""
        overloads = self._module.overloads.get(node.name, [])
        written = [self._definition(each, FUNCTION) for each in overloads]
        return "".join([*written, self._definition(node, FUNCTION, overloaded=bool(overloads))])

    def method(self, node: FunctionNode, owner: ast.ClassDef, class_name: str) -> str:
        """A method.

        Args:
            node: The one.
            owner: The class where it stands.
            class_name: The class whose twin gets it, which may be a subclass.
        """
        kinds = decorators(node)
        if "property" in kinds or "cached_property" in kinds:
            if node.returns is None:
                raise Untranslatable(self._module, node, "annotate what it returns")
            return self.forwarded(node.name, node.returns, self.docstring(node))
        if any(kind.endswith(".setter") for kind in kinds):
            return self._setter(node)
        overloaded = any(
            isinstance(each, FunctionNode)
            and each.name == node.name
            and "overload" in decorators(each)
            for each in owner.body
        )
        if node.name == "__init__":
            return self._init(node, overloaded)
        on, skip = INSTANCE, 1
        if "classmethod" in kinds:
            on = CLASS
        elif "staticmethod" in kinds:
            on, skip = Receiver(f"{class_name}."), 0
        return self._definition(node, on, skip, overloaded=overloaded)

    def forwarded(self, name: str, kind: ast.expr, docstring: str) -> str:
        """A property that reads the async object's."""
        if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "ClassVar":
            kind = kind.slice
        annotation, conversion = self._types.attribute(kind)
        return _join(
            "@property",
            f"def {name}(self) -> {annotation}:",
            docstring,
            f"    return {conversion.format(f'self._async.{name}')}",
        )

    def docstring(self, node: FunctionNode | ast.ClassDef | ast.Module) -> str:
        """The docstring for the blocking side, indented by four; empty where there is none."""
        return self.docstring_of(node.body[0]) if ast.get_docstring(node) else ""

    def docstring_of(self, node: ast.stmt) -> str:
        """The same of a string that stands for itself."""
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                return "    " + self._names.in_text(self._module.segment(node))
        return ""

    # -- definitions ------------------------------------------------------------------------

    def _definition(
        self, node: FunctionNode, on: Receiver, skip: int = 0, *, overloaded: bool = False
    ) -> str:
        """A whole function; the first ``skip`` parameters are ``self`` or ``cls``."""
        name, result = self._names.of(node.name), self._result(node)
        head = self._signatures.head(node, name, skip, result.annotation)
        kept = [f"@{each}" for each in self._checked(node) if each in KEPT]
        if "overload" in decorators(node):
            return _join(
                *kept, self._signatures.head(node, name, skip, result.annotation), "    ..."
            )
        target = SHADOWED if on is FUNCTION and name == node.name else on.target
        callee = _callee(f"{target}{node.name}", overloaded)
        value = f"{callee}({self._signatures.arguments(node, skip)})"
        body = self._special(node, result) or [self._body(node, result, value, on)]
        return _join(
            *kept,
            head,
            self.docstring(node),
            *(f"    {line}" for line in body),
        )

    def _body(self, node: FunctionNode, result: Result, value: str, on: Receiver) -> str:
        streams = has_yield(node) or isinstance(node, ast.FunctionDef)
        if not streams:
            value = f"{on.run}({value})"
        match result.kind:
            case "nothing":
                return value
            case "value":
                return f"return {value}"
            case "iterator":
                batch = f", max_batch={result.detail}" if result.detail else ""
                return f"return {on.iterate}({value}{batch})"
            case "self" if on.owner:
                return f"return {on.owner}.around({value})"
            case "twin":
                return f"return {result.detail}.around({value})"
            case "reader" | "writer" if on is INSTANCE:
                return f"return self._{result.kind}({value})"
            case "context" if on is INSTANCE:
                return f"return self._enter({value})"
        raise Untranslatable(self._module, node, f"a result of type {result.annotation} is unknown")

    def _special(self, node: FunctionNode, result: Result) -> list[str]:
        """The bodies of the methods behind ``with`` and ``for``."""
        match node.name:
            case "__aenter__" if result.kind in ("self", "twin"):
                return ["self._run(self._async.__aenter__())", "return self"]
            case "__aiter__" if result.kind in ("self", "twin"):
                return ["return self"]
            case "__anext__":
                return ["return self._step(self._async.__anext__())"]
        return []

    def _init(self, node: FunctionNode, overloaded: bool) -> str:
        head = self._signatures.head(node, "__init__", 1, "None")
        if "overload" in self._checked(node):
            return _join("@overload", head, "    ...")
        callee = _callee("self._async_type", overloaded)
        made = f"{callee}({self._signatures.arguments(node, 1)})"
        return _join(head, self.docstring(node), f"    self._hold({made})")

    def _setter(self, node: FunctionNode) -> str:
        value = self._signatures.given(node.args.args[1])
        return _join(
            f"@{node.name}.setter",
            self._signatures.head(node, node.name, 1, "None"),
            self.docstring(node),
            f"    self._async.{node.name} = {value}",
        )

    def _checked(self, node: FunctionNode) -> list[str]:
        for each in decorators(node):
            if each not in KEPT and each not in DROPPED:
                raise Untranslatable(self._module, node, f"the decorator @{each} is unknown")
        return decorators(node)

    def _result(self, node: FunctionNode) -> Result:
        result = self._types.result(node.returns, node)
        if any(each in CONTEXT for each in decorators(node)):
            item = result.annotation.removeprefix("Iterator")
            return Result(f"AbstractContextManager{item}", "context")
        return result


def _callee(name: str, overloaded: bool) -> str:
    """What is called; untyped if overloaded, as no overload matches the implementation's types."""
    return f'cast("Any", {name})' if overloaded else name


def _join(*lines: str) -> str:
    return "\n".join(line for line in lines if line) + "\n"


def self_attributes(node: FunctionNode) -> Iterator[tuple[str, ast.expr | None, ast.stmt]]:
    """Public attributes that ``__init__`` sets: name, type where it is known, statement."""
    types = {arg.arg: arg.annotation for arg in [*node.args.args, *node.args.kwonlyargs]}
    for each in ast.walk(node):
        match each:
            case ast.AnnAssign(target=ast.Attribute(ast.Name("self"), name), annotation=kind):
                found: ast.expr | None = kind
            case ast.Assign(targets=[ast.Attribute(ast.Name("self"), name)], value=value):
                found = types.get(value.id) if isinstance(value, ast.Name) else None
            case _:
                continue
        if not name.startswith("_"):
            yield name, found, each
