"""A JSON Schema of configuration files, for editors and for checks in advance."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from .._core.arguments import Argument, Constructor, Role, constructor_of, members
from .classes import known_classes

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_NAME = {"type": "string", "description": "the name of another store"}
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
"""A value that is not known before the file is used."""
_SCALARS: dict[Any, dict[str, Any]] = {
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string"},
}
_ROUTE = {
    "type": "array",
    "prefixItems": [{"type": "string"}, _NAME, {"type": "boolean"}],
    "minItems": 2,
    "maxItems": 3,
}


def schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of what `StoreFactory` takes.

    It is made of the constructors of all store classes, those of `register_store` included, and
    of their docstrings.
    """
    kinds = known_classes()
    rules = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": _rule(constructor_of(kind)),
        }
        for name, kind in sorted(kinds.items())
    ]
    definition = {
        "type": "object",
        "properties": {
            "type": {"anyOf": [{"enum": sorted(kinds)}, _VARIABLE]},
            "url": {"type": "string", "description": "a store's URL, such as s3://bucket/prefix"},
            "async": {"type": "boolean", "description": "whether the URL's store is async"},
            "config": {"type": ["object", "null"], "description": "arguments of the class"},
            "base": {"description": "the stores that this one is made of"},
        },
        "additionalProperties": False,
        "oneOf": [
            {"required": ["type"], "not": {"required": ["async"]}},
            {
                "required": ["url"],
                "not": {"anyOf": [{"required": ["config"]}, {"required": ["base"]}]},
            },
        ],
        "allOf": rules,
    }
    return {
        "$schema": DRAFT,
        "title": "Stores",
        "type": "object",
        "properties": {
            "stores": {"type": "object", "additionalProperties": {"$ref": "#/$defs/store"}},
            "main": {"type": "string", "description": "the store that is built by default"},
        },
        "required": ["stores"],
        "$defs": {"store": definition},
    }


def _rule(constructor: Constructor) -> dict[str, Any]:
    """What holds for definitions of one class."""
    arguments = constructor.arguments.values()
    values = {each.name: _described(each) for each in arguments if each.role is Role.VALUE}
    stores = [each for each in arguments if each.role is not Role.VALUE]
    needed = [name for name in values if constructor.arguments[name].required]
    config: dict[str, Any] = {
        "type": "object" if needed else ["object", "null"],
        "properties": values,
        "additionalProperties": constructor.takes_more,
    }
    rule: dict[str, Any] = {"properties": {"config": config, "base": _base(stores)}}
    if needed:
        config["required"] = needed
    required = ["config"] if needed else []
    required += ["base"] if any(each.required for each in stores) else []
    return rule | ({"required": required} if required else {})


def _base(stores: list[Argument]) -> Any:
    """What ``base`` may be."""
    if not stores:
        return False
    forms: list[dict[str, Any]] = []
    needed = {each.name for each in stores if each.required}
    for role in (Role.STORE, (Role.STORES, Role.ROUTES)):
        first = next((each for each in stores if each.role in _several(role)), None)
        if first is not None and needed <= {first.name}:
            forms.append(_stored(first))
    by_name: dict[str, Any] = {
        "type": "object",
        "properties": {
            each.name: {**_stored(each), "description": each.text or each.name} for each in stores
        },
        "additionalProperties": False,
    }
    if needed:
        by_name["required"] = sorted(needed)
    return {"anyOf": [*forms, by_name]}


def _several(role: Any) -> tuple[Role, ...]:
    return role if isinstance(role, tuple) else (role,)


def _stored(argument: Argument) -> dict[str, Any]:
    if argument.role is Role.STORE:
        return dict(_NAME)
    return {"type": "array", "items": _NAME if argument.role is Role.STORES else _ROUTE}


def _described(argument: Argument) -> dict[str, Any]:
    found = _of(argument.hint)
    if found not in ({}, {"not": {}}) and {"type": "string"} not in found.get("anyOf", [found]):
        found = {"anyOf": [*found.get("anyOf", [found]), _VARIABLE]}
    if argument.text:
        found = {**found, "description": argument.text}
    if isinstance(argument.default, bool | int | float | str) and not isinstance(
        argument.default, enum.Enum
    ):
        found = {**found, "default": argument.default}
    return found


def _of(hint: Any) -> dict[str, Any]:
    """The schema of a type; the empty one, which takes anything, where a file cannot tell."""
    found = [each for each in map(_one, members(hint)) if each is not None]
    if {} in found:
        return {}
    unique = [each for index, each in enumerate(found) if each not in found[:index]]
    return unique[0] if len(unique) == 1 else {"anyOf": unique} if unique else {"not": {}}


def _one(kind: Any) -> dict[str, Any] | None:
    """The schema of one type; None for what only code can give."""
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    general = get_origin(kind) or kind
    if not inspect.isclass(general) or general is object:
        return {}
    if issubclass(general, enum.Enum):
        names = {"type": "string"}
        return {"anyOf": [names, {"type": "array", "items": names}]}
    if issubclass(general, Mapping):
        return {"type": "object"}
    if hasattr(general, "__fspath__"):
        return {"type": "string"}
    if issubclass(general, Iterable):
        arguments = [arg for arg in get_args(kind) if arg is not ...]
        items = _of(arguments[0]) if len(arguments) == 1 else {}
        return {"type": "array", "items": items} if items else {"type": "array"}
    return None
