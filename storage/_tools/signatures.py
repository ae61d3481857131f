"""The heads of functions on the blocking side, and the arguments that they hand on."""

from __future__ import annotations

import ast

from .annotations import Annotations, Parameter
from .rules import HELPERS
from .source import FunctionNode, Module, Untranslatable

ONE_LINE = 100 - len("    def () -> :")
"""Characters of a head that fit on one line."""


class Signatures:
    """Writes the parameters of the functions of one module."""

    def __init__(self, module: Module, annotations: Annotations) -> None:
        self._module = module
        self._types = annotations

    def parameter(self, argument: ast.arg) -> Parameter:
        """A parameter's blocking type and its conversion."""
        if argument.arg in HELPERS:
            raise Untranslatable(self._module, argument, f"{argument.arg} means something else")
        if argument.annotation is None:
            raise Untranslatable(self._module, argument, f"annotate {argument.arg}")
        return self._types.parameter(argument.annotation)

    def head(self, node: FunctionNode, name: str, skip: int, result: str) -> str:
        """The lines up to the colon, with what the source tells the linters about them."""
        parameters = self._signature(node, skip)
        told = "".join(f"  {word}" for word in self._module.pragmas(node))
        if len(name + parameters + result + told) > ONE_LINE:
            return f"def {name}({told}\n    {parameters}\n) -> {result}:"
        return f"def {name}({parameters}) -> {result}:{told}"

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
        text = f"{arg.arg}: {self.parameter(arg).annotation}"
        return text if default is None else f"{text} = {self._module.segment(default)}"

    def arguments(self, node: FunctionNode, skip: int) -> str:
        """The arguments, as they are handed on to the async side."""
        args = node.args
        given = [self.given(arg) for arg in [*args.posonlyargs, *args.args][skip:]]
        if args.vararg:
            given.append(f"*{self.given(args.vararg, 'to_async_all({})')}")
        given += [f"{arg.arg}={self.given(arg)}" for arg in args.kwonlyargs]
        if args.kwarg:
            given.append(f"**{self.given(args.kwarg, 'to_async_values({})')}")
        return ", ".join(given)

    def given(self, arg: ast.arg, many: str = "") -> str:
        """One of them, converted; of a parameter that takes many, by the conversion of many."""
        conversion = self.parameter(arg).conversion
        if many and conversion != "{}":
            if conversion != "to_async({})":
                raise Untranslatable(self._module, arg, "only stores can come in any number")
            conversion = many
        return conversion.format(arg.arg)
