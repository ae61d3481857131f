"""Without power: what a durable store acknowledged is there, and any store is whole."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from .disks import LAZY, formatted, mounted, needs_disks, without_power
from .zips import contents, opened, unpacked

WRITER = """
import sys
from tests.backends.zips import *
store, last = AsyncZipStore(sys.argv[1], durable=sys.argv[2] == "durable"), sys.argv[3]
def put(number):
    value = b"%06d" % number * 500
    drive(store.put(f"{number % 7}", value if number % 3 else iter([value] * 2)))
for number in range(30):
    put(number)
drive(store.delete("3"))
drive(store.checkpoint())
print("published", flush=True)
if last != "checkpoint":
    for number in range(30, 45):
        put(number)
if last == "delete":
    drive(store.delete("4"))
for key, value in contents(store).items():
    print(key, value.decode(), flush=True)
print("told", flush=True)
sys.stdin.read()
"""


@needs_disks
@pytest.mark.parametrize("last", ["checkpoint", "put", "delete"])
@pytest.mark.parametrize("kind", ["durable", "relaxed"])
def test_a_power_cut(tmp_path: Path, kind: str, last: str) -> None:
    image = formatted(tmp_path / "image")
    with ExitStack() as stack:
        disk = mounted(stack, image, tmp_path / "disk", LAZY)
        command = [sys.executable, "-c", WRITER, str(disk / "new" / "x.zip"), kind, last]
        pipe = subprocess.PIPE
        writer = stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        assert writer.stdout is not None
        assert writer.stdout.readline() == "published\n"
        told = dict(line.split() for line in iter(writer.stdout.readline, "told\n"))
        # What has reached the disk by now is all that is left when the power goes.
        cut = without_power(image, tmp_path / "cut")
        writer.kill()
    with ExitStack() as stack:
        path = mounted(stack, cut, tmp_path / "after") / "new" / "x.zip"
        assert len(unpacked(path)) == 6  # what was published before
        with opened(path) as store:
            found = contents(store)
        assert len(found) in ({len(told)} if kind == "durable" else {6, 7})
    if kind == "durable" or last == "checkpoint":
        assert {key: value.decode() for key, value in found.items()} == told
    assert {len(value) for value in found.values()} <= {3000, 6000}
