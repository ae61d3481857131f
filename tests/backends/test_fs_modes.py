"""The permissions of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import open_store
from storage.fs import FilesystemStore, HashdirStore, SafeFilesystemStore
from storage.object import ConfigError

KINDS = [FilesystemStore, HashdirStore, SafeFilesystemStore]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def modes(root: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_get_what_was_said(tmp_path: Path, kind: type[FilesystemStore]) -> None:
    store = kind(tmp_path, file_mode=0o604)
    store.put("a", b"1")
    store.put("b", [b"1", b"2"])
    store.put("c", b"1", if_absent=True)
    store.copy("a", "d")
    store.put("a", b"2")
    objects = modes(tmp_path)
    assert 0o604 in objects
    assert objects <= {0o604, 0o640}  # what else there is beside objects is as the umask says
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o604 if kind is FilesystemStore else True


def test_else_the_umask_or_the_file_before_says(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path)
    store.put("a", b"1")
    assert modes(tmp_path) == {0o640}
    (tmp_path / "a").chmod(0o600)
    store.put("a", b"2")
    assert modes(tmp_path) == {0o600}


def test_in_a_url(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}?file_mode=600").put("a", b"1")
    assert modes(tmp_path) == {0o600}
    with pytest.raises(ConfigError, match="file_mode"):
        open_store(f"file://{tmp_path}?file_mode=rw")
    with pytest.raises(ConfigError, match="permissions"):
        FilesystemStore(tmp_path, file_mode=0o1777)
