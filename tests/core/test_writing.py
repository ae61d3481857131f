"""All bytes are written, whatever the system takes at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from storage._core import writing
from storage._core.writing import AT_ONCE, write_all, write_at

DATA = bytes(range(251)) * (3 * AT_ONCE // 251)


@pytest.mark.parametrize("most", [7, 100_000, AT_ONCE])
@pytest.mark.parametrize("size", [0, 1, 1000, AT_ONCE, AT_ONCE + 1, len(DATA)])
def test_all_of_it(most: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = min(size, 1000 * most)
    longest = 0

    def shorter(name: str) -> Any:
        whole = getattr(os, name)

        def write(file: int, data: Any, *at: int) -> Any:
            nonlocal longest
            longest = max(longest, len(data))
            return whole(file, memoryview(data)[:most], *at)

        return write

    for name in ("write", "pwrite"):
        monkeypatch.setattr(writing.os, name, shorter(name))  # type: ignore[attr-defined]
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        write_all(file, DATA[:size])
        write_at(file, memoryview(DATA)[:size], size + 5)
    finally:
        os.close(file)
    found = (tmp_path / "file").read_bytes()
    assert found == (DATA[:size] + bytes(5) + DATA[:size] if size else b"")
    assert longest <= AT_ONCE
