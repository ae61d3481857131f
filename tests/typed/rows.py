"""For each handler what values it is tried with, and when two of them are the same."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as some

texts = some.text(max_size=20)
numbers = some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
plain = some.recursive(
    some.none() | some.booleans() | numbers | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class Row(NamedTuple):
    """Values of a handler, and how they are compared."""

    values: some.SearchStrategy[Any]
    same: Callable[[Any, Any], Any] = operator.eq
    as_: Any = None


@dataclass
class Point:
    """A record of a dataclass."""

    number: int
    text: str | None
    data: bytes = b""


def _records(kind: Any) -> Row:
    fields: Any = some.builds(dict, number=some.integers(), text=some.none() | texts)
    return Row(fields.map(lambda each: kind(**each)), as_=kind)


def _pydantic() -> Row:
    return _records(
        pytest.importorskip("pydantic").create_model("Model", number=int, text=str | None)
    )


def _struct() -> Row:
    struct = pytest.importorskip("msgspec").defstruct
    return _records(struct("Struct", [("number", int), ("text", str | None)]))


def _attrs() -> Row:
    attrs = pytest.importorskip("attrs")
    fields = {"number": attrs.field(type=int), "text": attrs.field(type=str | None)}
    return _records(attrs.make_class("Record", fields))


def _frames(least: int) -> Row:
    polars = pytest.importorskip("polars")
    # In CSV a text is told from numbers and dates by what it looks like.
    words = texts.map(lambda text: f"t{text}")
    rows = some.lists(some.tuples(some.integers(-(2**63), 2**63 - 1), words), min_size=least)
    schema = {"number": polars.Int64, "a text": polars.String}
    frames = rows.map(lambda each: polars.DataFrame(each, schema, orient="row"))
    return Row(frames, lambda one, other: one.equals(other.collect()))


def _arrays() -> Row:
    numpy = pytest.importorskip("numpy")
    from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

    shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    layouts = some.sampled_from([numpy.asarray, numpy.asfortranarray, numpy.transpose])
    each = some.builds(
        lambda layout, array: layout(array), layouts, arrays(scalar_dtypes(), shapes)
    )
    return Row(each, _same_array)


def _same_array(one: Any, other: Any) -> bool:
    kinds = (one.dtype, one.shape) == (other.dtype, other.shape)
    return kinds and bool(one.tobytes() == other.tobytes())


def _named_arrays() -> Row:
    names = some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
    return Row(
        some.dictionaries(names, _arrays().values, min_size=1, max_size=3),
        lambda one, other: (
            list(one) == list(other) and all(_same_array(one[name], other[name]) for name in one)
        ),
    )


def _sparse() -> Row:
    sparse = pytest.importorskip("scipy.sparse")
    numpy = pytest.importorskip("numpy")
    rows = some.lists(some.tuples(numbers, numbers, numbers), min_size=1, max_size=4)
    forms = some.sampled_from(["csr", "csc", "coo", "bsr", "dia"])
    return Row(
        some.builds(
            lambda each, form: sparse.csr_array(numpy.array(each, float)).asformat(form),
            rows,
            forms,
        ),
        lambda one, other: (
            type(one) is type(other) and _same_array(one.toarray() + 0, other.toarray() + 0)
        ),
    )


def _tensors() -> Row:
    torch = pytest.importorskip("torch")
    tensors = some.lists(numbers, max_size=4).map(torch.tensor)
    return Row(tensors, torch.equal)


def _images() -> Row:
    image = pytest.importorskip("PIL.Image")
    sizes = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
    each = some.sampled_from(sorted(sizes)).flatmap(
        lambda mode: some.binary(min_size=6 * sizes[mode], max_size=6 * sizes[mode]).map(
            lambda data: image.frombytes(mode, (2, 3), data)
        )
    )
    return Row(each, lambda one, other: (one.mode, one.tobytes()) == (other.mode, other.tobytes()))


ROWS: dict[str, Callable[[], Row]] = {
    ".bin": lambda: Row(some.binary(max_size=100)),
    ".txt": lambda: Row(texts),
    ".json": lambda: Row(plain),
    ".jsonl": lambda: Row(some.lists(plain, max_size=4)),
    ".yaml": lambda: Row(plain),
    ".pkl": lambda: Row(some.sets(some.tuples(texts, some.complex_numbers(allow_nan=False)))),
    ".csv": lambda: _frames(1),
    ".parquet": lambda: _frames(0),
    ".npy": _arrays,
    ".npz": _named_arrays,
    ".sparse.npz": _sparse,
    ".pt": _tensors,
    ".png": _images,
    ".dataclass.json": lambda: _records(Point),
    ".pydantic.json": _pydantic,
    ".struct.json": _struct,
    ".attrs.json": _attrs,
}
"""By the extension that a handler gives its objects."""
