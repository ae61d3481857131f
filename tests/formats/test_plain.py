"""Bytes, text, JSON, JSON Lines, YAML and pickles."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.errors import NotSupported
from storage._formats import jsontext, yamls
from storage._formats.plain import PickleFormat
from storage._formats.same import difference
from tests.formats.forms import again, damaged, handler, read, refused, survives, written

few = settings(max_examples=25)
# Integers on both sides of what the fast packages can hold.
leaves = (
    st.none()
    | st.booleans()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
) | st.integers(-(2**70), 2**70)
jsons = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@pytest.fixture(params=["msgspec", "orjson", "json"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """JSON by each package in turn, as if those before it were not installed."""
    order = ["msgspec", "orjson", "json"]
    if request.param != "json":
        pytest.importorskip(request.param)
    for name in order[: order.index(request.param)]:
        monkeypatch.setitem(__import__("sys").modules, name, None)
        monkeypatch.setitem(__import__("sys").modules, f"{name}.json", None)
    jsontext._fast.cache_clear()
    yield request.param
    jsontext._fast.cache_clear()


@few
@given(st.binary(), st.text())
def test_bytes_and_text(data: bytes, text: str) -> None:
    assert again(data, ".bin") == data
    assert again(bytearray(data), ".dat", bytearray) == data
    assert again(text, ".md") == text
    lines = list(handler(".txt").pieces(BytesIO(text.encode()), ".txt"))
    assert "".join(lines) == text
    out = BytesIO()
    handler(".txt").dump_pieces(lines, out, ".txt")
    assert out.getvalue() == text.encode()


def test_pieces_of_bytes() -> None:
    data = bytes(range(256)) * 5000
    pieces = list(handler(".bin").pieces(BytesIO(data), ".bin"))
    assert max(map(len, pieces)) <= 1024 * 1024
    out = BytesIO()
    handler(".bin").dump_pieces(pieces, out, ".bin")
    assert out.getvalue() == data


def test_forms_without_pieces_have_one() -> None:
    assert list(handler(".json").pieces(BytesIO(b"[1, 2]"), ".json")) == [[1, 2]]
    with pytest.raises(NotSupported, match="piece by piece"):
        handler(".json").dump_pieces([1], BytesIO(), ".json")


def test_long_lines_come_in_parts() -> None:
    text = "ü" * 1_500_001
    parts = list(handler(".txt").pieces(BytesIO(text.encode()), ".txt"))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 1024 * 1024


def test_what_is_no_text() -> None:
    refused("\ud800", ".txt", "surrogate")
    refused(b"bytes", ".txt", "str")
    refused("text", ".bin", "bytes")
    for bad in (b"\xff", b"ok\n\xc3"):
        with pytest.raises(ValueError, match="UTF-8"):
            read(bad, ".txt")
        with pytest.raises(ValueError, match="UTF-8"):
            list(handler(".txt").pieces(BytesIO(bad), ".txt"))
    with pytest.raises(TypeError, match="not read as int"):
        read(b"1", ".txt", int)


@pytest.mark.usefixtures("engine")
def test_json() -> None:
    @few
    @given(jsons)
    def holds(value: Any) -> None:
        assert difference(value, again(value, ".json")) == ""

    holds()
    assert again(-0.0, ".json").hex() == "-0x0.0p+0"
    assert isinstance(again([True, 1, 1.0], ".json")[2], float)


@pytest.mark.usefixtures("engine")
def test_json_is_read_alike_by_all_packages() -> None:
    expected = {
        b"18446744073709551616": 2**64,
        b"-9223372036854775809": -(2**63) - 1,
        b"1e400": math.inf,
        b"\xef\xbb\xbf[1]": [1],
        b'{"a":1,"a":2}': {"a": 2},
        b'"\\ud800"': "\ud800",
        b"0.12345678901234567890123": 0.12345678901234568,
    }
    assert {data: read(data, ".json") for data in expected} == expected
    deep = b"[" * 100_000
    bad = [b"", b" ", b"NaN", b"[Infinity]", b"01", b"[1,]", b"\xff", b'"\x00"', b"9" * 5000, deep]
    for data in bad:
        with pytest.raises(ValueError, match="no JSON"):
            read(data, ".json")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((1, 2), "the value is of the type tuple and would be list"),
        ({"a": [0, {"b": (1,)}]}, r"\['a'\]\[1\]\['b'\] is of the type tuple"),
        ({1: "int"}, "the key 1"),
        ({None: 1}, "the key None"),
        ([math.nan], "JSON"),
        (math.inf, "JSON"),
        ({"day": date(2026, 1, 1)}, "JSON"),
        ("\ud800", "surrogates"),
        ([b"bytes"], "JSON"),
        ([{1}], "JSON"),
    ],
)
def test_what_json_would_change(value: Any, why: str) -> None:
    refused(value, ".json", f"{why}.*; convert it")
    refused([value], ".jsonl", "convert it")


def circle() -> list[Any]:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def nested(depth: int) -> list[Any]:
    """A list in a list, and so on."""
    return [] if depth == 1 else [nested(depth - 1)]


@pytest.mark.usefixtures("engine")
def test_circles_and_depths() -> None:
    refused(circle(), ".json", "JSON")
    # orjson goes down to 254.
    assert again(nested(300), ".json") == nested(300)


def test_the_type_of_json() -> None:
    assert read(b"[1]", ".json", list) == [1]
    with pytest.raises(TypeError, match="not read as dict"):
        read(b"[1]", ".json", dict)


@few
@given(st.lists(jsons, max_size=5))
def test_json_lines(values: list[Any]) -> None:
    data = written(values, ".jsonl")
    assert difference(values, read(data, ".jsonl")) == ""
    assert data.count(b"\n") == len(values)
    out = BytesIO()
    handler(".jsonl").dump_pieces(iter(values), out, ".jsonl")
    assert out.getvalue() == data


def test_json_lines_are_read_one_by_one() -> None:
    pieces = handler(".jsonl").pieces(BytesIO(b"\xef\xbb\xbf1\n\n  \n[2]\nbad\n"), ".jsonl")
    assert [next(pieces), next(pieces)] == [1, [2]]
    with pytest.raises(ValueError, match="no JSON"):
        next(pieces)
    refused({"a": 1}, ".jsonl", "hold a list")


class TestYaml:
    pytestmark = pytest.mark.usefixtures("_yaml")

    @pytest.fixture
    def _yaml(self) -> None:
        pytest.importorskip("yaml")

    def test_round_trips(self) -> None:
        @few
        @given(jsons)
        def holds(value: Any) -> None:
            try:
                data = written(value, ".yaml")
            except TypeError:
                # YAML has no words for some characters.
                assert not str(value).isprintable() or not str(value).isascii()
                return
            assert difference(value, read(data, ".yaml")) == ""

        holds()
        shared = [1, 2]
        for value in (
            {1: "int", None: 2.5, date(2026, 1, 1): datetime(2026, 1, 1, tzinfo=UTC)},
            {"a": shared, "b": shared, "c": b"bytes", "d": {"set"}},
            [math.inf, 1e16, "1e16", "no", "null", "2026-01-01", "1:30", "=", "<<"],
        ):
            assert again(value, ".yml") == value
        assert math.isnan(again(math.nan, ".yaml"))

    def test_refusals(self) -> None:
        refused({"a": (1,)}, ".yaml", "type tuple and would be list")
        refused([object()], ".yaml", "YAML")
        refused(circle(), ".yaml", "YAML")
        refused(nested(101), ".yaml", "nested more than 100 deep")
        assert again(nested(yamls.DEPTH - 1), ".yaml") == nested(yamls.DEPTH - 1)

    def test_hostile(self) -> None:
        assert read(b"a: &a [x]\nb: [*a, *a]", ".yaml") == {"a": ["x"], "b": [["x"], ["x"]]}
        levels = "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
        merges = "".join(f"- &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
        for bad in (
            b"- &a0 [x, x, x]\n" + levels.encode(),
            b"- &a0 {k: x}\n" + merges.encode(),
            b"&a [*a]",
            b"&a {b: &b [*a]}",
            b"[" * 50_000,
            b"a: " * 200 + b"1",
            b"!!python/object/apply:os.system ['true']",
            b"!!python/name:os.system",
            b"!!timestamp x",
            b"!!bool x",
            b"a: 1\n--- \nb: 2",
            b"{[1]: 2}",
            b"*a",
        ):
            with pytest.raises(ValueError, match="no YAML"):
                read(bad, ".yaml")

    def test_damage(self) -> None:
        data = written({"a": [1, {"b": "text"}], "c": b"bytes"}, ".yaml")
        survives(data, ".yaml")

    def test_the_limit_grows_with_the_document(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(yamls, "EXPANDED", 10)
        assert read(b"[a, a, a, a, a, a, a, a, a, a, a]", ".yaml") == ["a"] * 11


class Harmful:
    """Its pickle would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("this ran",)


def test_pickles_are_not_read_unasked() -> None:
    with pytest.raises(ValueError, match="allow_pickle=True"):
        read(pickle.dumps(Harmful()), ".pkl")
    refused({1}, ".pickle", "allow_pickle=True")


@few
@given(jsons | st.tuples(jsons, st.binary()) | st.sets(st.integers()) | st.datetimes())
def test_any_pickle(value: Any) -> None:
    form, out = PickleFormat(allow_pickle=True), BytesIO()
    form.dump(value, out, ".pkl")
    assert form.load(BytesIO(out.getvalue()), ".pkl") == value


def test_pickles_where_they_are_allowed() -> None:
    form, out = PickleFormat(allow_pickle=True), BytesIO()
    value = {(1, 2): {3}, "when": date(2026, 1, 1), "nan": [math.inf]}
    form.dump(value, out, ".pkl")
    assert form.load(BytesIO(out.getvalue()), ".pkl") == value
    with pytest.raises(TypeError, match="cannot be pickled"):
        form.dump(lambda: None, BytesIO(), ".pkl")
    with pytest.raises(TypeError, match="is a dict"):
        form.load(BytesIO(out.getvalue()), ".pkl", list)
    for bad in (b"", b"garbage", out.getvalue()[:-5]):
        with pytest.raises(ValueError, match="no pickle"):
            form.load(BytesIO(bad), ".pkl")


def test_damage() -> None:
    survives(written({"a": [1, "text", None]}, ".json"), ".json")
    survives(written([{"a": 1}, {"b": [None]}], ".jsonl"), ".jsonl")
    assert list(damaged(b"abc", 2))  # the damage is real
