"""Types of the async side as types of the blocking one, and how a value gets across."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .rules import Names
from .source import Module, Sources, Untranslatable, is_async_name

ASYNC_ITERATORS = ("AsyncIterator", "AsyncIterable", "AsyncGenerator")
SEQUENCES = ("Sequence", "Iterable", "Collection", "list", "tuple", "List", "Tuple")
MAPPINGS = ("Mapping", "MutableMapping", "dict", "Dict")
STORES = {
    "to_async({})": "self._blocking({})",
    "to_async_all({})": "tuple(map(self._blocking, {}))",
}
"""How the stores that somebody passed come back, by how they got across."""
LOOP_BOUND = ("Awaitable", "Coroutine", "asyncio", "anyio")


@dataclass(frozen=True)
class Parameter:
    """A parameter's type, and the expression that makes of ``{}`` what the async side takes."""

    annotation: str
    conversion: str = "{}"


@dataclass(frozen=True)
class Result:
    """What a function gives.

    Args:
        annotation: The blocking type.
        kind: ``value``, ``nothing``, ``iterator``, ``self``, ``twin``, ``reader``, ``writer``
            or ``context``.
        detail: The twin's class; of an iterator, the largest batch.
    """

    annotation: str
    kind: str = "value"
    detail: str = ""


class Annotations:
    """Translates the annotations of one module."""

    def __init__(self, sources: Sources, names: Names, module: Module) -> None:
        self._sources = sources
        self._names = names
        self._module = module

    # -- parameters -------------------------------------------------------------------------

    def parameter(self, node: ast.expr) -> Parameter:
        """The blocking form of a parameter's type."""
        found = self._parameter(self._expanded(node))
        return found or Parameter(self.plain(node))

    def _parameter(self, node: ast.expr) -> Parameter | None:
        """The same, None where nothing has to be converted."""
        if isinstance(node, ast.BinOp):
            return self._union(node)
        name, arguments = _parts(node)
        if name in ("AsyncReader", "AsyncWriter"):
            raise Untranslatable(self._module, node, f"no way to hand a blocking file on as {name}")
        if name == "Optional":
            none = ast.Constant(None)
            return self._union(ast.BinOp(arguments[0], ast.BitOr(), none))
        if name is not None and is_async_name(name) and name in self._names:
            return Parameter(self._names.of(name) + self._arguments(arguments), "to_async({})")
        if name in ASYNC_ITERATORS:
            return Parameter(f"Iterable{self._arguments(arguments[:1])}", "each({})")
        if name == "Callable":
            return self._callable(node, arguments)
        if name in SEQUENCES and all(self._is_row(each) for each in _members(arguments[0])):
            rows = " | ".join(
                f"tuple{self._stores(_parts(row)[1])}" for row in _members(arguments[0])
            )
            return Parameter(f"{name}[{rows}]", "to_async_rows({})")
        if name in SEQUENCES and any(self._is_store(each) for each in arguments):
            return Parameter(name + self._stores(arguments), "to_async_all({})")
        if name in MAPPINGS and len(arguments) == 2 and self._is_store(arguments[1]):
            return Parameter(name + self._stores(arguments), "to_async_values({})")
        return None

    def _is_store(self, node: ast.expr) -> bool:
        found = self._parameter(node)
        return found is not None and found.conversion == "to_async({})"

    def _is_row(self, node: ast.expr) -> bool:
        """Whether this is a tuple of a text, a store, and perhaps a flag."""
        name, arguments = _parts(node)
        shown = [ast.unparse(each) for each in arguments]
        return (
            name == "tuple"
            and shown[:2] == ["str", "AsyncObjectStore"]
            and shown[2:] in ([], ["bool"])
        )

    def _stores(self, arguments: list[ast.expr]) -> str:
        found = [self._parameter(each) or Parameter(self.plain(each)) for each in arguments]
        return f"[{', '.join(each.annotation for each in found)}]"

    def _callable(self, node: ast.expr, arguments: list[ast.expr]) -> Parameter | None:
        if len(arguments) != 2 or not _mentions(arguments[1], ("Awaitable", "Coroutine")):
            return None
        values = [
            _parts(each)[1][-1] if _parts(each)[0] in ("Awaitable", "Coroutine") else each
            for each in _members(arguments[1])
        ]
        results = dict.fromkeys(self.plain(each) for each in values)
        inputs = arguments[0]
        conversion = "to_async_function({})"
        if isinstance(inputs, ast.List):
            given = [self._parameter(each) or Parameter(self.plain(each)) for each in inputs.elts]
            text = f"[{', '.join(each.annotation for each in given)}]"
            if any(each.conversion in STORES for each in given):
                conversion = "to_async_handler({})"
        else:
            text = self.plain(inputs)
        return Parameter(f"Callable[{text}, {' | '.join(results)}]", conversion)

    def _union(self, node: ast.BinOp) -> Parameter | None:
        members = _members(node)
        found = [self._parameter(each) for each in members]
        names = [_parts(each)[0] for each in members]
        if "Iterable" in names:  # the source takes both kinds
            kept = [
                each
                for each, name in zip(members, names, strict=True)
                if name not in ASYNC_ITERATORS
            ]
            if len(kept) < len(members):
                return Parameter(" | ".join(self.plain(each) for each in kept))
        converted = [each for each in found if each is not None]
        if not converted:
            return None
        rest = [each for each, other in zip(members, found, strict=True) if other is None]
        if len(converted) > 1 or any(ast.unparse(each) != "None" for each in rest):
            raise Untranslatable(
                self._module, node, f"a union of {ast.unparse(node)} cannot be told apart"
            )
        shown = " | ".join(other.annotation if other else "None" for other in found)
        inner = converted[0].conversion
        optional = f"None if {{0}} is None else {inner.format('{0}')}" if rest else inner
        return Parameter(shown, optional)

    # -- results ----------------------------------------------------------------------------

    def result(self, node: ast.expr | None, owner: ast.AST) -> Result:
        """The blocking form of a function's type."""
        if node is None:
            raise Untranslatable(self._module, owner, "annotate what it returns")
        name, arguments = _parts(self._expanded(node))
        if name in ASYNC_ITERATORS:
            item = self.plain(arguments[0])
            return Result(f"Iterator[{item}]", "iterator", _batch(arguments[0]))
        if name in ("AbstractAsyncContextManager", "AsyncContextManager"):
            value = self.plain(arguments[0])
            return Result(f"AbstractContextManager[{value}]", "context")
        if name in ("AsyncReader", "AsyncWriter"):
            return Result(self._names.of(name), self._names.of(name).lower())
        if name == "Self":
            return Result("Self", "self")
        if name is not None and is_async_name(name) and name in self._names:
            if name == "AsyncObjectStore":
                raise Untranslatable(self._module, node, "name the class, to tell the twin's")
            twin = self._names.of(name)
            return Result(twin + self._arguments(arguments), "twin", twin)
        text = self.plain(node)
        return Result(text, "nothing" if text == "None" else "value")

    def attribute(self, node: ast.expr) -> tuple[str, str]:
        """The blocking form of an attribute's type, and the expression that makes it of ``{}``."""
        found = self.parameter(node)
        if found.conversion not in STORES:
            return self.plain(node), "{}"
        return found.annotation, STORES[found.conversion]

    # -- what both need ---------------------------------------------------------------------

    def plain(self, node: ast.expr) -> str:
        """A type that is the same on both sides."""
        for each in ast.walk(node):
            name = each.id if isinstance(each, ast.Name) else None
            if name in LOOP_BOUND or name in ASYNC_ITERATORS or (name and name in self._names):
                raise Untranslatable(
                    self._module, node, f"no blocking form is known of {ast.unparse(node)}"
                )
        return ast.unparse(node)

    def _arguments(self, arguments: list[ast.expr]) -> str:
        return f"[{', '.join(self.plain(each) for each in arguments)}]" if arguments else ""

    def _expanded(self, node: ast.expr) -> ast.expr:
        """An alias that hides an async class or an awaitable is written out."""
        if not isinstance(node, ast.Name):
            return node
        found = self._sources.find(self._module, node.id)
        if found is None or not isinstance(found[1], ast.Assign | ast.AnnAssign):
            return node
        value = found[1].value
        hides = value is not None and (
            _mentions(value, LOOP_BOUND)
            or any(
                isinstance(each, ast.Name) and each.id in self._names for each in ast.walk(value)
            )
        )
        return value if value is not None and hides else node


def _parts(node: ast.expr) -> tuple[str | None, list[ast.expr]]:
    """The name and the arguments of ``Name``, ``Name[...]``, ``module.Name[...]``."""
    arguments: list[ast.expr] = []
    if isinstance(node, ast.Subscript):
        inner = node.slice
        arguments = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr, arguments
    return (node.id if isinstance(node, ast.Name) else None), arguments


def _members(node: ast.expr) -> list[ast.expr]:
    """The members of a union."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_members(node.left), *_members(node.right)]
    return [node]


def _mentions(node: ast.expr, names: tuple[str, ...]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))


def _batch(item: ast.expr) -> str:
    """The largest batch of such items: pieces of bytes are large, whole objects may be."""
    if isinstance(item, ast.Name) and item.id in ("bytes", "TextPiece"):
        return "2"
    return "32" if _mentions(item, ("bytes",)) else ""
