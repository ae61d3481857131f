"""sync and verify do what they say, and say what they did."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

import pytest

from storage.aioutils import async_sync_stores
from storage.cli import transfer
from tests.cli.conftest import Run
from tests.stores import numbered

TARGETS = ["copy", "sqlite://copy.sqlite", "zip://copy.zip"]


@pytest.fixture
def data(folder: Path) -> Path:
    """A directory with twenty objects."""
    data = folder / "data"
    data.mkdir()
    for key, content in numbered(20, 1000).items():
        (data / key).write_bytes(content)
    return data


@pytest.mark.parametrize("target", TARGETS)
def test_sync_makes_the_target_the_source(run: Run, data: Path, target: str) -> None:
    done = run("sync", data, target)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("       20 copied             20.0 kB\n        0 identical\n")
    assert done.sums == {"copied": 20, "identical": 0, "deleted": 0, "failed": 0}
    assert run("verify", data, target) == (0, b"identical: 20 objects, every byte\n", "")
    (data / "key-00003").write_bytes(b"changed")
    (data / "key-00004").unlink()
    done = run("sync", data, target)
    assert done.sums == {"copied": 1, "identical": 18, "deleted": 0, "failed": 0}
    assert run("cat", target, "key-00004").code == 0
    done = run("sync", "--delete", "--transfers", 1, data, target)
    assert done.sums == {"copied": 0, "identical": 19, "deleted": 1, "failed": 0}
    assert run("cat", target, "key-00004").code == 2


@pytest.mark.parametrize("target", TARGETS)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    run: Run, data: Path, target: str
) -> None:
    run("put", target, "surplus", data / "key-00001")
    done = run("sync", "--delete", "--max-delete=1", "--dry-run", data, target)
    assert (done.code, done.err) == (0, "")
    assert done.sums == {"would be copied": 20, "identical": 0, "would be deleted": 1, "failed": 0}
    lines = done.out.splitlines()
    assert "copy     key-00000  (new, 1.0 kB)" in lines
    assert "delete   surplus  (surplus)" in lines
    assert not [name for name in os.listdir() if "journal" in name]
    assert run("ls", target).out == "surplus\n"


def test_sync_goes_on_after_a_failure_and_deletes_nothing(
    run: Run, data: Path, folder: Path
) -> None:
    # A key below another one cannot be a path.
    (folder / "copy" / "key-00005").mkdir(parents=True)
    (folder / "copy" / "key-00005" / "surplus").touch()
    done = run("sync", "--delete", data, "copy")
    assert done.code == 2
    assert done.sums == {"copied": 19, "identical": 0, "deleted": 0, "failed": 1}
    first, second = done.err.splitlines()
    assert "'key-00005'" in first
    assert second == "storage: nothing was deleted: some objects could not be copied"
    assert (folder / "copy" / "key-00005" / "surplus").exists()


def test_sync_names_ten_failures_and_counts_the_others(run: Run, data: Path, folder: Path) -> None:
    for key in numbered(15):
        (folder / "copy" / key).mkdir(parents=True)
        (folder / "copy" / key / "surplus").touch()
    done = run("sync", data, "copy")
    assert done.code == 2
    assert len(done.err.splitlines()) == 11
    assert done.err.endswith("storage: and 5 more failed\n")


def test_sync_does_not_empty_the_target(run: Run, data: Path, folder: Path) -> None:
    (folder / "empty").mkdir()
    done = run("sync", "--delete", "empty", data)
    assert done.code == 2
    assert "nothing was deleted: the source is empty" in done.complaint
    assert len(list(data.iterdir())) == 20


@pytest.mark.parametrize("words", [["sync", "--delete"], ["verify"]])
def test_a_mistyped_source_is_no_empty_store(run: Run, data: Path, words: list[str]) -> None:
    done = run(*words, "date", data)
    assert (done.code, done.out) == (2, "")
    assert done.complaint.endswith("the root directory does not exist")
    assert len(list(data.iterdir())) == 20


def test_verify_tells_every_kind_of_difference(run: Run, data: Path) -> None:
    run("sync", data, "copy")
    (data / "key-00001").write_bytes(b"longer" * 1000)
    (data / "key-00002").write_bytes(b"x" * 1000)
    (data / "key-00003").unlink()
    (data / "extra\n").touch()
    done = run("verify", data, "copy")
    assert (done.code, done.err) == (2, "")
    assert done.out.splitlines() == [
        "extra\\n: only in the first",
        "key-00001: 6000 bytes here, 1000 there",
        "key-00002: other bytes",
        "key-00003: only in the second",
        "different: 4 of 21 objects",
    ]


def test_verify_names_ten_differences_and_counts_the_others(run: Run, data: Path) -> None:
    run("sync", data, "copy")
    for key in numbered(15):
        (data / key).write_bytes(b"")
    lines = run("verify", "copy", data).out.splitlines()
    assert len(lines) == 12
    assert lines[-2:] == ["and 5 more", "different: 15 of 20 objects"]


def test_verify_reads_less_where_less_is_asked_for(run: Run, data: Path) -> None:
    run("sync", data, "copy")
    (data / "key-00002").write_bytes(b"x" * 1000)
    assert run("verify", "--size-only", data, "copy").out == "identical: 20 objects, by length\n"
    assert run("verify", "--checksum", data, "copy").code == 2
    assert run("verify", "--checksum", "--size-only", data, "copy").code == 1


def test_what_no_key_stands_for_is_a_failure_with_its_name(run: Run, data: Path) -> None:
    (data / "below").mkdir()
    for name in (b"below/\xff", b"\xfe"):
        with open(os.path.join(os.fsencode(data), name), "wb"):
            pass
    done = run("sync", "--delete", data, "copy")
    assert done.code == 2
    assert done.sums == {"copied": 20, "identical": 0, "deleted": 0, "failed": 2}
    assert "below/\\udcff: " in done.err
    told = run("sync", "--json", "--exclude=below/", data, "copy")
    sums = json.loads(told.out.splitlines()[-1])["sums"]
    assert (told.code, sums["identical"], list(sums["failures"])) == (2, 20, ["\udcfe"])
    assert run("plan", data, "copy").out.count("files that no key stands for") == 1
    # At the target they are in nobody's way.
    assert run("sync", "--delete", "--max-delete=none", "copy", data).code == 0


def test_an_error_at_the_end_hides_no_sums(run: Run, data: Path) -> None:
    done = run("sync", data, "full://")
    assert (done.code, done.sums["copied"]) == (2, 20)
    assert done.complaint.endswith("No space left on device")
    told = run("sync", "--json", data, "full://")
    assert not json.loads(told.out.splitlines()[-1])["sums"]["complete"]


def test_the_defaults_are_those_of_the_package() -> None:
    options = inspect.signature(async_sync_stores).parameters
    told = {each.name: each.default for each in transfer.sync.params}
    for name in ("transfers", "buffer"):
        assert told[name] == options[name].default
