"""System calls that fail or take long, at the very one that matters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._files import hidden
from storage._async.backends._files.layout import Layout
from storage._core import calls
from storage.aiofs import AsyncFilesystemStore
from storage.object import ObjectExists
from tests.backends.files import tree

PUTS = """
import json, sys
from storage._core import calls
from storage.aiofs import AsyncFilesystemStore
store = AsyncFilesystemStore(sys.argv[1])
try:
    calls.drive(store.put("d/k", b"new"))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def traced(trace: Path, root: Path, *injections: str) -> tuple[list[Any], str]:
    """Run a put with failing system calls; gives its error and the trace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    command: list[str | Path] = [
        "strace",
        "-f",
        "-o",
        trace,
        "-e",
        "trace=fsync,rename,renameat,renameat2,unlinkat",
    ]
    for injection in injections:
        command += ["-e", f"inject={injection}"]
    done = subprocess.run(
        [*command, sys.executable, "-c", PUTS, root],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=False,
    )
    return json.loads(done.stdout or "[]"), trace.read_text()


def test_a_failed_sync_of_the_file_fails_the_put_and_is_not_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    calls.drive(AsyncFilesystemStore(root).put("d/k", b"old"))
    (kind, message), trace = traced(tmp_path / "trace", root, "fsync:error=EIO:when=1")
    assert (kind, trace.count("fsync(")) == ("StoreUnavailable", 1)
    assert "put 'd/k'" in message
    assert tree(root) == {"d": None, "d/k": b"old"}


def test_a_failed_sync_of_the_directory_says_that_the_outcome_is_open(tmp_path: Path) -> None:
    root = tmp_path / "root"
    calls.drive(AsyncFilesystemStore(root).put("d/k", b"old"))
    (kind, message), _ = traced(tmp_path / "trace", root, "fsync:error=EIO:when=2")
    assert kind == "StoreUnavailable"
    assert "unknown whether it survives" in message
    assert tree(root) == {"d": None, "d/k": b"new"}


def test_everything_is_synced_up_to_the_first_old_directory(tmp_path: Path) -> None:
    _, trace = traced(tmp_path / "trace", tmp_path / "root" / "deep")
    # tmp_path, root, deep and d get entries; then come the file and its directory.
    assert trace.count("fsync(") == 5


class _Intruder(Layout):
    """Another program, which puts a file there in the last moment before an object appears."""

    def keep(self, directory: int, name: bytes, key: str, durable: bool) -> None:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, dir_fd=directory)
        os.write(file, b"theirs")
        os.close(file)


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_put_if_absent_replaces_nothing_that_another_program_has_just_made(
    tmp_path: Path, unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unnamed:
        monkeypatch.setattr(hidden, "_UNNAMED", 0)

    class Store(AsyncFilesystemStore):
        _layout = _Intruder()

    with pytest.raises(ObjectExists):
        calls.drive(Store(tmp_path).put("k", b"ours", if_absent=True))
    assert tree(tmp_path) == {"k": b"theirs"}
