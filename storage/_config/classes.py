"""The store classes that a file can name: all of this package's, and those of users."""

from __future__ import annotations

import functools
import inspect
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar

from .._core.adapt import VERBS
from .._core.arguments import is_store
from .._core.errors import ConfigError, MissingExtra

K = TypeVar("K", bound=type[Any])

_APART = {"cli", "config_builder", "testing"}
_registered: dict[str, type[Any]] = {}


@functools.cache
def store_classes() -> Mapping[str, type[Any]]:
    """Every store class that a public module exports, by its name there."""
    found: dict[str, type[Any]] = {}
    package = import_module("storage")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("_") or module.name in _APART:
            continue
        try:
            facade = import_module(f"storage.{module.name}")
        except MissingExtra:
            continue
        for name in facade.__all__:
            kind = getattr(facade, name)
            if is_store(kind) and not _is_general(kind):
                found[name] = kind
    return found


def _is_general(kind: type[Any]) -> bool:
    """Whether this is a base class or a protocol, that no store is only one of."""
    return (
        inspect.isabstract(getattr(kind, "_async_type", kind))
        or getattr(kind, "_is_protocol", False)
        or kind.__dict__.get("_async_type", kind) is None
    )


def register_store(kind: K) -> K:
    """Make a class of your own known to `StoreFactory`, by its name; a decorator.

    Raises:
        TypeError: It is no class with the five verbs of a store.
        ConfigError: Another class of this name is registered.
    """
    if not isinstance(kind, type):
        raise TypeError(f"only a class can be registered, not {kind!r}")
    missing = [verb for verb in VERBS if not callable(getattr(kind, verb, None))]
    if missing:
        raise TypeError(f"{kind.__name__} is no store: it has no {', '.join(missing)}")
    known = _registered.get(kind.__name__, kind)
    # A module that is loaded again defines its classes anew.
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ConfigError(f"another store class {kind.__name__} is registered: {known!r}")
    _registered[kind.__name__] = kind
    return kind


def known_classes() -> Mapping[str, type[Any]]:
    """All classes that a file can name.

    Raises:
        ConfigError: A class of a user has the name of one of this package.
    """
    twice = sorted(_registered.keys() & store_classes().keys())
    if twice:
        raise ConfigError(f"classes of this package have these names: {', '.join(twice)}")
    return {**store_classes(), **_registered}


def is_async(kind: type[Any]) -> bool:
    """Whether a class makes async stores."""
    return inspect.iscoroutinefunction(kind.get)
