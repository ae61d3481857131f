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
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from tests.cli.conftest import Run, Start
from tests.cli.test_buckets import url_of
from tests.cli.test_processes import wait_until
from tests.services.buckets import client as client_of
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


class Ends(NamedTuple):
    """Where objects come from and go to.

    Args:
        source: A URL.
        target: Another.
        bring_back: Takes what is there to a directory; not by our own means if there are others.
    """

    source: str
    target: str
    bring_back: Callable[[Path], object]


def to_a_directory(run: Run, request: pytest.FixtureRequest) -> Ends:
    """What other tools look at as it is."""
    return Ends("data", "copy", Path("copy").rename)


def to_a_database(run: Run, request: pytest.FixtureRequest) -> Ends:
    """Batches, each of them in a transaction."""
    return Ends("data", "sqlite://copy.db", lambda path: run("sync", "sqlite://copy.db", path))


def to_an_archive(run: Run, request: pytest.FixtureRequest) -> Ends:
    """Batches, which are in a journal of the archive's own before they are in the archive."""
    return Ends("data", "zip://copy.zip", lambda path: ZipFile("copy.zip").extractall(path))


def to_a_bucket(run: Run, request: pytest.FixtureRequest) -> Ends:
    """Objects that arrive at a server which lives on."""
    service = request.getfixturevalue("seaweedfs")
    bucket = request.getfixturevalue("new_bucket")(service)

    def bring_back(path: Path) -> None:
        path.mkdir()
        client = client_of(service)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for key in [entry["Key"] for page in pages for entry in page["Contents"]]:
            body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            (path / key.removeprefix("prefix/")).write_bytes(body)

    return Ends("data", url_of(service, bucket), bring_back)


def from_a_bucket(run: Run, request: pytest.FixtureRequest) -> Ends:
    """What is there lists in another order than the target."""
    _, bucket, _ = to_a_bucket(run, request)
    assert run("sync", "data", bucket).code == 0
    return Ends(bucket, "copy", Path("copy").rename)


Way = Callable[[Run, pytest.FixtureRequest], Ends]
WAYS: tuple[Way, ...] = (to_a_directory, to_a_database, to_an_archive, to_a_bucket, from_a_bucket)


@pytest.mark.parametrize("way", WAYS)
def test_killed_again_and_again_it_converges(
    start: Start, run: Run, folder: Path, way: Way, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(SEED)
    journal = folder / "journal"
    for name, contents in {"data": numbered(OBJECTS, SIZE), "old": {"surplus": b""}}.items():
        (folder / name).mkdir()
        for key, content in contents.items():
            (folder / name / key).write_bytes(content)
    ends = way(run, request)
    assert run("sync", "old", ends.target).code == 0
    # Slow enough that no run comes to its end.
    rate = OBJECTS * SIZE / KILLS
    words = ["sync", "--json", "--delete", f"--journal={journal}", ends.source, ends.target]
    told: list[set[str]] = []
    for _ in range(KILLS):
        known = remembered(journal)
        with (folder / "told").open("wb") as output:
            process = start(*words, f"--bwlimit={rate:.0f}", stdout=output.fileno())
            if len(told) % 3 == 2:  # at any moment
                time.sleep(chance.uniform(0, 1))
            else:  # after something was remembered
                wait_until(lambda: os.path.getsize("told"), process)
                time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        told.append(copied((folder / "told").read_bytes()))
        assert told[-1].isdisjoint(known), f"seed {SEED}"
        assert remembered(journal) >= known | told[-1], f"seed {SEED}"
    known = remembered(journal)
    assert known, f"nothing was done before the last kill (seed {SEED})"
    out, err = start(*words).communicate(timeout=100)
    assert err == b""
    *_, sums = map(json.loads, out.splitlines())
    assert copied(out).isdisjoint(known), f"seed {SEED}"
    assert sums["sums"]["complete"]
    ends.bring_back(folder / "back")
    assert are_identical("data", "back")
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
