"""Configuration as values that know where they stand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import ConfigError, MissingExtra

MOST_BYTES = 1024 * 1024
MOST_VALUES = 20_000
"""Values that a document may have when all its aliases are written out."""


@dataclass(frozen=True)
class Place:
    """Where a value stands."""

    source: str
    line: int | None = None
    path: str = ""

    def below(self, name: object, line: int | None) -> Place:
        """The place of a part."""
        return Place(self.source, line, f"{self.path}.{name}" if self.path else str(name))

    def error(self, message: str) -> ConfigError:
        """What is wrong here."""
        line = "" if self.line is None else f":{self.line}"
        path = f" {self.path}:" if self.path else ""
        return ConfigError(f"{self.source}{line}:{path} {message}")


@dataclass(frozen=True)
class Value:
    """A mapping, a list or a scalar, with its place; what is in it knows its own."""

    data: Any
    place: Place

    def mapping(self, what: str) -> dict[str, Value]:
        """The parts by their names.

        Raises:
            ConfigError: It is no mapping.
        """
        if not isinstance(self.data, dict):
            raise self.place.error(f"{what} is a mapping, not {_kind(self.data)}")
        for name in self.data:
            if not isinstance(name, str):
                raise self.place.error(f"a name here is a text, not {name!r}")
        return self.data


def _kind(data: Any) -> str:
    if data is None:
        return "nothing"
    for kind, name in ((dict, "a mapping"), (list, "a list"), (str, "a text")):
        if isinstance(data, kind):
            return name
    return repr(data)


def load(source: str | os.PathLike[str] | Mapping[str, Any]) -> Value:
    """A document: of a file, of YAML's text (which has line breaks or braces), or of a mapping.

    Raises:
        ConfigError: It cannot be read, or is no such document.
        MissingExtra: PyYAML is not installed.
    """
    if isinstance(source, Mapping):
        return _of_mapping(source, Place("the configuration"), 0)
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return _Reader("the configuration").read(source)
    name = os.fspath(source)
    try:
        with open(name, "rb") as file:
            text = file.read(MOST_BYTES + 1)
        return _Reader(name).read(text.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: it is not UTF-8") from error


def _of_mapping(data: Any, place: Place, depth: int) -> Value:
    if depth > 100:
        raise place.error("it is nested too deep")
    if isinstance(data, Mapping):
        return Value(
            {k: _of_mapping(v, place.below(k, None), depth + 1) for k, v in data.items()}, place
        )
    if isinstance(data, list | tuple):
        parts = [
            _of_mapping(v, place.below(index, None), depth + 1) for index, v in enumerate(data)
        ]
        return Value(parts, place)
    return Value(data, place)


class _Reader:
    """Reads YAML by its nodes, which know their lines; builds nothing but plain values.

    Args:
        source: What errors call the document.
    """

    def __init__(self, source: str) -> None:
        try:
            import yaml
        except ImportError as error:
            raise MissingExtra.named("PyYAML", "yaml") from error
        self._yaml = yaml
        self._source = source
        self._count = 0

    def read(self, text: str) -> Value:
        """The one document in a text."""
        if len(text) > MOST_BYTES:
            raise ConfigError(f"{self._source}: it is larger than {MOST_BYTES} bytes")
        try:
            loader = self._yaml.SafeLoader(text)
            try:
                node = loader.get_single_node()
                if node is None:
                    raise ConfigError(f"{self._source}: it is empty")
                return self._value(loader, node, Place(self._source, _line(node)), ())
            finally:
                loader.dispose()
        except self._yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else mark.line + 1
            raise Place(self._source, line).error(f"no YAML: {error.problem}") from None
        except self._yaml.YAMLError:
            raise ConfigError(f"{self._source}: no YAML: it has characters that are none") from None
        except RecursionError:
            raise ConfigError(f"{self._source}: it is nested too deep") from None

    def _value(self, loader: Any, node: Any, place: Place, above: tuple[Any, ...]) -> Value:
        self._count += 1
        if self._count > MOST_VALUES:
            raise place.error(f"with its aliases it has more than {MOST_VALUES} values")
        if any(node is each for each in above):
            raise place.error("an alias is within what it stands for")
        above = (*above, node)
        if isinstance(node, self._yaml.MappingNode):
            self._plain(node, "map", place)
            return Value(self._mapping(loader, node, place, above), place)
        if isinstance(node, self._yaml.SequenceNode):
            self._plain(node, "seq", place)
            parts = [
                self._value(loader, part, place.below(index, _line(part)), above)
                for index, part in enumerate(node.value)
            ]
            return Value(parts, place)
        return Value(self._scalar(loader, node), place)

    def _mapping(
        self, loader: Any, node: Any, place: Place, above: tuple[Any, ...]
    ) -> dict[Any, Value]:
        merged: dict[Any, Value] = {}
        own: dict[Any, Value] = {}
        for name, part in node.value:
            where = place.below(name.value, _line(name))
            if not isinstance(name, self._yaml.ScalarNode):
                raise place.error("a name is a text, not a list or a mapping")
            if name.tag.endswith(":merge"):
                merged = {**self._merged(loader, part, where, above), **merged}
                continue
            key = self._scalar(loader, name)
            if key in own:
                raise where.error(f"it stands here twice; first in line {own[key].place.line}")
            own[key] = self._value(loader, part, where, above)
        return {**merged, **own}

    def _merged(
        self, loader: Any, node: Any, place: Place, above: tuple[Any, ...]
    ) -> dict[Any, Value]:
        """What ``<<`` brings in: a mapping, or several of which the first goes."""
        found = self._value(loader, node, place, above)
        parts = found.data if isinstance(found.data, list) else [found]
        merged: dict[Any, Value] = {}
        for part in reversed(parts):
            merged |= part.mapping("what is merged")
        return merged

    def _scalar(self, loader: Any, node: Any) -> Any:
        try:
            data = loader.construct_object(node)
            hash(data)
        except (ValueError, TypeError, OverflowError) as error:
            place = Place(self._source, _line(node))
            raise place.error(f"this is no value of the type {node.tag!r}") from error
        return data

    def _plain(self, node: Any, kind: str, place: Place) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            raise place.error(f"the tag {node.tag!r} is not allowed")


def _line(node: Any) -> int:
    line: int = node.start_mark.line
    return line + 1
