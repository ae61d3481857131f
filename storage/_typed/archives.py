"""Several values in one zip archive, each in its own form."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .._core.codecs.coding import WHOLE
from .._sync.backends.zip import ZipStore
from .._sync.typed.store import TypedStore

if TYPE_CHECKING:
    from .blocking import AutoStore


def save_archive(store: AutoStore, values: dict[str, Any], compress: bool) -> bytes:
    """The bytes of an archive of values, written as the store would write them."""
    with TemporaryDirectory(prefix="storage-") as directory:
        path = Path(directory, "values.zip")
        method = "deflate" if compress else "store"
        with _opened(store, path, compression=method) as archive:
            for name, value in values.items():
                archive.write(name, value)
        return path.read_bytes() if path.exists() else b""


def load_archive(store: AutoStore, data: bytes) -> dict[str, Any]:
    """The values of an archive, by their names without extensions; no member becomes a file.

    Raises:
        DecompressionLimit: It is small, and they would be large: perhaps a decompression bomb.
    """
    with TemporaryDirectory(prefix="storage-") as directory:
        path = Path(directory, "values.zip")
        path.write_bytes(data)
        known = store._async._handlers.extension_of
        with ZipStore(path) as members:
            WHOLE.check(len(data), sum(info.size or 0 for info in members.list()))
        with _opened(store, path) as archive:
            return {key.removesuffix(known(key)): archive.read(key) for key in archive.keys()}


def _opened(store: AutoStore, path: Path, **options: Any) -> TypedStore:
    return TypedStore(ZipStore(path, **options), store._async._handlers)
