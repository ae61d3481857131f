"""The command as people run it, without a wish for warnings: how its process ends then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Begin = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def begin(folder: Path, environment: dict[str, str], hears_interrupts: None) -> Begin:
    """Start the command where it may leave at once; there is a store with two objects."""
    environment = {name: value for name, value in environment.items() if name[:10] != "PYTHONWARN"}
    (folder / "data").mkdir()
    for key in ("a", "b"):
        (folder / "data" / key).write_bytes(key.encode() * 100_000)

    def process(*words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "storage", *words]
        return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=environment)

    return process


@pytest.mark.parametrize(
    ("words", "code", "out"),
    [
        (("ls", "data"), 0, b"a\nb\n"),
        (("cat", "data", "b"), 0, b"b" * 100_000),
        (("verify", "data", "other"), 2, None),
        (("sync", "data"), 1, b""),
        (("get", "data", "no-such-key", "file"), 2, b""),
    ],
)
def test_all_is_said(
    begin: Begin, folder: Path, words: tuple[str, ...], code: int, out: bytes | None
) -> None:
    (folder / "other").mkdir()
    process = begin(*words)
    said, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert out is None or said == out
    assert bool(errors) == (out == b"")


def test_a_sync_is_whole_and_lets_its_journal_go(begin: Begin, folder: Path) -> None:
    for copied in (b"2 copied", b"0 copied"):
        process = begin("sync", "data", "copy")
        said, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, b"")
        assert copied in said
    assert {path.name for path in (folder / "copy").iterdir()} == {"a", "b"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk")
@pytest.mark.parametrize("words", [("ls", "data"), ("cat", "data", "a"), ("--help",)])
def test_a_full_disk(begin: Begin, words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        process = begin(*words, stdout=full.fileno())
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors == b"storage: [Errno 28] No space left on device\n"


def test_a_reader_who_leaves(begin: Begin) -> None:
    process = begin("cat", "data", "a")
    assert process.stdout is not None
    os.read(process.stdout.fileno(), 10)
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    process.communicate()


def test_an_interrupt(begin: Begin, folder: Path) -> None:
    os.mkfifo(folder / "endless")
    process = begin("put", "data", "c", "endless")  # it waits for a writer
    with open(folder / "endless", "wb", buffering=0) as pipe:
        pipe.write(b"some")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.startswith(b"storage: interrupted")
    assert {path.name for path in (folder / "data").iterdir()} == {"a", "b"}
