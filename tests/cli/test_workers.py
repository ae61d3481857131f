"""A sync with worker processes does what one without them does, also when some of them die."""

from __future__ import annotations

import filecmp
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Start
from tests.cli.test_buckets import url_of
from tests.cli.test_processes import wait_until
from tests.services.plugin import NewBucket
from tests.services.process import S3Service
from tests.stores import numbered

SLOW = ("sync", "--workers=2", "--transfers=8", "--bwlimit=200k", "data", "copy")
"""A sync of 40 objects that takes a while."""


@pytest.fixture
def data(folder: Path) -> Path:
    """Small objects."""
    data = folder / "data"
    data.mkdir()
    for key, content in numbered(40, 5000).items():
        (data / key).write_bytes(content)
    return data


def are_same(a: Path, b: Path) -> bool:
    """Whether two directories hold the same files."""
    found = filecmp.cmpfiles(a, b, os.listdir(a), shallow=False)
    return os.listdir(a) != [] and sorted(os.listdir(a)) == sorted(os.listdir(b)) == sorted(
        found[0]
    )


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a process has started."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def objects(target: str) -> int:
    """How many objects have arrived."""
    return len(os.listdir(target)) if os.path.exists(target) else 0


def test_workers_copy_and_the_parent_deletes(run: Run, data: Path, folder: Path) -> None:
    (folder / "copy").mkdir()
    (folder / "copy" / "surplus").touch()
    (folder / "copy" / "key-00003").write_bytes(b"x" * 5000)
    (data / "large").write_bytes(bytes(9_000_000))
    done = run("sync", "--workers", 2, "--delete", "--backup", "kept", data, "copy")
    assert done.sums == {"copied": 41, "identical": 0, "deleted": 1, "failed": 0}, done.err
    assert are_same(data, folder / "copy")
    assert sorted(os.listdir("kept")) == ["key-00003", "surplus"]
    done = run("sync", "--workers", 2, data, "copy")
    assert done.sums == {"copied": 0, "identical": 41, "deleted": 0, "failed": 0}


def test_a_plan_may_be_applied_again(run: Run, data: Path) -> None:
    run("plan", "-o", "plan", data, "copy")
    for done in (run("apply", "--workers", 2, "plan"), run("apply", "--workers", 2, "plan")):
        assert done.code == 0, done.err
    assert done.sums == {"copied": 0, "identical": 40, "deleted": 0, "failed": 0}


def test_what_a_worker_cannot_do_is_told(run: Run, data: Path, folder: Path) -> None:
    (folder / "copy" / "key-00005").mkdir(parents=True)
    (folder / "copy" / "key-00005" / "surplus").touch()
    done = run("sync", "--workers", 2, data, "copy")
    assert done.code == 2
    assert done.sums["copied"] == 39
    assert "'key-00005'" in done.complaint


def test_what_no_other_process_can_open_is_refused(run: Run, data: Path) -> None:
    done = run("sync", "--workers", 2, data, "memory://")
    assert (done.code, done.out) == (1, "")
    assert "leave out --workers" in done.complaint


def test_there_and_back(
    run: Run, data: Path, folder: Path, seaweedfs: S3Service, new_bucket: NewBucket
) -> None:
    bucket = url_of(seaweedfs, new_bucket(seaweedfs))
    assert run("sync", "--workers", 2, data, bucket).sums["copied"] == 40
    assert run("sync", "--workers", 2, bucket, "back").sums["copied"] == 40
    assert are_same(data, folder / "back")


def test_a_worker_that_dies_is_done_without(start: Start, data: Path) -> None:
    process = start(*SLOW)
    wait_until(lambda: objects("copy") > 5, process)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(b"       40 copied")
    assert err.startswith(b"storage: a worker ended with code -9 while it was at ")
    assert are_same(data, Path("copy"))


def test_without_any_worker_the_rest_fails(start: Start, data: Path) -> None:
    process = start(*SLOW)
    wait_until(lambda: objects("copy") > 5 and len(workers_of(process)) == 2, process)
    for pid in workers_of(process):
        os.kill(pid, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"the process that was to copy it has ended" in err
    assert 5 < objects("copy") < 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_the_sync(start: Start, data: Path, number: int) -> None:
    process = start(*SLOW)
    wait_until(lambda: objects("copy") > 5 and len(workers_of(process)) == 2, process)
    workers = workers_of(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err.startswith(b"storage: interrupted: ")
    end = time.monotonic() + 20
    while any(map(is_there, workers)):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not [name for name in os.listdir("copy") if "tmp" in name]
    assert objects("copy") < 40
