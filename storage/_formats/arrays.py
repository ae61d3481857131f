"""Arrays of NumPy, several by name, and sparse ones of SciPy. Nothing in them is ever unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from .._core.codecs.coding import WHOLE, DecompressionLimit
from .base import Format
from .packages import check_type, is_a, package, reading

WAY_OUT = "convert it (astype, tolist), or write .pkl"


class NpyFormat(Format):
    """One array."""

    extensions = (".npy",)
    priority = 9

    def can_handle_data(self, data: Any) -> bool:
        return is_a(data, "numpy", "ndarray")

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"{extension} takes a numpy.ndarray, not {type(value).__name__}")
        _numpy().lib.format.write_array(out, value, _version(value), allow_pickle=False)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        numpy = _numpy()
        check_type(as_, "an array", numpy.ndarray)
        with reading("array"):
            return numpy.lib.format.read_array(source, allow_pickle=False)


class NpzFormat(Format):
    """A dict of arrays; not compressed when written."""

    extensions = (".npz",)
    priority = 9

    def can_handle_data(self, data: Any) -> bool:
        return (
            isinstance(data, dict)
            and bool(data)
            and all(is_a(value, "numpy", "ndarray") for value in data.values())
        )

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value) and not (isinstance(value, dict) and not value):
            raise TypeError(
                f"{extension} takes a dict of arrays by name, not {type(value).__name__}; "
                "write one array as .npy, and a sparse one as .sparse.npz"
            )
        versions = {name: _version(array) for name, array in value.items()}
        infos = {name: _member(name) for name in value}
        with ZipFile(out, "w", ZIP_STORED) as archive:
            for name, array in value.items():
                with archive.open(infos[name], "w", force_zip64=True) as member:
                    _numpy().lib.format.write_array(
                        member, array, versions[name], allow_pickle=False
                    )

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        numpy = _numpy()
        check_type(as_, "an archive of arrays", dict)
        found: dict[str, Any] = {}
        with reading("archive of arrays"), opened(source) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    array = numpy.lib.format.read_array(member, allow_pickle=False)
                    # Only at its end a member's checksum is looked at.
                    if member.read(1):
                        raise ValueError(f"something follows the array {info.filename!r}")
                found[info.filename.removesuffix(".npy")] = array
        return found


class SparseFormat(Format):
    """A sparse matrix or array of SciPy, in CSR, CSC, COO, BSR or DIA form."""

    extensions = (".sparse.npz",)
    priority = 9

    def can_handle_data(self, data: Any) -> bool:
        return is_a(data, "scipy.sparse", "sparray", "spmatrix")

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"{extension} takes a sparse array, not {type(value).__name__}")
        if value.dtype.hasobject:
            raise TypeError(f"Python's objects would be pickled; {WAY_OUT}")
        whole = BytesIO()
        try:
            package("scipy.sparse", "scipy").save_npz(whole, value)
        except NotImplementedError as error:
            raise TypeError(f"{error} Convert it by tocsr().") from error
        out.write(whole.getbuffer())

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        sparse = package("scipy.sparse", "scipy")
        with reading("sparse array"):
            with opened(source):
                pass
            source.seek(0)
            matrix = sparse.load_npz(source)
            if matrix.format in {"csr", "csc", "bsr"}:
                # Indices outside of the array would be memory outside of it.
                matrix.check_format(full_check=True)
        if as_ is not None and not isinstance(matrix, as_):
            raise TypeError(f"this is a {type(matrix).__name__}, not a {as_.__name__}")
        return matrix


@contextmanager
def opened(source: BinaryIO) -> Iterator[ZipFile]:
    """An archive of arrays that is not larger than what it is made of lets expect.

    Raises:
        ValueError: It holds something else.
        DecompressionLimit: It would be too large; perhaps a decompression bomb.
    """
    with ZipFile(source) as archive:
        infos = archive.infolist()
        for info in infos:
            if not info.filename.endswith(".npy"):
                raise ValueError(f"{info.filename!r} is no array")
            if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
                raise ValueError(f"{info.filename!r} is compressed in a way that NumPy has not")
        stored = sum(info.compress_size for info in infos)
        if sum(info.file_size for info in infos) > max(WHOLE.free, stored * (WHOLE.max_ratio or 1)):
            raise DecompressionLimit("the arrays are more than 100 times as large as the archive")
        yield archive


def _numpy() -> Any:
    return package("numpy", "numpy")


def _member(name: Any) -> ZipInfo:
    """The place of an array in an archive. Raises ``TypeError`` where its name is none."""
    info = ZipInfo(f"{name}.npy")
    try:
        good = info.filename == name + ".npy" and len(info.filename.encode()) < 65536
    except (TypeError, UnicodeEncodeError):
        good = False
    if not good:
        raise TypeError(f"an array's name in an archive is text without NUL, not {name!r}")
    return info


def _version(array: Any) -> tuple[int, int]:
    """The version of the file format that holds an array's type.

    Raises:
        TypeError: It would not be read back as it is.
    """
    numpy, why = _numpy(), "its class would be lost"
    versions = [(1, 0), (3, 0)] if type(array) in {numpy.ndarray, numpy.memmap} else []
    for version in versions:
        trial = BytesIO()
        try:
            form = numpy.lib.format
            form.write_array(trial, numpy.empty(0, array.dtype), version, allow_pickle=False)
            trial.seek(0)
            back = form.read_array(trial, allow_pickle=False).dtype
        except Exception as error:
            why = str(error)
            continue
        if back == array.dtype:
            return version
        why = f"its type would be {back}"
    raise TypeError(f"{type(array).__name__} of {array.dtype} cannot be written: {why}; {WAY_OUT}")
