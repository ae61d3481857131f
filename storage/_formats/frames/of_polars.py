"""DataFrames and LazyFrames of Polars."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from ..packages import installed, reading
from .library import ARROW, CSV, PARQUET, Library, check_columns, refused
from .of_arrow import parquet_table

# Only what can be nothing else: 01/02/2026 is read differently by many.
_DATE = r"^\d{4}-\d\d-\d\d$"
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?$"


class Polars(Library):
    """A LazyFrame is collected when it is written; what is read as one is in memory already."""

    module = extra = "polars"
    kinds = ("DataFrame", "LazyFrame")

    def write_parquet(self, value: Any, out: BinaryIO) -> None:
        frame = _collected(value)
        try:
            # An empty frame of the same columns shows what becomes of them.
            trial = BytesIO()
            frame.clear().write_parquet(trial)
            trial.seek(0)
            schema = self._decoded(trial).schema
        except Exception as error:
            raise refused(PARQUET, error) from error
        if schema.names() != frame.columns:
            raise refused(PARQUET, f"its columns would be {schema.names()}")
        for name, kind in frame.schema.items():
            if schema[name] != kind:
                raise refused(PARQUET, f"the column {name!r} is {kind} and would be {schema[name]}")
        frame.write_parquet(out)

    def read_parquet(self, source: BinaryIO, as_: Any) -> Any:
        with reading("Parquet"):
            return _given(self._decoded(source), as_)

    def _decoded(self, source: BinaryIO) -> Any:
        polars = self.load()
        if not installed("pyarrow"):
            return polars.read_parquet(source)
        # Polars' own reader aborts the process at some damaged files; that of Arrow does not.
        return polars.from_arrow(parquet_table(source))

    def csv_of(self, value: Any, *, header: bool) -> bytes:
        frame = _collected(value)
        try:
            data: bytes = frame.write_csv().encode()
            back = self._parsed(BytesIO(data))
            check_columns(_sorts(frame), _sorts(back))
            same = back.cast(dict(frame.schema)).equals(frame)
        except Exception as error:
            raise error if isinstance(error, TypeError) else refused(CSV, error) from error
        if not same:
            raise refused(CSV, "some values would change")
        return data if header else frame.write_csv(include_header=False).encode()

    def read_csv(self, source: BinaryIO, as_: Any) -> Any:
        with reading("CSV"):
            return _given(self._parsed(source), as_)

    def _parsed(self, source: BinaryIO) -> Any:
        polars = self.load()
        frame = polars.read_csv(source, infer_schema_length=None)
        texts = [name for name, kind in frame.schema.items() if kind == polars.String]
        return frame.with_columns(_dated(frame[name], polars) for name in texts)

    def to_table(self, value: Any) -> Any:
        frame = _collected(value)
        if "" in frame.columns:
            raise refused(ARROW, "a column has no name")
        try:
            return frame.to_arrow()
        except Exception as error:
            raise refused(ARROW, error) from error

    def from_table(self, table: Any, as_: Any) -> Any:
        frame = self.load().from_arrow(table)
        return frame.lazy() if as_ is not None and as_.__name__ == "LazyFrame" else frame


def _collected(value: Any) -> Any:
    return value.collect() if type(value).__name__ == "LazyFrame" else value


def _given(frame: Any, as_: Any) -> Any:
    return frame if as_ is not None and as_.__name__ == "DataFrame" else frame.lazy()


def _dated(column: Any, polars: Any) -> Any:
    """A column of text, or of dates or times where all of it is written as ISO 8601 says."""
    filled = column.drop_nulls()
    for pattern, kind in ((_DATE, polars.Date), (_TIME, polars.Datetime("us"))):
        if len(filled) and filled.str.contains(pattern).all():
            found = column.str.strptime(kind, strict=False)
            return found if found.null_count() == column.null_count() else column
    return column


def _sorts(frame: Any) -> list[tuple[str, str]]:
    return [(name, _sort(kind)) for name, kind in frame.schema.items()]


def _sort(kind: Any) -> str:
    """A type's name, less what CSV cannot tell: how wide numbers and how fine times are."""
    if kind.is_integer():
        return "integer"
    if kind.is_float():
        return "float"
    zone = getattr(kind, "time_zone", None)
    return f"{kind.base_type().__name__}{zone or ''}" if not kind.is_nested() else str(kind)
