"""The values of a data set's parts, as one value."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..._core.errors import NotSupported

_JOINS: dict[tuple[str, str], Callable[[Any, list[Any]], Any]] = {
    ("polars", "DataFrame"): lambda polars, values: polars.concat(values),
    ("polars", "LazyFrame"): lambda polars, values: polars.concat(values),
    ("pandas", "DataFrame"): lambda pandas, values: pandas.concat(values, ignore_index=True),
    ("pyarrow", "Table"): lambda pyarrow, values: pyarrow.concat_tables(values),
    ("numpy", "ndarray"): lambda numpy, values: numpy.concatenate(values),
    ("builtins", "list"): lambda _, values: [item for value in values for item in value],
    ("builtins", "str"): lambda _, values: "".join(values),
    ("builtins", "bytes"): lambda _, values: b"".join(values),
}
"""How values of a kind are joined, by package and class."""


def joined(values: list[Any]) -> Any:
    """One value of several of the same kind; the only one as it is.

    Raises:
        NotSupported: They are not of one kind, or of one that has no order of parts.
    """
    if len(values) == 1:
        return values[0]
    kinds = {_kind(value) for value in values}
    join = _JOINS.get(kinds.pop()) if len(kinds) == 1 else None
    if join is None:
        names = ", ".join(sorted({type(value).__name__ for value in values}))
        raise NotSupported(f"parts of {names} make no value together: read them one by one")
    return join(import_module(_kind(values[0])[0]), values)


def _kind(value: Any) -> tuple[str, str]:
    return type(value).__module__.partition(".")[0], type(value).__name__
