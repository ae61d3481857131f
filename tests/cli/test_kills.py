"""Killed at any point and run again, a sync converges, and copies nothing twice that it knew of.

With STORAGE_KILLS="5000x20" in the environment it is 5,000 objects and 20 kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Start
from tests.cli.test_processes import wait_until
from tests.stores import numbered

OBJECTS, KILLS = map(int, os.environ.get("STORAGE_KILLS", "200x2").split("x"))
SIZE = 200
SEED = random.randrange(2**32)


def remembered(journal: Path) -> set[str]:
    """The keys of objects that are known to be the same."""
    if not journal.exists():
        return set()
    with sqlite3.connect(journal) as database:
        rows = database.execute("SELECT key FROM objects").fetchall()
    database.close()
    return {key for (key,) in rows}


def copied(told: bytes) -> set[str]:
    """The keys that a run says it has copied; its last line may be cut."""
    lines = [
        line for line in told.split(b"\n")[:-1] if b'"copied"' in line and b'"sums"' not in line
    ]
    return {json.loads(line)["key"] for line in lines}


def test_killed_again_and_again_it_converges(start: Start, folder: Path) -> None:
    chance = random.Random(SEED)
    data, journal = folder / "data", folder / ".copy.storage-journal"
    data.mkdir()
    contents = numbered(OBJECTS, SIZE)
    for key, content in contents.items():
        (data / key).write_bytes(content)
    (folder / "copy").mkdir()
    (folder / "copy" / "surplus").touch()
    # Slow enough that no run comes to its end.
    rate = OBJECTS * SIZE / KILLS
    words = ["sync", "--json", "--delete", f"--bwlimit={rate:.0f}", "data", "copy"]
    told: list[set[str]] = []
    for _ in range(KILLS):
        known = remembered(journal)
        with (folder / "told").open("wb") as output:
            process = start(*words, stdout=output.fileno())
            _until_it_is_at_work(process, folder / "copy")
            if len(told) % 3 != 2:  # two of three are killed after something was remembered
                wait_until(lambda: os.path.getsize("told"), process)
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        told.append(copied((folder / "told").read_bytes()))
        assert told[-1].isdisjoint(known), f"seed {SEED}"
        assert remembered(journal) >= known | told[-1], f"seed {SEED}"
    known = remembered(journal)
    assert known, f"nothing was done before the last kill (seed {SEED})"
    out, err = start("sync", "--json", "--delete", "data", "copy").communicate(timeout=100)
    assert err == b""
    *_, sums = map(json.loads, out.splitlines())
    assert copied(out).isdisjoint(known), f"seed {SEED}"
    assert sums["sums"]["complete"]
    assert are_identical("data", "copy")
    assert sum(map(len, told)) <= OBJECTS


def are_identical(a: str, b: str) -> bool:
    """What an independent tool says; a file in the making that a kill left would be seen."""
    return subprocess.run(["diff", "-r", a, b], check=False).returncode == 0


def _until_it_is_at_work(process: subprocess.Popen[bytes], copy: Path) -> None:
    before = len(os.listdir(copy))
    end = time.monotonic() + 30
    while len(os.listdir(copy)) <= before and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [2])
def test_killed_with_workers_it_converges(start: Start, folder: Path, workers: int) -> None:
    data = folder / "data"
    data.mkdir()
    for key, content in numbered(60, SIZE).items():
        (data / key).write_bytes(content)
    words = ["sync", f"--workers={workers}", "data", "copy"]
    process = start(*words, "--bwlimit=5k")
    (folder / "copy").mkdir()
    _until_it_is_at_work(process, folder / "copy")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    known = remembered(folder / ".copy.storage-journal")
    done = start(*words, "--json")
    out, _ = done.communicate(timeout=100)
    assert done.returncode == 0
    assert copied(out).isdisjoint(known)
    assert are_identical("data", "copy")
