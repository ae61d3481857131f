"""Frames of Polars, pandas and Arrow. The packages are imported by tests: that takes a while."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.codecs.coding import DecompressionLimit, Limits
from storage._core.errors import MissingExtra
from storage._formats.frames import of_arrow, rows
from storage._formats.frames.rows import blocks
from storage._formats.table import HANDLERS
from tests.formats.forms import again, handler, read, refused, survives, written

few = settings(max_examples=15)
NOON = datetime(2026, 1, 1, 12, 0, 0, 4)  # noqa: DTZ001
dates = st.dates(date(1, 1, 1)) | st.none()
# Of each sort that CSV can tell from others, with a value in front that shows which it is.
COLUMNS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "whole": (1, st.integers(-(2**63), 2**63 - 1) | st.none()),
    "real": (0.5, st.floats(width=64) | st.none()),
    "yes": (True, st.booleans() | st.none()),
    "text": ("x", st.text(st.characters(codec="utf-8"), max_size=5) | st.none()),
    "day": (date(2026, 1, 1), dates),
    "time": (NOON, st.datetimes(NOON.replace(year=1800), NOON.replace(year=2200)) | st.none()),
}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list[Any]]:
    """The columns of a frame, of equal lengths."""
    names = draw(st.sets(st.sampled_from(sorted(COLUMNS)), min_size=1))
    length = draw(st.integers(0, 3))
    return {
        name: [COLUMNS[name][0], *(draw(COLUMNS[name][1]) for _ in range(length))] for name in names
    }


@pytest.fixture(scope="module")
def polars() -> Any:
    return pytest.importorskip("polars")


@pytest.fixture(scope="module")
def arrow() -> Any:
    return pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def pandas() -> Any:
    pytest.importorskip("pyarrow")
    return pytest.importorskip("pandas")


def test_polars(polars: Any) -> None:
    @few
    @given(columns())
    def holds(values: dict[str, list[Any]]) -> None:
        frame = polars.DataFrame(values)
        back = again(frame, ".parquet")
        assert isinstance(back, polars.LazyFrame)
        assert back.collect().equals(frame)
        back = again(frame.lazy(), ".parquet", polars.DataFrame)
        assert back.equals(frame)
        assert back.schema == frame.schema
        back = again(frame, ".csv", polars.DataFrame)
        assert back.equals(frame)
        assert back.schema == frame.schema

    holds()


def test_polars_of_any_types(polars: Any) -> None:
    nested = polars.DataFrame(
        {
            "list": [[1], [], None],
            "struct": [{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None],
            "category": polars.Series(["a", None, "b"], dtype=polars.Categorical),
            "enum": polars.Series(["u", "v", None], dtype=polars.Enum(["u", "v"])),
            "duration": [timedelta(1), None, timedelta(microseconds=1)],
            "bytes": [b"\xff", None, b""],
            "small": polars.Series([1, None, 3], dtype=polars.UInt8),
            "single": polars.Series([0.1, None, 3], dtype=polars.Float32),
            "nothing": [None, None, None],
        }
    )
    back = again(nested, ".parquet", polars.DataFrame)
    assert back.schema == nested.schema
    assert back.equals(nested)
    assert again(nested.clear(), ".parquet", polars.DataFrame).schema == nested.schema
    refused(nested, ".csv", r"write \.parquet")
    # CSV does not tell how wide numbers are.
    narrow = nested.select("small", "single")
    assert again(narrow, ".csv", polars.DataFrame).cast(dict(narrow.schema)).equals(narrow)
    out = BytesIO()
    handler(".parquet").dump_pieces([nested.select("list", "struct")] * 2, out, ".parquet")
    assert len(read(out.getvalue(), ".parquet", polars.DataFrame)) == 6
    refused(polars.DataFrame({"a": [object()]}), ".parquet", "Parquet would not")
    nameless = polars.DataFrame({"": [1]})
    refused(nameless, ".parquet", "columns would be")
    with pytest.raises(TypeError, match="no name"):
        handler(".parquet").dump_pieces([nameless], BytesIO(), ".parquet")


def test_what_csv_would_change(polars: Any, pandas: Any, arrow: Any) -> None:
    for values, why in (
        ({"zip": ["01234"]}, "'zip' is .* and would be"),
        ({"a": ["true", "false"]}, "'a'"),
        ({"day": ["2026-01-01"]}, "'day'"),
        ({"a": [None, None]}, "'a'"),
        ({"a": [b"bytes"]}, "CSV"),
        ({"a": [[1]]}, "CSV"),
    ):
        refused(polars.DataFrame(values), ".csv", why)
        if "day" not in values:  # to pandas, that is text
            refused(pandas.DataFrame(values), ".csv", why)
        if values != {"a": [None, None]}:  # Arrow has a type of nothing
            refused(arrow.table(values), ".csv", why)
    refused(polars.DataFrame(), ".csv", "CSV")
    other: Any
    for other in ({}, b"bytes"):
        with pytest.raises(TypeError, match="no frame"):
            handler(".csv").dump(other, BytesIO(), ".csv")


def test_pandas(pandas: Any) -> None:
    equal = pandas.testing.assert_frame_equal

    @few
    @given(columns())
    def holds(values: dict[str, list[Any]]) -> None:
        frame = pandas.DataFrame(values)
        equal(again(frame, ".parquet", pandas.DataFrame), frame)
        plain = frame[[name for name in values if name not in {"day", "time", "yes", "text"}]]
        if len(plain.columns):
            equal(again(plain, ".csv", pandas.DataFrame), plain)

    holds()
    frame = pandas.DataFrame(
        {
            "category": pandas.Categorical(["a", "b"]),
            "time": pandas.to_datetime(["2026-01-01", None]).tz_localize("Europe/Paris"),
            "country": ["NA", "null"],
            "number": [1.5, None],
        },
        index=pandas.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None]),
    )
    equal(again(frame, ".parquet", pandas.DataFrame), frame)
    text = frame[["country"]].reset_index(drop=True)
    equal(again(text, ".csv", pandas.DataFrame), text)
    refused(frame[["country"]], ".csv", "reset_index")
    refused(pandas.DataFrame({"a": [(1, 2)]}), ".parquet", "Parquet would not")
    refused(pandas.DataFrame({"a": [1, "x"]}), ".parquet", "Parquet would not")
    refused(pandas.DataFrame({1: [1]}), ".csv", "columns would be")


def test_arrow(arrow: Any) -> None:
    @few
    @given(columns())
    def holds(values: dict[str, list[Any]]) -> None:
        table = arrow.table(values)
        for extension in (".parquet", ".csv"):
            back = again(table, extension, arrow.Table).cast(table.schema)
            # A NaN is no other one to Arrow.
            assert str(back.to_pydict()) == str(table.to_pydict())

    holds()
    numbers = arrow.table({"a": [1.5, float("nan"), None]})
    assert str(again(numbers, ".csv", arrow.Table).to_pydict()) == "{'a': [1.5, nan, None]}"
    # As text it is no number, and as a number no text.
    refused(arrow.table({"a": ["nan", "1.5"]}), ".csv", "'a'")
    pairs = arrow.array([[("x", 1)], None], arrow.map_(arrow.string(), arrow.int64()))
    fixed = arrow.array([[1, 2], None], arrow.list_(arrow.int64(), 2))
    lists = {"list": [[1], None], "deep": [[[1]], []], "struct": [{"a": [1]}, None]}
    nested = arrow.table(lists | {"map": pairs, "fixed": fixed})
    assert again(nested, ".parquet", arrow.Table).equals(nested)
    refused(arrow.table({"a": arrow.array([1], arrow.timestamp("s"))}), ".parquet", "'a'")
    seconds = arrow.array([[1]], arrow.list_(arrow.timestamp("s")))
    refused(arrow.table({"a": seconds}), ".parquet", "'a'")
    refused(arrow.table({"a": arrow.array([1], arrow.date64())}), ".parquet", "'a'")


def test_any_library_reads_what_another_one_wrote(polars: Any, pandas: Any, arrow: Any) -> None:
    frame = polars.DataFrame({"a": [1, 2], "b": ["x", None]})
    for extension in (".parquet", ".csv"):
        assert HANDLERS.for_value(frame.lazy()) is HANDLERS.for_extension(".parquet")
        assert again(frame, extension, pandas.DataFrame)["a"].tolist() == [1, 2]
        assert again(frame, extension, arrow.Table)["b"].to_pylist() == ["x", None]
        for other in (frame.to_pandas(), frame.to_arrow()):
            assert again(other, extension).collect().equals(frame)
        with pytest.raises(TypeError, match="not read as dict"):
            again(frame, extension, dict)


def test_csv_of_others(polars: Any, pandas: Any, arrow: Any) -> None:
    data = "\ufeffday,n\r\n2026-01-01,1\r\n,\r\n".encode()
    for as_ in (polars.DataFrame, pandas.DataFrame, arrow.Table):
        frame = read(data, ".csv", as_)
        assert list(getattr(frame, "column_names", frame.columns)) == ["day", "n"]
        assert len(frame) == 2
    # Which of these is the month, its reader knows better.
    other = read(b"day\n01/02/2026\n", ".csv", polars.DataFrame)
    assert other["day"].to_list() == ["01/02/2026"]
    # An empty line is a row where there is one column, and a gap where there are more.
    for as_ in (polars.DataFrame, pandas.DataFrame, arrow.Table):
        assert len(read(b"a\n1\n\n2\n", ".csv", as_)) == 3


@pytest.mark.parametrize("extension", [".parquet", ".csv"])
def test_pieces(extension: str, polars: Any, pandas: Any, arrow: Any) -> None:
    form = handler(extension)

    def parts() -> Iterator[Any]:
        for number in range(5):
            yield polars.DataFrame({"n": [number] * 50_000, "t": ["text"] * 50_000})

    out = BytesIO()
    form.dump_pieces(parts(), out, extension)
    whole = polars.concat(parts())
    assert read(out.getvalue(), extension, polars.DataFrame).equals(whole)
    kinds = {
        None: polars.DataFrame,
        polars.LazyFrame: polars.LazyFrame,
        pandas.DataFrame: pandas.DataFrame,
        arrow.Table: arrow.Table,
    }
    for as_, kind in kinds.items():
        found = list(form.pieces(BytesIO(out.getvalue()), extension, as_))
        assert {type(piece) for piece in found} == {kind}
    pieces = list(form.pieces(BytesIO(out.getvalue()), extension))
    assert polars.concat(pieces).equals(whole)
    assert len(pieces) > 1
    for bad in ([], [whole, whole.select("n")]):
        with pytest.raises(TypeError, match="pieces"):
            form.dump_pieces(iter(bad), BytesIO(), extension)
    with pytest.raises(TypeError, match="no frame"):
        form.dump_pieces([1], BytesIO(), extension)


def test_pieces_are_read_one_by_one(polars: Any, arrow: Any) -> None:
    class Counting(BytesIO):
        """How many bytes were asked for."""

        count = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    frame = polars.DataFrame({"n": range(400_000)})
    for extension in (".parquet", ".csv"):
        out = BytesIO()
        form = handler(extension)
        form.dump_pieces((frame for _ in range(3)), out, extension)
        source = Counting(out.getvalue())
        pieces = form.pieces(source, extension, arrow.Table)
        next(pieces)
        assert source.count < len(out.getvalue()) * 0.8
    later = BytesIO(out.getvalue() + b"no number\n")
    with pytest.raises(ValueError, match="no CSV"):
        list(form.pieces(later, ".csv", arrow.Table))


def test_damage(polars: Any, pandas: Any, arrow: Any) -> None:
    frame = polars.DataFrame({"n": range(20), "t": ["x", "y"] * 10, "l": [[1]] * 20})
    for as_ in (polars.DataFrame, pandas.DataFrame, arrow.Table):
        survives(written(frame, ".parquet"), ".parquet", as_, count=60)
        survives(written(frame.select("n", "t"), ".csv"), ".csv", as_, count=60)
    for extension in (".parquet", ".csv"):
        with pytest.raises(ValueError, match="the content is no"):
            list(handler(extension).pieces(BytesIO(b"\xff\xfe\n\xff,\n"), extension))


def test_bombs(polars: Any, pandas: Any, arrow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_arrow, "WHOLE", Limits(max_ratio=100, free=100_000))
    small, bomb = (written(arrow.table({"a": [1] * count}), ".parquet") for count in (9000, 99_000))
    for as_ in (polars.DataFrame, pandas.DataFrame, arrow.Table):
        assert len(read(small, ".parquet", as_)) == 9000
        with pytest.raises(DecompressionLimit):
            read(bomb, ".parquet", as_)
    # In pieces it is harmless.
    assert sum(map(len, handler(".parquet").pieces(BytesIO(bomb), ".parquet"))) == 99_000


def test_missing_packages(polars: Any, pandas: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = polars.DataFrame({"a": [1, 2]})
    data, text = written(frame, ".parquet"), written(frame, ".csv")
    monkeypatch.setitem(sys.modules, "polars", None)
    assert isinstance(read(data, ".parquet"), pandas.DataFrame)
    with pytest.raises(MissingExtra, match=r"'storage\[polars\]'"):
        read(data, ".parquet", polars.DataFrame)
    for name in ("pyarrow", "pyarrow.parquet", "pyarrow.csv"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"'storage\[arrow\]'"):
        read(data, ".parquet")
    with pytest.raises(MissingExtra, match=r"'storage\[arrow\]'"):
        next(handler(".csv").pieces(BytesIO(text), ".csv"))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"'storage\[polars\]'"):
        read(text, ".csv")


def test_polars_alone(polars: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet", "pyarrow.csv"):
        monkeypatch.setitem(sys.modules, name, None)
    frame = polars.DataFrame({"a": [1, None], "b": ["x", "y"]})
    assert again(frame, ".parquet").collect().equals(frame)
    assert again(frame, ".csv").collect().equals(frame)
    with pytest.raises(ValueError, match="no Parquet"):
        read(b"garbage" * 5, ".parquet")


def test_rows_are_cut_where_they_end() -> None:
    lines = ['a,"b"\n', '"x\n""\ny",2\n', "plain,\n", '"\n\n\n"\n', '"open,"\n']
    for size in (1, 3, 7, 64):

        class Short(BytesIO):
            """Gives a few bytes at a time."""

            def read(self, count: int | None = -1, most: int = size) -> bytes:
                return super().read(most)

        parts = [part.decode() for part in blocks(Short("".join(lines * 3).encode()))]
        assert "".join(parts) == "".join(lines * 3)
        ends = {len("".join((lines * 3)[:number])) for number in range(16)}
        assert all(len("".join(parts[:number])) in ends for number in range(len(parts)))
        assert len(parts) > 1 or size == 64


def test_a_quote_that_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LONGEST", 3 * rows.BLOCK)
    with pytest.raises(ValueError, match="open quote"):
        list(blocks(BytesIO(b'a\n"' + b"\n" * 5 * rows.BLOCK)))
