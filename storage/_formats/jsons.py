"""JSON, JSON Lines, and records of typed fields as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from . import records
from .base import Format
from .jsontext import BOM, decoded, encoded
from .packages import refuse_type

PLAIN = (dict, list, str, int, float, type(None))


class JsonFormat(Format):
    """Values of JSON, and records of typed fields, which `as_` gives back as their type."""

    extensions = (".json",)
    priority = 8

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, PLAIN) or records.kind_of(type(data)) is not None

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        out.write(_line(value))

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        return _as(source.read(), as_)


class JsonLinesFormat(Format):
    """A list as one JSON text a line; its pieces are its items, and `as_` is their type."""

    extensions = (".jsonl", ".ndjson")
    priority = 6

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, list)

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not isinstance(value, list):
            raise TypeError(f"JSON Lines hold a list, not {type(value).__name__}; write .json")
        out.write(b"".join(chain.from_iterable((_line(item), b"\n") for item in value)))

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> list[Any]:
        item = None if as_ is list else as_
        return list(self.pieces(source, extension, item))

    def pieces(
        self, source: BinaryIO, extension: str, as_: type[Any] | None = None
    ) -> Iterator[Any]:
        for number, line in enumerate(source):
            text = line if number else line.removeprefix(BOM)
            if text.strip():
                yield _as(text, as_)

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        out.writelines(_line(value) + b"\n" for value in values)


class RecordFormat(Format):
    """Records of one sort, under an extension of their own.

    Args:
        sort: Which records, as `records.kind_of` tells.
        priority: The handler's priority.
    """

    def __init__(self, sort: str, priority: int) -> None:
        self.sort = sort
        self.extensions = (f".{sort}.json",)
        self.priority = priority

    def can_handle_data(self, data: Any) -> bool:
        return records.kind_of(type(data)) == self.sort

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"{extension} takes no {type(value).__name__}; write it as .json")
        out.write(records.encoded(value))

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        return _as(source.read(), as_)


def _line(value: Any) -> bytes:
    if records.kind_of(type(value)) is not None:
        return records.encoded(value)
    return encoded(value)


def _as(data: bytes, as_: Any) -> Any:
    if as_ is None:
        return decoded(data)
    if as_ not in PLAIN and as_ is not bool:
        return records.decoded(data.removeprefix(BOM), as_)
    value = decoded(data)
    if type(value) is not as_:
        raise refuse_type(as_, "this JSON", type(value).__name__)
    return value
