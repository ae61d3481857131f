"""Killed before each system call in turn, and without power: what was acknowledged is there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage._core import calls
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from tests.backends.files import FileStore, listed, needs_root, python

CHANGES = ("mkdirat", "renameat", "linkat", "unlinkat")
PROGRAM = """
import sys
from storage._core import calls
from storage import aiofs
store = getattr(aiofs, sys.argv[1])(sys.argv[2])
calls.drive(store.put("d/k", b"first"))
calls.drive(store.put("d/k", b"second"))
calls.drive(store.put("d/l", b"first", if_absent=True))
calls.drive(store.move("d/k", "e/k"))
calls.drive(store.move("e/k", "e/l", if_absent=True))
calls.drive(store.copy("e/l", "d/k"))
calls.drive(store.delete("d/k"))
calls.drive(store.put("d/k", [b"thi", b"rd"]))
"""
KEYS = ["d/k", "d/l", "e/k", "e/l"]
VALUES = {b"first", b"second", b"third"}


@pytest.mark.parametrize(
    ("kind", "change"),
    [(AsyncFilesystemStore, change) for change in CHANGES]
    # Directories are made by the same code, only more of them.
    + [(AsyncHashdirStore, change) for change in CHANGES[1:]],
)
async def test_killed_before_each_change_in_turn(
    tmp_path: Path, kind: type[FileStore], change: str
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root = tmp_path / "root"
    for number in range(1, 100):
        killing = f"inject={change}:signal=SIGKILL:when={number}"
        strace = ["strace", "-o", "/dev/null", "-e", f"trace={change}", "-e", killing]
        done = subprocess.run(
            [*strace, sys.executable, "-B", "-c", PROGRAM, kind.__name__, root],
            cwd=Path(__file__).parents[2],
            check=False,
        )
        await _check(kind(root)) if root.exists() else None
        if done.returncode == 0:
            assert number > 2
            break
        shutil.rmtree(root, ignore_errors=True)
    else:
        pytest.fail("the program never ended")


async def _check(store: FileStore) -> None:
    """Every object is whole, listed if it is there, and nothing stands in the way."""
    keys = await listed(store)
    assert set(keys) <= set(KEYS)
    for key in KEYS:
        assert await store.exists(key) == (key in keys)
    for key in keys:
        assert await store.get(key) in VALUES
    if "d/l" in keys:  # from then on there is always one that was moved or copied
        assert len(keys) > 1
    for key in KEYS:
        await store.put(key, b"after")
    assert sorted(await listed(store)) == KEYS
    await store.clear()
    assert await listed(store) == []


WRITER = """
import sys
from storage._core import calls
from storage import aiofs
store = getattr(aiofs, sys.argv[1])(sys.argv[2])
for number in range(60):
    key = f"{number % 7}/{number % 11}/{number % 13}"
    value = b"%06d" % number * 1000
    calls.drive(store.put(key, value if number % 3 else [value]))
    if number % 4 == 3:
        calls.drive(store.move(key, f"moved/{number % 3}/{number % 5}"))
    if number % 10 == 9:
        calls.drive(store.delete(f"moved/{number % 3}/{number % 5}", missing_ok=True))
last = sys.argv[3]
if last == "put":
    calls.drive(store.put("new/directories/k", b"last"))
elif last == "move":
    calls.drive(store.move("0/0/0", "new/directories/k"))
elif last == "delete":
    calls.drive(store.delete("0/0/0"))
for key in sorted(calls.drive_iterator(store.keys())):
    print(key, calls.drive(store.get(key))[:6].decode())
print("told", flush=True)
sys.stdin.read()
"""


def mounted(stack: ExitStack, image: Path, where: Path, options: str) -> Path:
    """Mount a disk image until the stack is left."""
    where.mkdir()
    subprocess.run(["mount", "-o", f"loop,{options}", image, where], check=True)
    stack.callback(subprocess.check_call, ["umount", where])
    return where


@needs_root
@pytest.mark.parametrize("kind", [AsyncFilesystemStore, AsyncHashdirStore])
@pytest.mark.parametrize("last", ["put", "move", "delete"])
def test_what_was_acknowledged_survives_a_power_cut(
    tmp_path: Path, kind: type[FileStore], last: str
) -> None:
    if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
        pytest.skip("there are no disk images here")
    image, cut = tmp_path / "image", tmp_path / "cut"
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with ExitStack() as stack:
        # The file system does nothing by itself: no commits in between, no order of data and names.
        disk = mounted(stack, image, tmp_path / "disk", "commit=300,noauto_da_alloc,data=writeback")
        command = python(WRITER, kind.__name__, disk / "root", last, stdin=subprocess.PIPE)
        writer = stack.enter_context(command)
        assert writer.stdout is not None
        told = dict(line.split() for line in iter(writer.stdout.readline, b"told\n"))
        # What has reached the disk by now is all that is left when the power goes.
        subprocess.run(["cp", "--sparse=always", image, cut], check=True)
        writer.kill()
    with ExitStack() as stack:
        store = kind(mounted(stack, cut, tmp_path / "after", "rw") / "root")
        found = {key: calls.drive(store.get(key)) for key in calls.drive_iterator(store.keys())}
    assert {key.encode(): value[:6] for key, value in found.items()} == told
    assert {len(value) for value in found.values()} <= {4, 6000}
    assert len(told) > 40
