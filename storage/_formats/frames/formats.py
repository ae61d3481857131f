"""Parquet and CSV."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ..base import Format
from ..packages import installed, reading, refuse_type
from .library import CSV, PARQUET, Library, refused
from .of_arrow import Arrow, arrow, check_parquet, csv_tables, parquet_tables
from .of_pandas import Pandas
from .of_polars import Polars

LIBRARIES: tuple[Library, ...] = (Polars(), Pandas(), Arrow())
"""Frames are read by the first that is installed, unless `as_` is a class of another."""


class FrameFormat(Format):
    """Frames of any library; `as_` is the class to read them as."""

    what: str

    def can_handle_data(self, data: Any) -> bool:
        return any(library.owns(data) for library in LIBRARIES)

    @abstractmethod
    def tables(self, source: BinaryIO) -> Iterator[Any]:
        """The tables of Arrow that the pieces are made of."""

    def pieces(
        self, source: BinaryIO, extension: str, as_: type[Any] | None = None
    ) -> Iterator[Any]:
        library = reader(as_)
        with reading(self.what):
            for table in self.tables(source):
                yield library.from_table(table, as_)


class ParquetFormat(FrameFormat):
    """Apache Parquet; pieces are row groups or parts of them, and take pyarrow."""

    what = PARQUET
    extensions = (".parquet",)
    priority = 10

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        owner(value).write_parquet(value, out)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        return reader(as_).read_parquet(source, as_)

    def tables(self, source: BinaryIO) -> Iterator[Any]:
        return parquet_tables(source)

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        writer = None
        try:
            for value in values:
                table = owner(value).to_table(value)
                if writer is None:
                    check_parquet(table.schema)
                    writer = arrow(".parquet").ParquetWriter(out, table.schema)
                _check_piece(writer.schema, table.schema, self.what)
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise TypeError("a frame of no pieces has no columns; write one that is empty")


class CsvFormat(FrameFormat):
    """CSV with a header, in UTF-8: numbers, booleans, text, and dates as ISO 8601 writes them.

    A column is read as what all its values look like, and a frame that would become another one
    by that is refused. Pieces take pyarrow; their columns are what the first MiB looks like.
    """

    what = CSV
    extensions = (".csv",)
    priority = 5

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        out.write(owner(value).csv_of(value, header=True))

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        return reader(as_).read_csv(source, as_)

    def tables(self, source: BinaryIO) -> Iterator[Any]:
        return csv_tables(source)

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        first = None
        for value in values:
            library = owner(value)
            schema = library.to_table(value).schema
            if first is not None:
                _check_piece(first, schema, self.what)
            out.write(library.csv_of(value, header=first is None))
            first = schema
        if first is None:
            raise TypeError("a frame of no pieces has no columns; write one that is empty")


def owner(value: Any) -> Library:
    """The library of a frame. Raises ``TypeError`` where it is none."""
    for library in LIBRARIES:
        if library.owns(value):
            return library
    raise TypeError(f"{type(value).__name__} is no frame of Polars, pandas or Arrow")


def reader(as_: Any) -> Library:
    """The library that gives a type; the first one installed where it is None.

    Raises:
        TypeError: None gives it.
    """
    if as_ is None:
        return next((one for one in LIBRARIES if installed(one.module)), LIBRARIES[0])
    for library in LIBRARIES:
        if library.gives(as_):
            return library
    raise refuse_type(as_, "a frame", "polars.DataFrame, pandas.DataFrame or pyarrow.Table")


def _check_piece(first: Any, schema: Any, what: str) -> None:
    if not schema.equals(first):
        raise refused(what, "its pieces are of different columns")
