"""DataFrames of pandas; their Parquet is Arrow's."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from ..packages import reading
from .library import CSV, PARQUET, Library, check_columns, refused
from .of_arrow import arrow, check_parquet, parquet_table
from .rows import has_one_column


class Pandas(Library):
    module = extra = "pandas"
    kinds = ("DataFrame",)

    def write_parquet(self, value: Any, out: BinaryIO) -> None:
        table = self.to_table(value)
        check_parquet(table.schema)
        arrow(".parquet").write_table(table, out)

    def read_parquet(self, source: BinaryIO, as_: Any) -> Any:
        self.load()
        with reading("Parquet"):
            return parquet_table(source).to_pandas()

    def csv_of(self, value: Any, *, header: bool) -> bytes:
        if not value.index.equals(self.load().RangeIndex(len(value))) or value.index.name:
            raise refused(CSV, "its index would be lost (reset_index() makes a column of it)")
        try:
            data = value.to_csv(index=False, lineterminator="\n").encode()
            back = self._parsed(BytesIO(data))
            check_columns(self._sorts(value), self._sorts(back))
            self._check_equal(value, back.astype(dict(value.dtypes)))
        except Exception as error:
            raise error if isinstance(error, TypeError) else refused(CSV, error) from error
        if not header:
            data = value.to_csv(index=False, header=False, lineterminator="\n").encode()
        return bytes(data)

    def read_csv(self, source: BinaryIO, as_: Any) -> Any:
        with reading("CSV"):
            return self._parsed(source)

    def _parsed(self, source: BinaryIO) -> Any:
        pandas = self.load()
        exact = {} if _version(pandas) >= (3, 1) else {"float_precision": "round_trip"}
        return pandas.read_csv(
            source,
            # "NA" is Namibia as often as it is nothing.
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            skip_blank_lines=not has_one_column(source),
            **exact,
        )

    def to_table(self, value: Any) -> Any:
        library = arrow()
        try:
            table = library.Table.from_pandas(value)
            self._check_equal(value, table.to_pandas())
        except Exception as error:
            raise refused(PARQUET, error) from error
        return table

    def from_table(self, table: Any, as_: Any) -> Any:
        self.load()
        return table.to_pandas()

    def _check_equal(self, value: Any, back: Any) -> None:
        self.load().testing.assert_frame_equal(value, back, check_exact=True, check_freq=False)

    def _sorts(self, frame: Any) -> list[tuple[Any, str]]:
        types = self.load().api.types
        return [(name, _sort(kind, types)) for name, kind in frame.dtypes.items()]


def _version(pandas: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in pandas.__version__.split(".")[:2])


def _sort(kind: Any, types: Any) -> str:
    """A type's name, less what CSV cannot tell: how wide numbers are."""
    if types.is_integer_dtype(kind):
        return "integer"
    return "float" if types.is_float_dtype(kind) else str(kind)
