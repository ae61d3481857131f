"""Stores made as a document says."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any

from .._core.adapt import is_async, to_async
from .._core.arguments import Argument, Constructor, Role, constructor_of, fitted
from .._core.errors import ConfigError, MissingExtra
from .._core.urls import StoreURL
from .._registry import open_async_store, open_store
from . import classes
from .documents import Value, load
from .secrets import Secrets, is_private

PARTS = ("type", "url", "async", "config", "base")
"""What the definition of a store may have."""
_OLD_NAMES = {"s3_access_key": "aws_access_key_id", "s3_secret_key": "aws_secret_access_key"}


class StoreFactory:
    """Makes the stores that a configuration describes.

    A configuration maps ``stores`` to definitions by name, and ``main`` to the name of one of
    them. A definition has a ``type`` (the name of a class of this package or of one that
    `register_store` knows) with the arguments for it in ``config``, or a ``url`` (as for
    `open_store`; ``async: true`` makes it an async store). ``base`` says what it is made of: the
    name of another definition, a list of names, or a mapping of the class's arguments to names.
    In texts ``${NAME}`` stands for a variable of the environment, ``${NAME:-default}`` for one
    that may be missing, and ``$${`` for ``${``.

    A definition makes one store, however often it is named and built.

    Args:
        config: The path of a YAML file, YAML as text, or a mapping.

    Raises:
        ConfigError: It cannot be read or is no configuration; the message tells file, line and
            name.
        MissingExtra: PyYAML is not installed.
    """

    def __init__(self, config: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        document = load(config)
        self._source = document.place.source
        parts = document.mapping("a configuration")
        if "stores" not in parts:
            raise document.place.error("there is no 'stores'")
        self._place = document.place
        self._main = parts.get("main")
        self._definitions = {
            name: _definition(value) for name, value in parts["stores"].mapping("'stores'").items()
        }
        self._built: dict[str, Any] = {}
        self._secrets = Secrets()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r})"

    def build(self, name: str | None = None) -> Any:
        """The store of a name, or the main one.

        Raises:
            ConfigError: The definition, or one that it is made of, makes no sense; the message
                tells file, line and name.
            MissingExtra: A store needs a package that is not installed.
        """
        if name is not None:
            return self._store(name, Value(name, self._place), ())
        if self._main is None:
            raise self._place.error("there is no 'main'; build(name) makes one of the others")
        return self._store(self._text(self._main), self._main, ())

    # -- one definition ---------------------------------------------------------------------

    def _store(self, name: str, named: Value, above: tuple[str, ...]) -> Any:
        """The store of a name, which stands in ``named``."""
        if name in above:
            path = " -> ".join((*above[above.index(name) :], name))
            raise self._error(named, f"a store cannot be made of itself: {path}")
        if name not in self._definitions:
            raise self._error(
                named, f"no store is called {name!r}{_meant(name, self._definitions)}"
            )
        if name not in self._built:
            self._built[name] = self._made(self._definitions[name], (*above, name))
        return self._built[name]

    def _made(self, definition: Value, above: tuple[str, ...]) -> Any:
        parts = definition.data
        if "url" in parts:
            return self._opened(parts["url"], parts.get("async"))
        kind = self._class(parts["type"])
        constructor = constructor_of(kind)
        arguments = self._values(parts.get("config"), constructor, kind)
        if "base" in parts:
            arguments |= self._stores(parts["base"], constructor, kind, above)
        missing = [
            each.name
            for each in constructor.arguments.values()
            if each.required and each.name not in arguments
        ]
        if missing:
            where = "base" if constructor.arguments[missing[0]].role is not Role.VALUE else "config"
            raise self._error(
                definition, f"{kind.__name__} needs {', '.join(missing)} in {where!r}"
            )
        return self._call(definition, lambda: constructor.make(**arguments))

    def _call(self, value: Value, make: Any) -> Any:
        """Make something of what a file says; a failure tells the place, and no secret."""
        try:
            return make()
        except MissingExtra as error:
            error.add_note(str(self._error(value, "it is needed here")))
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            hides = self._secrets.scrubbed(text) != text
            raise self._error(value, text) from (None if hides else error)

    def _error(self, value: Value, message: str) -> ConfigError:
        """What is wrong with a value, without secrets."""
        return value.place.error(self._secrets.scrubbed(message))

    def _opened(self, value: Value, asynchronous: Value | None) -> Any:
        text = self._text(value)
        if asynchronous is not None and not isinstance(asynchronous.data, bool):
            raise self._error(asynchronous, "'async' is true or false")
        opener = open_async_store if asynchronous is not None and asynchronous.data else open_store
        if "://" in text:
            url = self._call(value, lambda: StoreURL.parse(text))
            for name, option in url.options.items():
                if is_private(name):
                    self._secrets.hide(option)
            if url.password is not None:
                self._secrets.hide(url.password.reveal())
        return self._call(value, lambda: opener(text))

    def _class(self, value: Value) -> type[Any]:
        name = self._text(value)
        known = classes.known_classes()
        if name not in known:
            raise self._error(
                value,
                f"no store class is called {name!r}{_meant(name, known)}; one of your own needs "
                "@register_store",
            )
        return known[name]

    def _text(self, value: Value) -> str:
        if not isinstance(value.data, str):
            raise self._error(value, "this is a text")
        text: str = self._secrets.plain(value)
        return text

    # -- its arguments ----------------------------------------------------------------------

    def _values(
        self, config: Value | None, constructor: Constructor, kind: type[Any]
    ) -> dict[str, Any]:
        if config is None or config.data is None:
            return {}
        found = {}
        for name, value in config.mapping("'config'").items():
            name = _OLD_NAMES.get(name, name) if constructor.make is not kind else name
            argument = constructor.arguments.get(name)
            if argument is None and not constructor.takes_more:
                raise self._error(
                    value,
                    f"{kind.__name__} has no argument {name!r}"
                    f"{_meant(name, constructor.arguments) or _known(constructor)}",
                )
            found[name] = self._value(value, argument)
        return found

    def _value(self, value: Value, argument: Argument | None) -> Any:
        plain = self._secrets.plain(value)
        if argument is None:
            return plain
        if argument.role is not Role.VALUE:
            raise self._error(value, "a store is named in 'base', not in 'config'")
        try:
            return fitted(plain, argument.hint)
        except ValueError as error:
            private = is_private(value.place.path) or isinstance(value.data, dict | list)
            shown = "" if private else f", not {value.data!r}"
            raise self._error(value, f"{error}{shown}") from None

    def _stores(
        self, base: Value, constructor: Constructor, kind: type[Any], above: tuple[str, ...]
    ) -> dict[str, Any]:
        """The stores that one is made of, by argument."""
        if isinstance(base.data, dict):
            found = {}
            for name, value in base.mapping("'base'").items():
                argument = constructor.arguments.get(name)
                if argument is None or argument.role is Role.VALUE:
                    raise self._error(value, f"{kind.__name__} takes no store as {name!r}")
                found[name] = self._children(value, argument.role, kind, above)
            return found
        many = isinstance(base.data, list)
        roles = (Role.STORES, Role.ROUTES) if many else (Role.STORE,)
        argument = constructor.one(*roles)
        if argument is None:
            what = "a list of stores" if many else "one store"
            raise self._error(base, f"{kind.__name__} is not made of {what}")
        return {argument.name: self._children(base, argument.role, kind, above)}

    def _children(self, value: Value, role: Role, kind: type[Any], above: tuple[str, ...]) -> Any:
        if role is Role.STORE:
            return self._child(value, kind, above)
        if not isinstance(value.data, list):
            raise self._error(value, "this is a list")
        if role is Role.STORES:
            return [self._child(each, kind, above) for each in value.data]
        return [self._route(each, kind, above) for each in value.data]

    def _route(self, value: Value, kind: type[Any], above: tuple[str, ...]) -> tuple[Any, ...]:
        row = value.data
        if not (isinstance(row, list) and len(row) in (2, 3)):
            raise self._error(
                value, "a route is a list of a prefix, a store's name, and true or not"
            )
        store = self._child(row[1], kind, above)
        if not all(isinstance(flag.data, bool) for flag in row[2:]):
            raise self._error(row[2], "this is true or false")
        return (self._text(row[0]), store, *(flag.data for flag in row[2:]))

    def _child(self, value: Value, kind: type[Any], above: tuple[str, ...]) -> Any:
        """A store for another one, of the other one's side."""
        name = self._text(value)
        store = self._store(name, value, above)
        if not classes.is_async(kind):
            if is_async(store):
                raise self._error(
                    value, f"{name!r} is async, and {kind.__name__} takes blocking ones"
                )
            return store
        return store if is_async(store) else to_async(store)


def _definition(value: Value) -> Value:
    """One entry of ``stores``, looked at before any is made."""
    parts = value.mapping("a store")
    for name, part in parts.items():
        if name not in PARTS:
            raise part.place.error(f"a store has no {name!r}; it has {', '.join(PARTS)}")
    if ("type" in parts) is ("url" in parts):
        raise value.place.error("a store has a 'type' or a 'url', and not both")
    for name in ("config", "base") if "url" in parts else ("async",):
        if name in parts:
            raise parts[name].place.error(
                f"a store with {'url' if name != 'async' else 'type'!r} has no {name!r}"
            )
    return value


def _meant(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _known(constructor: Constructor) -> str:
    names = [each.name for each in constructor.arguments.values() if each.role is Role.VALUE]
    return f"; it has {', '.join(names) or 'none'}"
