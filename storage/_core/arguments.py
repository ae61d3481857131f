"""What a store's constructor takes, found by looking at it; and values made to fit."""

from __future__ import annotations

import enum
import functools
import inspect
import os
import re
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from .adapt import VERBS
from .text import shorten
from .urls import BOOLEANS


class Role(enum.Enum):
    """What an argument is for."""

    VALUE = enum.auto()
    STORE = enum.auto()
    """A store."""
    STORES = enum.auto()
    """Any number of them."""
    ROUTES = enum.auto()
    """Pairs of text and store, with a flag as third."""


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor."""

    name: str
    hint: Any
    required: bool
    default: Any
    role: Role
    text: str
    """What the docstring says of it."""


@dataclass(frozen=True)
class Constructor:
    """How a store is made."""

    make: Callable[..., Any]
    arguments: Mapping[str, Argument]
    takes_more: bool
    """Whether arguments of any other name are taken, too."""

    def one(self, *roles: Role) -> Argument | None:
        """The first argument with one of the roles."""
        return next((each for each in self.arguments.values() if each.role in roles), None)


def constructor_of(kind: Any) -> Constructor:
    """How a class makes its instances out of plain values: by `connect`, where it has one."""
    make = getattr(kind, "connect", kind)
    function = make if make is not kind else kind.__init__
    if function is object.__init__:
        return Constructor(make, {}, takes_more=False)
    parameters = list(inspect.signature(make).parameters.values())
    hints = _hints(function)
    texts = _texts(kind) | _texts(function)
    found = {}
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        hint = hints.get(each.name, Any)
        required = each.default is each.empty
        role = _role(each.name, hint)
        default = None if required else each.default
        found[each.name] = Argument(
            each.name, hint, required, default, role, texts.get(each.name, "")
        )
    return Constructor(make, found, any(each.kind is each.VAR_KEYWORD for each in parameters))


def _hints(function: Any) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except Exception:  # somebody's annotations may mean nothing here
        return {}


def _role(name: str, hint: Any) -> Role:
    if hint is Any:  # nothing is said, as in many a class of users
        if name == "store" or name.endswith("_store"):
            return Role.STORE
        return Role.STORES if name in ("children", "stores") else Role.VALUE
    for each in members(hint):
        if is_store(each):
            return Role.STORE
        items = [item for arg in get_args(each) for item in members(arg)]
        origin = get_origin(each)
        if isinstance(origin, type) and issubclass(origin, Iterable):
            if any(map(is_store, items)):
                return Role.STORES
            if any(is_store(part) for item in items for part in get_args(item)):
                return Role.ROUTES
    return Role.VALUE


def is_store(hint: Any) -> bool:
    """Whether a type is one of stores."""
    return isinstance(hint, type) and all(callable(getattr(hint, verb, None)) for verb in VERBS)


def members(hint: Any) -> tuple[Any, ...]:
    """The types of a union; the type itself if it is none."""
    if get_origin(hint) is Annotated:
        return members(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(each for arg in get_args(hint) for each in members(arg))
    return (hint,)


def _texts(documented: Any) -> dict[str, str]:
    """What a docstring in Google's style says of the arguments."""
    _, _, section = (inspect.getdoc(documented) or "").partition("\nArgs:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        head = re.match(r" {4}\*{0,2}(\w+)(?: \(.*?\))?: (.*)", line)
        if head:
            name = head[1]
            found[name] = head[2]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


# -- values ---------------------------------------------------------------------------------


def fitted(value: Any, hint: Any) -> Any:
    """A value as an argument of this type takes it; a text may stand for a number or a flag.

    Raises:
        ValueError: It is of another type; the message says which one is wanted.
    """
    kinds = members(hint)
    for exact in (True, False):
        for kind in kinds:
            try:
                return _fit(value, kind, exact)
            except ValueError:
                continue
    raise ValueError(f"it is {wanted(hint)}")


def _fit(value: Any, kind: Any, exact: bool) -> Any:
    if kind is Any or kind is object or isinstance(kind, TypeVar) or is_typeddict(kind):
        return value
    if kind is type(None) or kind is None:
        return _only(value, value is None)
    if get_origin(kind) is Literal:
        return _only(value, value in get_args(kind))
    if kind in (int, float, bool):
        return _number(value, kind, exact)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(value, kind)
    general = get_origin(kind) or kind
    if not isinstance(general, type):
        return _only(value, fits=False)
    if issubclass(general, Mapping):
        return _only(value, isinstance(value, Mapping))
    if hasattr(general, "__fspath__"):
        make: Any = general
        path = _only(value, isinstance(value, str | os.PathLike))
        return path if make is os.PathLike else make(path)
    if issubclass(general, Iterable) and general not in (str, bytes):
        return _items(value, kind)
    return _only(value, isinstance(value, general))


def _only(value: Any, fits: bool) -> Any:
    if not fits:
        raise ValueError(value)
    return value


def _number(value: Any, kind: type[Any], exact: bool) -> Any:
    if isinstance(value, str) and not exact:
        if kind is not bool:
            return kind(value)
        return _only(BOOLEANS.get(value.lower()), value.lower() in BOOLEANS)
    if kind is float:
        return _only(value, isinstance(value, int | float) and not isinstance(value, bool))
    return _only(value, type(value) is kind)


def _member(value: Any, kind: Any) -> Any:
    """A member by its name; of flags, several."""
    if isinstance(value, kind):
        return value
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(value)
    try:
        found = [kind[name.strip().upper()] for name in names]
    except KeyError:
        raise ValueError(value) from None
    if issubclass(kind, enum.Flag):
        return functools.reduce(lambda one, other: one | other, found, kind(0))
    return _only(found[0] if found else None, len(found) == 1)


def _items(value: Any, kind: Any) -> Any:
    _only(value, isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping))
    arguments = [arg for arg in get_args(kind) if arg is not ...]
    if len(arguments) != 1:
        return value
    return [fitted(item, arguments[0]) for item in value]


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    bytes: "bytes (!!binary)",
    type(None): "nothing",
}


def wanted(hint: Any) -> str:
    """A type in words."""
    return " or ".join(dict.fromkeys(_word(each) for each in members(hint)))


def _word(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f"one of {', '.join(each.name.lower() for each in kind if each.name)}"
    general = get_origin(kind) or kind
    if isinstance(general, type):
        if issubclass(general, Mapping):
            return "a mapping"
        if hasattr(general, "__fspath__"):
            return "a path"
        if issubclass(general, Iterable):
            return "a list"
    return f"a {shorten(getattr(general, '__name__', str(kind)))}, which only code can give"
