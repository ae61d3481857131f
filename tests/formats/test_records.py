"""Models of Pydantic, dataclasses, attrs classes and structs of msgspec."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.errors import MissingExtra
from storage._formats.table import HANDLERS
from tests.formats.forms import again, read, refused, survives, written

SEVEN = UUID(int=7)
NOW = datetime(2026, 1, 1, 12, 30, 0, 5, UTC)


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float = 0.5
    path: tuple[int, ...] = ()


@dataclass
class Everything:
    """What plain JSON has no words for."""

    where: Point
    when: datetime = NOW
    colour: Colour = Colour.RED
    id: UUID = SEVEN
    data: bytes = b"\xff\x00"
    tags: set[str] = field(default_factory=lambda: {"a"})
    points: dict[str, list[Point]] = field(default_factory=dict)


VALUE = Everything(Point(1, 2.5, (1, 2)), points={"a": [Point(2)]})


def check(value: Any, extension: str) -> None:
    """It comes back as its type where that is said, and as plain values where not."""
    found = HANDLERS.for_value(value)
    assert found is not None
    assert found.extensions == (extension,)
    for one in (extension, ".json"):
        assert again(value, one, type(value)) == value
        assert isinstance(again(value, one), dict)
    assert again([value, value][:1], ".jsonl", type(value)) == [value]
    survives(written(value, extension), extension, type(value))
    with pytest.raises(ValueError, match=type(value).__name__):
        read(b'{"other": 1}', extension, type(value))


def test_dataclasses() -> None:
    pytest.importorskip("msgspec")
    check(VALUE, ".dataclass.json")
    refused(Point("no int"), ".dataclass.json", "Expected `int`")  # type: ignore[arg-type]
    refused(Point(1, math.nan), ".json", "Point")
    refused(Point, ".dataclass.json", "takes no type")
    assert read(b"[1, [2]]", ".json", tuple[int, list[int]]) == (1, [2])
    with pytest.raises(TypeError, match="not read as"):
        read(b"{}", ".json", {1: 2})


def test_any_dataclass() -> None:
    pytest.importorskip("msgspec")
    finite = st.floats(allow_nan=False, allow_infinity=False)
    wide = st.integers(-(2**63), 2**63 - 1)
    points = st.builds(Point, wide, finite, st.lists(wide, max_size=2).map(tuple))

    @settings(max_examples=20)
    @given(
        st.builds(
            Everything,
            where=points,
            when=st.datetimes(timezones=st.just(UTC)),
            data=st.binary(),
            tags=st.sets(st.text()),
            points=st.dictionaries(st.text(), st.lists(points, max_size=2), max_size=2),
        )
    )
    def holds(value: Everything) -> None:
        assert again(value, ".dataclass.json", Everything) == value

    holds()


def test_structs() -> None:
    msgspec = pytest.importorskip("msgspec")
    struct = msgspec.defstruct("Struct", [("a", int), ("when", datetime), ("where", Point)])
    check(struct(1, NOW, Point(1)), ".struct.json")


def test_attrs() -> None:
    pytest.importorskip("msgspec")
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", {"a": attrs.field(type=int), "where": attrs.field(type=Point)})
    check(made(1, Point(1)), ".attrs.json")


def test_pydantic() -> None:
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", when=(datetime, NOW), tags=(set[str], {"b"}))
    alias = pydantic.Field(alias="theName")
    model = pydantic.create_model("Model", name=(str, alias), inner=(inner, inner()))
    check(model(theName="a"), ".pydantic.json")
    number = pydantic.create_model("Number", x=(float, 0.0))
    refused(number(x=math.nan), ".pydantic.json", "Number")
    # Text that is in no field would be lost.
    hidden = pydantic.create_model("Hidden", x=(str, pydantic.Field(exclude=True)))
    refused(hidden(x="lost"), ".pydantic.json", "Hidden")


def test_records_in_lists_have_json_lines() -> None:
    pytest.importorskip("msgspec")
    points = [Point(1), Point(2)]
    assert again(points, ".jsonl", Point) == points
    refused(points, ".json", "convert it")


def test_without_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.setitem(sys.modules, "msgspec.json", None)
    with pytest.raises(MissingExtra, match=r"'storage\[msgspec\]'"):
        written(Point(1), ".dataclass.json")
    with pytest.raises(MissingExtra, match=r"'storage\[msgspec\]'"):
        read(b'{"x": 1}', ".dataclass.json", Point)
    assert read(b'{"x": 1}', ".dataclass.json") == {"x": 1}
