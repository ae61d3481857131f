"""The benchmarks of synchronisations run, and notice what is not synchronised."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from benchmarks import markdown
from benchmarks.sync import __main__, peers, race, report, scale, trees
from benchmarks.sync.peers import OURS, PEERS, Peer
from benchmarks.sync.places import Bucket, Database, Directory, Place
from benchmarks.sync.race import STAGES, Cycle, Task, Turn
from benchmarks.sync.trees import CHANGED, LEAST, MIB, MOST, Tree
from tests.services.process import S3Service

SERVICE = S3Service("http://127.0.0.1:1", "key", "secret", "us-east-1", "none")
PAIR = ("directory", "directory")


def test_it_runs_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--pair", "directory to directory", "--objects", "3", "--large", "0"]
    assert (
        __main__.main([*words, "--rounds", "1", "--peer", "cp -a", "--folder", str(tmp_path)]) == 0
    )
    out = capsys.readouterr().out
    assert "failed" not in out
    assert all(f"directory to directory, {stage} |" in out for stage in STAGES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("program", "reason"), [("true", "(0, 0)"), ("false", "exit code 1")])
def test_who_does_not_do_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    monkeypatch.setitem(PEERS, OURS, Peer(program, lambda program, *_: [program]))
    told: list[str] = []
    run = race.run(
        tmp_path, peers.available([OURS], {}), pairs=[PAIR], objects=2, large=0, rounds=2,
        tell=told.append,
    )  # fmt: skip
    (task,) = run
    assert [turn.failure.startswith(reason) for turn in task.cycles[OURS][0].values()] == [True] * 3
    assert len(told) == len(task.cycles[OURS]) == 2
    assert "failed" in "".join(report.details(task))


def test_files_are_as_they_were_in_every_run(tmp_path: Path) -> None:
    lengths = list(trees.lengths(200))
    assert lengths == list(trees.lengths(200))
    assert LEAST <= min(lengths) < max(lengths) <= MOST
    tree = trees.small(tmp_path, 101)
    before = tree.total
    changed = tree.change()
    assert len(changed) == -(-101 // CHANGED)
    assert Directory(tree.root).holds() == (101, tree.total) == (101, before + len(changed))


def test_places_come_and_go(tmp_path: Path) -> None:
    from storage.db import SqliteStore

    directory, database = Directory(tmp_path / "a"), Database(tmp_path / "b")
    directory.make()
    database.make()
    with SqliteStore(tmp_path / "b") as store:
        store.put("key", b"value")
    assert directory.holds() == (0, 0)
    assert database.holds() == (1, 5)
    directory.remove()
    database.remove()
    assert list(tmp_path.iterdir()) == []


def test_commands_go_where_they_can(tmp_path: Path) -> None:
    places: list[Place] = [
        Directory(tmp_path), Bucket(SERVICE, "bucket"), Database(tmp_path / "db"),
    ]  # fmt: skip
    able = {
        name: {
            (source.kind, target.kind)
            for source, target in product(places, repeat=2)
            if peer.command("program", source, target)
        }
        for name, peer in PEERS.items()
    }
    assert {*race.PAIRS} <= able[OURS]
    assert able["rclone"] == {*product(("directory", "S3"), repeat=2)}
    assert able["aws"] == able["s5cmd"] == able["rclone"] - {PAIR}
    assert able["cp -a"] == able["rsync -a"] == {PAIR}
    source = places[1]
    words = PEERS["s5cmd"].command("s5cmd", source, places[0])
    assert words == ["s5cmd", "--log", "error", "sync", "s3://bucket/*", f"{tmp_path}/"]


def test_commands_know_this_server_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert "AWS_PROFILE" not in peers.environment(tmp_path, None)
    told = peers.environment(tmp_path, SERVICE)
    assert told["AWS_ENDPOINT_URL"] == told["RCLONE_CONFIG_BENCHMARK_ENDPOINT"]
    assert told["HOME"] == str(tmp_path)
    assert peers.find("no such program") is None
    assert peers.available([OURS], {}) == {OURS: peers.find("storage")}
    assert peers.find("storage")


def cycles(*seconds: float, failure: str = "") -> list[Cycle]:
    return [{stage: Turn(each, each, 9 * MIB, failure) for stage in STAGES} for each in seconds]


def test_ours_is_measured_against_the_best_that_works() -> None:
    task = Task(Tree("files", Path()), PAIR)
    task.cycles = {
        OURS: cycles(8, 1, 8), "rclone": cycles(10, 10, 2), "s5cmd": cycles(11, 11, 11),
        "aws": cycles(1, 1, 1, failure="no"), "cp -a": cycles(1, 1, 1),
    }  # fmt: skip
    assert report.best(task, STAGES[0]) == "rclone"
    first, nothing, _, peak = report.verdicts(task)
    assert (first.figure, first.met) == (0.8, True)
    assert (nothing.figure, nothing.met) == (0.8, True)
    assert (peak.figure, peak.met) == (9, True)
    lines = list(report.summary([task]))
    assert lines[2].endswith("| 0.80 |")
    assert "failed" in lines[2]
    assert len(lines) == 2 + len(STAGES) + 1


def test_many_keys(capsys: pytest.CaptureFixture[str]) -> None:
    seconds, processor, peak = scale.measure(200)
    assert seconds > 0
    assert processor > 0
    assert peak > MIB


def test_figures_go_between_their_marks(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("<!-- a -->\nold\n<!-- /a -->\n")
    markdown.write(text, "a", markdown.table(("", "b"), [("c", "1")]))
    assert text.read_text().splitlines()[1:-1] == ["|  | b |", "| --- | ---: |", "| c | 1 |"]
    with pytest.raises(ValueError, match="no marks"):
        markdown.write(text, "b", ())
    assert "c" in markdown.where("c")
