"""Killed at any moment, and without power: what was acknowledged is there, and nothing is torn.

With ``STORAGE_CRASH_ROUNDS=200`` in the environment, writers are killed 200 times at random instead
of ten times, and before every call to the operating system instead of some that change something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage._core import calls
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from tests.backends.disks import LAZY, formatted, mounted, without_power
from tests.backends.files import FileStore, each_kind, needs_root, python

ROUNDS = int(os.environ.get("STORAGE_CRASH_ROUNDS", "10"))


def killed(how: str, kind: type[FileStore], root: Path, number: int) -> list[int]:
    """Run the program that kills and checks; how often it killed."""
    command = [sys.executable, "-B", "-m", "tests.backends.fs_crashes", how]
    name = kind.__name__.removeprefix("Async")
    done = subprocess.run(
        [*command, name, root, str(number)],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [int(count) for count in done.stdout.split()]


@each_kind
def test_a_writer_that_is_killed_at_random_leaves_every_object_whole(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    assert killed("random", kind, tmp_path / "root", ROUNDS) == [ROUNDS]


@pytest.mark.parametrize(("kind", "step"), [(AsyncFilesystemStore, 1), (AsyncHashdirStore, 3)])
def test_killed_before_each_change_in_turn(
    tmp_path: Path, kind: type[FileStore], step: int
) -> None:
    how, step = ("every", 1) if ROUNDS > 100 else ("calls", step)
    root = Path("/dev/shm", tmp_path.name)  # what a kill leaves does not depend on the medium
    try:
        counts = killed(how, kind, root, step)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    assert min(counts) > 12


def test_killed_before_each_call_of_the_short_way(tmp_path: Path) -> None:
    root = Path("/dev/shm", tmp_path.name)
    try:
        (count,) = killed("quick", AsyncFilesystemStore, root, 1)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    assert count > 20


WRITER = """
import sys
from storage import fs

store = getattr(fs, sys.argv[1])(sys.argv[2])

def tell():
    for key in store.keys():
        value, info = store.get_with_info(key)
        print(key, value[:6].decode(), info.content_type)
    print("told", flush=True)
    sys.stdin.readline()

for number in range(40):
    key = f"{number % 5}/{number % 7}/{number % 11}"
    value = b"%06d" % number * 1000
    store.put(key, value if number % 3 else [value])
    if number % 4 == 3:
        store.move(key, f"moved/{number % 3}/{number % 5}")
    if number % 10 == 9:
        store.delete(f"moved/{number % 3}/{number % 5}", missing_ok=True)
store.put("new/directories/k", b"nested")
tell()
store.put("new/only/k", b"create", if_absent=True)
tell()
store.put("new/only/k", b"change", if_match=store.head("new/only/k").etag)
tell()
store.put("0/0/0", [b"attr"] * 2000, content_type="text/attributes")
tell()
store.copy("0/0/0", "copied/to/k", if_absent=True)
tell()
store.move("0/0/0", "yet/another/k")
tell()
store.delete("yet/another/k")
tell()
store.delete_many(["1/1/1", "new/only/k", "2/2/2"])
tell()
if len(sys.argv) > 3:
    store.rehash(1, 2)
    store = fs.HashdirStore(sys.argv[2], 1, 2)
    tell()
"""
PHASES = 8
DISKS = {
    "ext4": (64, LAZY, "rw"),
    "xfs": (320, "rw", "nouuid"),
}
"""The size of an image in MiB, and how to mount it and its copy."""


def told(lines: list[bytes]) -> dict[str, tuple[str, str]]:
    """What the writer said, or would say: the beginning and the type of each object."""
    words = [line.decode().split() for line in lines]
    return {key: (value, kind) for key, value, kind in words}


@needs_root
@pytest.mark.parametrize(
    ("kind", "system"),
    [(AsyncFilesystemStore, "ext4"), (AsyncHashdirStore, "ext4"), (AsyncFilesystemStore, "xfs")],
)
def test_what_was_acknowledged_survives_a_power_cut(
    tmp_path: Path, kind: type[FileStore], system: str
) -> None:
    if shutil.which(f"mkfs.{system}") is None or not Path("/dev/loop-control").exists():
        pytest.skip("there are no disk images here")
    size, options, again = DISKS[system]
    image = formatted(tmp_path / "image", size * 1024 * 1024, system)
    hashed = kind is AsyncHashdirStore
    expected = []
    with ExitStack() as stack:
        disk = mounted(stack, image, tmp_path / "disk", options)
        name = kind.__name__.removeprefix("Async")
        more = ["rehash"] if hashed else []
        command = python(WRITER, name, disk / "root", *more, stdin=subprocess.PIPE)
        writer = stack.enter_context(command)
        assert writer.stdout is not None
        assert writer.stdin is not None
        for number in range(PHASES + hashed):
            lines = list(iter(writer.stdout.readline, b"told\n"))
            # What has reached the disk by now is all that is left when the power goes.
            without_power(image, tmp_path / str(number))
            expected.append(lines)
            writer.stdin.write(b"\n")
            writer.stdin.flush()
    for number, lines in enumerate(expected):
        settings = (1, 2) if number == PHASES else ()
        with ExitStack() as stack:
            where = mounted(stack, tmp_path / str(number), tmp_path / "after", again)
            assert _contents(kind(where / "root", *settings)) == told(lines)
    assert len(expected[0]) > 20


def _contents(store: FileStore) -> dict[str, tuple[str, str]]:
    found = {}
    for key in calls.drive_iterator(store.keys()):
        value, info = calls.drive(store.get_with_info(key))
        assert len(value) in (6, 6000, 8000)
        found[key] = (value[:6].decode(), str(info.content_type))
    return found
