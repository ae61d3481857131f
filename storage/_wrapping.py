"""Wrappers in URLs: which there are, and what a URL says of them.

A URL names wrappers before its scheme, outermost first, or in the option ``wrap``; both mean the
same. Their arguments are options that begin with the wrapper's name::

    gzip+prefix+s3://bucket/data?prefix.prefix=tenant/
    s3://bucket/data?wrap=gzip,prefix&prefix.prefix=tenant/

Where a wrapper is there several times, the second one from the outside is ``prefix.2``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ._core.arguments import Argument, Constructor, Role, constructor_of, fitted
from ._core.errors import ConfigError
from ._core.urls import StoreURL

WRAP = "wrap"


@dataclass(frozen=True)
class Layer:
    """One wrapper, and the texts of its arguments."""

    name: str
    label: str
    """What its options begin with."""
    texts: dict[str, str]

    def around(self, store: Any, facade: str, opener: Callable[[str], Any]) -> Any:
        """The wrapper around a store.

        Args:
            store: What it wraps.
            facade: The module of its class.
            opener: Makes a store of a URL, for arguments that are stores.

        Raises:
            ConfigError: An argument is unknown or missing, or its text makes no sense.
        """
        constructor = constructor_of(wrappers(facade)[self.name])
        inner = constructor.one(Role.STORE)
        assert inner is not None
        found = {inner.name: store}
        for name, text in self.texts.items():
            argument = constructor.arguments.get(name)
            if argument is None or argument is inner:
                raise ConfigError(
                    f"{self.label!r} has no argument {name!r}; it has {self._known(constructor)}"
                )
            found[name] = self._value(argument, text, opener)
        for argument in constructor.arguments.values():
            if argument.required and argument.name not in found:
                raise ConfigError(
                    f"{self.label!r} in a URL needs the option {self.label}.{argument.name}"
                )
        return constructor.make(**found)

    def _value(self, argument: Argument, text: str, opener: Callable[[str], Any]) -> Any:
        if argument.role is Role.STORE:
            return opener(text)
        try:
            return fitted(text, argument.hint)
        except ValueError as error:
            # The text may be a secret; whoever wrote the URL has it before him.
            raise ConfigError(f"option '{self.label}.{argument.name}': {error}") from None

    def _known(self, constructor: Constructor) -> str:
        return ", ".join(list(constructor.arguments)[1:]) or "none"


def wrappers(facade: str) -> dict[str, type[Any]]:
    """The wrappers that a module exports, by their names in URLs: ``hash-prefix`` for the class
    ``HashPrefixStore``.
    """
    module = import_module(f"storage.{facade}")
    found = {}
    for name in module.__all__:
        kind = getattr(module, name)
        if isinstance(kind, type) and name.endswith("Store") and _wraps(kind):
            short = name.removeprefix("Async").removesuffix("Store")
            found[re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", short).lower()] = kind
    return found


def _wraps(kind: type[Any]) -> bool:
    arguments = list(constructor_of(kind).arguments.values())
    return bool(arguments) and arguments[0].role is Role.STORE


def take_layers(url: StoreURL, schemes: Callable[[], Collection[str]]) -> list[Layer]:
    """Take the wrappers out of a URL, outermost first; the store's own scheme and options stay.

    Args:
        url: The URL.
        schemes: Gives the schemes of other packages, which may have a ``+`` in them.

    Raises:
        ConfigError: There is no such wrapper, or it is said twice.
    """
    known = wrappers("aioutils")
    names = _names_in_scheme(url, known, schemes)
    listed = url.options.pop(WRAP, None)
    if listed is not None:
        if names:
            raise ConfigError("wrappers stand before the scheme or in 'wrap', not in both")
        names = listed.split(",") if listed else []
    for name in names:
        if name not in known:
            raise ConfigError(f"no wrapper is called {name!r}; known: {', '.join(sorted(known))}")
    layers, seen = [], Counter[str]()
    for name in names:
        seen[name] += 1
        label = name if seen[name] == 1 else f"{name}.{seen[name]}"
        layers.append(Layer(name, label, _take_texts(url, label)))
    return layers


def _names_in_scheme(
    url: StoreURL, known: Collection[str], schemes: Callable[[], Collection[str]]
) -> list[str]:
    *names, scheme = url.scheme.split("+")
    if not set(names) <= set(known):
        others = schemes()
        for index in range(len(names)):
            if "+".join([*names[index:], scheme]) in others:
                scheme = "+".join([*names[index:], scheme])
                names = names[:index]
                break
    url.scheme = scheme
    return names


def _take_texts(url: StoreURL, label: str) -> dict[str, str]:
    """The options of one wrapper."""
    start = f"{label}."
    own = [name for name in url.options if re.fullmatch(re.escape(start) + r"[^.\d][^.]*", name)]
    return {name.removeprefix(start): url.options.pop(name) for name in own}
