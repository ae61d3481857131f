"""Arrays of NumPy and SciPy. The packages are imported by tests: that takes a while."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.codecs.coding import Limits
from storage._formats import arrays
from storage._formats.table import HANDLERS
from tests.formats.forms import again, damaged, read, refused, survives, written


@pytest.fixture(scope="module")
def numpy() -> Any:
    return pytest.importorskip("numpy")


def same(one: Any, other: Any) -> bool:
    """Whether two arrays are the same, to the bit."""
    return (
        type(one) is type(other)
        and (one.dtype, one.shape) == (other.dtype, other.shape)
        and bool(one.tobytes() == other.tobytes())
    )


def test_arrays(numpy: Any) -> None:
    from hypothesis.extra.numpy import array_shapes, scalar_dtypes
    from hypothesis.extra.numpy import arrays as any_arrays

    shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)

    @settings(max_examples=25)
    @given(any_arrays(scalar_dtypes(), shapes), st.text(st.characters(codec="utf-8"), max_size=5))
    def holds(array: Any, name: str) -> None:
        assert same(again(array, ".npy"), array)
        if "\0" not in name:
            back = again({name: array, "file": array}, ".npz")
            assert back.keys() == {name, "file"}
            assert all(same(one, array) for one in back.values())

    holds()
    assert again({}, ".npz") == {}
    named = numpy.array([(1, 2.5)], dtype=[("世", "i8"), ("b", "f4")])
    assert same(again(named, ".npy"), named)
    assert same(again(numpy.asfortranarray(numpy.eye(3)), ".npy"), numpy.eye(3))


def test_which_form_is_taken(numpy: Any) -> None:
    def first(value: Any) -> str:
        found = HANDLERS.for_value(value)
        assert found is not None
        return found.extensions[0]

    assert first(numpy.eye(2)) == ".npy"
    assert first({"a": numpy.eye(2)}) == ".npz"
    assert first({"a": 1}) == first({}) == ".json"


def test_what_arrays_would_change(numpy: Any) -> None:
    refused(numpy.array([object()]), ".npy", "Object arrays")
    refused(numpy.ma.array([1, 2], mask=[0, 1]), ".npy", "class would be lost")
    refused(numpy.array([1], numpy.dtype("i4", metadata={"unit": "m"})), ".npy", "metadata")
    refused(numpy.eye(2), ".npz", "write one array as .npy")
    refused({"a": numpy.eye(2), "b": numpy.array([object()])}, ".npz", "Object arrays")
    refused([1, 2], ".npy", "takes a numpy.ndarray")
    for name in ("a\0", 1, "\ud800"):
        refused({name: numpy.eye(1)}, ".npz", "name in an archive")


def test_no_pickle_is_read(numpy: Any) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("this ran",)

    harmful, out = numpy.array([Harmful()], dtype=object), BytesIO()
    numpy.save(out, harmful)
    archive = BytesIO()
    numpy.savez(archive, a=harmful)
    for data, extension in ((out, ".npy"), (archive, ".npz"), (archive, ".sparse.npz")):
        with pytest.raises(ValueError, match=r"Object arrays|sparse"):
            read(data.getvalue(), extension)
    with pytest.raises(ValueError, match="array"):
        read(pickle.dumps(Harmful()), ".npy")


def test_bombs(numpy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    header = BytesIO()
    numpy.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    with pytest.raises(ValueError, match="no array"):
        read(header.getvalue(), ".npy")
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", written(numpy.zeros(100_000), ".npy"))
    assert read(out.getvalue(), ".npz")["a"].shape == (100_000,)
    monkeypatch.setattr(arrays, "WHOLE", Limits(max_ratio=100, free=100_000))
    for extension in (".npz", ".sparse.npz"):
        with pytest.raises(ValueError, match="100 times"):
            read(out.getvalue(), extension)


def test_damage(numpy: Any) -> None:
    survives(written(numpy.arange(10.0), ".npy"), ".npy", count=100)
    data = written({"a": numpy.arange(10.0), "b": numpy.eye(2)}, ".npz")
    survives(data, ".npz", count=100)
    with ZipFile(BytesIO(data)) as whole:
        array = whole.read("a.npy")
    for name, content, why in (
        ("b.txt", b"", "'b.txt' is no array"),
        ("a.npy", array + b"more", "something follows"),
    ):
        out = BytesIO()
        with ZipFile(out, "w") as archive:
            archive.writestr(name, content)
        with pytest.raises(ValueError, match=why):
            read(out.getvalue(), ".npz")


def test_sparse_arrays(numpy: Any) -> None:
    sparse = pytest.importorskip("scipy.sparse")

    @settings(max_examples=10)
    @given(
        st.sampled_from(["csr", "csc", "coo", "bsr", "dia"]),
        st.sampled_from(["array", "matrix"]),
        st.lists(st.lists(st.sampled_from([0, 0, 1, 2.5]), min_size=3, max_size=3), min_size=1),
    )
    def holds(form: str, kind: str, rows: list[list[float]]) -> None:
        value = getattr(sparse, f"{form}_{kind}")(numpy.array(rows))
        back = again(value, ".sparse.npz", type(value))
        assert (type(back), back.dtype) == (type(value), value.dtype)
        assert (back.toarray() == value.toarray()).all()

    holds()
    value = sparse.csr_array(numpy.eye(3))
    assert HANDLERS.for_value(value) is HANDLERS.for_extension("a.sparse.npz")
    refused(sparse.lil_array(numpy.eye(2)), ".sparse.npz", "tocsr")
    with pytest.raises(TypeError, match="not a csc_array"):
        again(value, ".sparse.npz", sparse.csc_array)
    # What would be read from outside of the array is refused.
    value.indices[0] = 1000
    outside = BytesIO()
    sparse.save_npz(outside, value)
    with pytest.raises(ValueError, match="no sparse array"):
        read(outside.getvalue(), ".sparse.npz")
    data = written(sparse.coo_array(numpy.eye(3)), ".sparse.npz")
    survives(data, ".sparse.npz")
    assert all(bad != data for bad in damaged(data, 3))
