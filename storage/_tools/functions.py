"""Functions and methods of the async side as blocking ones of one line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .annotations import Annotations, Parameter, Result
from .rules import Names
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


INSTANCE = Receiver("self._async.", "self._run", "self._iterate")
CLASS = Receiver("cls._async_type.", owner="cls")
FUNCTION = Receiver("")


class Functions:
    """Writes the functions and methods of one module."""

    def __init__(self, names: Names, module: Module, annotations: Annotations) -> None:
        self._names = names
        self._module = module
        self._types = annotations

    def function(self, node: FunctionNode) -> str:
        """A function of the module."""
        return self._definition(node, FUNCTION)

    def method(self, node: FunctionNode, class_name: str) -> str:
        """A method of the class that is known as ``class_name`` on the async side."""
        kinds = decorators(node)
        if "property" in kinds or "cached_property" in kinds:
            if node.returns is None:
                raise Untranslatable(self._module, node, "annotate what it returns")
            return self.forwarded(node.name, node.returns, self.docstring(node))
        if any(kind.endswith(".setter") for kind in kinds):
            return self._setter(node)
        if node.name == "__init__":
            return self._init(node)
        if "classmethod" in kinds:
            return self._definition(node, CLASS)
        if "staticmethod" in kinds:
            return self._definition(node, Receiver(f"{class_name}."), skip=0)
        return self._definition(node, INSTANCE)

    def forwarded(self, name: str, kind: ast.expr, docstring: str) -> str:
        """A property that reads the async object's."""
        if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "ClassVar":
            kind = kind.slice
        return _join(
            "@property",
            f"def {name}(self) -> {self._types.plain(kind)}:",
            docstring,
            f"    return self._async.{name}",
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

    def _definition(self, node: FunctionNode, on: Receiver, skip: int = 1) -> str:
        """A whole function; the first ``skip`` parameters are ``self`` or ``cls``."""
        skip = 0 if on is FUNCTION else skip
        name, result = self._names.of(node.name), self._result(node)
        kept = [f"@{each}" for each in self._checked(node) if each in KEPT]
        if "overload" in decorators(node):
            head = f"def {name}({self._signature(node, skip)}) -> {result.annotation}: ..."
            return _join(*kept, head)
        target = SHADOWED if on is FUNCTION and name == node.name else on.target
        value = f"{target}{node.name}({self._arguments(node, skip)})"
        body = self._special(node, result) or [self._body(node, result, value, on)]
        return _join(
            *kept,
            f"def {name}({self._signature(node, skip)}) -> {result.annotation}:",
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
            case "__aenter__":
                return ["self._run(self._async.__aenter__())", "return self"]
            case "__aiter__" if result.kind in ("self", "twin"):
                return ["return self"]
            case "__anext__":
                return ["return self._step(self._async.__anext__())"]
        return []

    def _init(self, node: FunctionNode) -> str:
        if "overload" in self._checked(node):
            return _join("@overload", f"def __init__({self._signature(node, 1)}) -> None: ...")
        return _join(
            f"def __init__({self._signature(node, 1)}) -> None:",
            self.docstring(node),
            f"    self._hold(self._async_type({self._arguments(node, 1)}))",
        )

    def _setter(self, node: FunctionNode) -> str:
        value = node.args.args[1]
        return _join(
            f"@{node.name}.setter",
            f"def {node.name}({self._signature(node, 1)}) -> None:",
            self.docstring(node),
            f"    self._async.{node.name} = {self._parameter(value).conversion.format(value.arg)}",
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

    # -- parameters -------------------------------------------------------------------------

    def _parameter(self, argument: ast.arg) -> Parameter:
        if argument.annotation is None:
            raise Untranslatable(self._module, argument, f"annotate {argument.arg}")
        return self._types.parameter(argument.annotation)

    def _signature(self, node: FunctionNode, skip: int) -> str:
        """The parameters, as the blocking side takes them."""
        args = node.args
        positional = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
        shown = [arg.arg for arg in positional[:skip]]
        for arg, default in zip(positional[skip:], defaults[skip:], strict=True):
            shown.append(self._shown(arg, default))
        # What calls `__exit__` never names its arguments, so that other names are a match too.
        only = len(shown) if node.name == "__aexit__" else len(args.posonlyargs)
        if only:
            shown.insert(only, "/")
        if args.vararg:
            shown.append("*" + self._shown(args.vararg, None))
        elif args.kwonlyargs:
            shown.append("*")
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            shown.append(self._shown(arg, default))
        if args.kwarg:
            shown.append("**" + self._shown(args.kwarg, None))
        return ", ".join(shown)

    def _shown(self, arg: ast.arg, default: ast.expr | None) -> str:
        text = f"{arg.arg}: {self._parameter(arg).annotation}"
        return text if default is None else f"{text} = {self._module.segment(default)}"

    def _arguments(self, node: FunctionNode, skip: int) -> str:
        """The arguments, as they are handed on to the async side."""
        args = node.args
        given = [self._given(arg) for arg in [*args.posonlyargs, *args.args][skip:]]
        if args.vararg:
            given.append(f"*{self._given(args.vararg, 'to_async_all({})')}")
        given += [f"{arg.arg}={self._given(arg)}" for arg in args.kwonlyargs]
        if args.kwarg:
            given.append(f"**{self._given(args.kwarg, 'to_async_values({})')}")
        return ", ".join(given)

    def _given(self, arg: ast.arg, many: str = "") -> str:
        conversion = self._parameter(arg).conversion
        if many and conversion != "{}":
            if conversion != "to_async({})":
                raise Untranslatable(self._module, arg, "only stores can come in any number")
            conversion = many
        return conversion.format(arg.arg)


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
