"""Tables of Arrow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

from ..._core.codecs.coding import WHOLE
from ..packages import package, reading
from ..same import difference
from .library import CSV, PARQUET, Library, check_columns, refused
from .rows import blocks, has_one_column

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4}
"""Bytes of a value, by Parquet's own types; of others at least 8."""


def arrow(module: str = "") -> Any:
    """Arrow, or a module of it. Raises `MissingExtra`."""
    return package(f"pyarrow{module}", "arrow")


class Arrow(Library):
    module = "pyarrow"
    extra = "arrow"
    kinds = ("Table",)

    def write_parquet(self, value: Any, out: BinaryIO) -> None:
        check_parquet(value.schema)
        arrow(".parquet").write_table(value, out)

    def read_parquet(self, source: BinaryIO, as_: Any) -> Any:
        with reading("Parquet"):
            return parquet_table(source)

    def csv_of(self, value: Any, *, header: bool) -> bytes:
        try:
            data = _csv_of(value, header=True)
            source = BytesIO(data)
            back = arrow(".csv").read_csv(source, **options(source))
            check_columns(_sorts(value.schema), _sorts(back.schema))
            back = back.cast(value.schema)
        except Exception as error:
            raise error if isinstance(error, TypeError) else refused(CSV, error) from error
        if not back.equals(value):
            # A NaN is no other NaN to Arrow.
            found = difference(value.to_pydict(), back.to_pydict(), "the table")
            if found:
                raise refused(CSV, found)
        return data if header else _csv_of(value, header=False)

    def read_csv(self, source: BinaryIO, as_: Any) -> Any:
        with reading("CSV"):
            return arrow(".csv").read_csv(source, **options(source))

    def to_table(self, value: Any) -> Any:
        return value

    def from_table(self, table: Any, as_: Any) -> Any:
        return table


def check_parquet(schema: Any) -> None:
    """Refuse the types that Parquet changes. Raises ``TypeError``."""
    parquet, trial = arrow(".parquet"), BytesIO()
    try:
        parquet.write_table(schema.empty_table(), trial)
        back = parquet.read_table(BytesIO(trial.getvalue())).schema
    except Exception as error:
        raise refused(PARQUET, error) from error
    for one, other in zip(schema, back, strict=True):
        # Types are the same whatever the items of their lists are called.
        if one.type != other.type and _plainly(one.type) != _plainly(other.type):
            raise refused(PARQUET, f"the column {one.name!r} is {one.type}, would be {other.type}")


def _plainly(kind: Any) -> str:
    """A type, less how wide offsets and indices are."""
    return re.sub(r"indices=\w+", "indices", str(kind).replace("large_", ""))


def options(source: BinaryIO) -> dict[str, Any]:
    """How a CSV is read: what is left out is null, and what is quoted never is."""
    csv = arrow(".csv")
    return {
        "convert_options": csv.ConvertOptions(
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
        "parse_options": csv.ParseOptions(
            newlines_in_values=True, ignore_empty_lines=not has_one_column(source)
        ),
    }


def csv_tables(source: BinaryIO) -> Iterator[Any]:
    """The rows of a CSV in tables of about a MiB, whose types are those that the first one has.

    They are cut here: Arrow's own stream reads 32 pieces ahead, from a thread of its own.
    """
    csv, how = arrow(".csv"), options(source)
    names: list[str] | None = None
    for block in blocks(source):
        header = csv.ReadOptions(column_names=names)
        table = csv.read_csv(BytesIO(block), read_options=header, **how)
        if names is None:
            names = table.column_names
            table = table.cast(_text_for_null(table.schema))
            how["convert_options"].column_types = table.schema
        yield table


def _text_for_null(schema: Any) -> Any:
    """The columns, those of which nothing is known yet as text."""
    library = arrow()
    fields = [
        field.with_type(library.string()) if field.type == library.null() else field
        for field in schema
    ]
    return library.schema(fields)


def parquet_table(source: BinaryIO) -> Any:
    """The table of a Parquet file, each value and offset of it looked at.

    Raises:
        DecompressionLimit: The file is small, and the table would be large.
    """
    known = arrow(".parquet").read_metadata(source)
    WHOLE.check(source.seek(0, os.SEEK_END), _size(known))
    source.seek(0)
    table = arrow(".parquet").read_table(source)
    # Others, and Arrow itself, take what is in a table for granted.
    table.validate(full=True)
    return table


def _size(known: Any) -> int:
    """Bytes that the values of a Parquet file take in memory, about: runs of one have no length."""
    widths = [
        _WIDTHS.get(known.schema.column(number).physical_type, 8)
        for number in range(known.num_columns)
    ]
    groups = (known.row_group(number) for number in range(known.num_row_groups))
    return sum(
        group.column(number).num_values * width
        for group in groups
        for number, width in enumerate(widths)
    )


def parquet_tables(source: BinaryIO) -> Iterator[Any]:
    """The row groups of a Parquet file, those of more than 65,536 rows in parts."""
    file = arrow(".parquet").ParquetFile(source, pre_buffer=False)
    if not file.num_row_groups:
        yield file.schema_arrow.empty_table()
    for number in range(file.num_row_groups):  # all at once would be read ahead
        for batch in file.iter_batches(row_groups=[number]):
            batch.validate(full=True)
            yield arrow().Table.from_batches([batch])


def _csv_of(table: Any, *, header: bool) -> bytes:
    out, csv = BytesIO(), arrow(".csv")
    csv.write_csv(table, out, csv.WriteOptions(include_header=header))
    return out.getvalue()


def _sorts(schema: Any) -> list[tuple[str, str]]:
    return [(field.name, _sort(field.type)) for field in schema]


def _sort(kind: Any) -> str:
    """A type's name, less what CSV cannot tell: how wide numbers and how fine times are."""
    types = arrow(".types")
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind):
        return "float"
    if types.is_string(kind) or types.is_large_string(kind):
        return "text"
    if types.is_timestamp(kind):
        return f"timestamp{kind.tz or ''}"
    return str(kind)
