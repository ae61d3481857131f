"""The benchmarks of local stores run, and their figures mean what they say."""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.local import __main__, contenders, report
from benchmarks.local.contender import AsyncContender, Contender
from benchmarks.local.contenders import ASYNC, BLOCKING, BY_HAND, PLAIN
from benchmarks.local.race import Table, Turn
from benchmarks.local.report import DATABASE, FILES, Limit
from benchmarks.local.tasks import LARGE_VERBS, PIECE, SMALL_VERBS, Mode
from benchmarks.local.worker import Worker

OBJECTS = 3
MODE = Mode(waits=True, durable=False)


def opened(kind: type[Contender], folder: Path) -> Worker:
    if not find_spec(kind.needs):
        pytest.skip(f"{kind.needs} is not installed")
    return Worker(kind(folder, durable=False), MODE, OBJECTS, PIECE)


@pytest.mark.parametrize("name", BLOCKING)
def test_every_store_does_what_it_can(name: str, tmp_path: Path) -> None:
    worker = opened(BLOCKING[name], tmp_path)
    able = worker.able()
    assert {*SMALL_VERBS, *LARGE_VERBS} - {*able} <= {"delete"}
    for verb in able:
        told = worker.do(verb)
        assert told["seconds"] > 0
        assert told["peak"] > PIECE
    worker.store.close()


@pytest.mark.parametrize("name", [name for name in ASYNC if name != BY_HAND])
def test_and_so_on_the_loop(name: str, tmp_path: Path) -> None:
    async def work(worker: Worker) -> None:
        await worker.store.aenter()
        for verb in worker.able():
            assert (await worker.ado(verb))["seconds"] > 0
        await worker.store.aclose()

    worker = opened(ASYNC[name], tmp_path)
    assert isinstance(worker.store, AsyncContender)
    asyncio.run(work(worker))


def test_what_is_found_is_looked_at(tmp_path: Path) -> None:
    worker = opened(BLOCKING[PLAIN], tmp_path)
    worker.do("put")
    (tmp_path / worker.keys[-1]).write_bytes(b"other")
    with pytest.raises(AssertionError):
        worker.do("get")


def test_stores_take_part_where_they_can() -> None:
    durable = contenders.of(Mode(waits=True, durable=True))
    assert {FILES, DATABASE, PLAIN, BY_HAND} <= {*durable} <= {*contenders.of(MODE)}
    assert "MemoryStore" not in durable
    assert contenders.of(MODE, (PLAIN,)) == [PLAIN]


def test_it_runs_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- local-figures -->\nold\n<!-- /local-figures -->\nb\n")
    words = ["--mode", "other, not", "--store", PLAIN, "--objects", "5", "--size", "0"]
    folders = ["--folder", str(tmp_path), "--disk", str(tmp_path), "--readme", str(readme)]
    assert __main__.main([*words, "--rounds", "1", *folders]) == 0
    text = readme.read_text()
    assert f"| {PLAIN} |" in text
    assert "old" not in text
    assert text.splitlines()[-1] == "b"
    assert capsys.readouterr().out.splitlines()[-1] == text.splitlines()[-3]
    assert list(tmp_path.iterdir()) == [readme]


def turns(*seconds: float) -> list[Turn]:
    return [{"seconds": each, "cpu": each / 2, "peak": PIECE, "count": 10} for each in seconds]


def test_ratios_are_those_of_the_rounds() -> None:
    table = Table(MODE, objects=10, size=PIECE)
    table.turns = {("ours", "get"): turns(1, 20, 3), ("theirs", "get"): turns(1, 10, 1)}
    table.turns["ours", "read"] = [{**turns(1)[0], "count": 1}]
    limits = [Limit(MODE, "get", "ours", peer, 2) for peer in ("theirs", "nobody's")]
    limits += [Limit(MODE, "get", "theirs", "ours", 0.4)]
    limits += [Limit(Mode(waits=False, durable=False), "get", "ours", "theirs", 2)]
    met, missed = report.verdicts(table, limits)
    assert (met.ratio, met.processor, met.met) == (2, 2, True)
    assert (missed.ratio, missed.met) == (0.5, False)
    assert str(missed).endswith("MISSED")
    ours = list(report.details(table))[2].split(" | ")
    assert ours[2] == "3e+05 (1.5e+05)"
    assert ours[1] == "-"
    assert ours[-2:] == ["1", "1 |"]


def test_what_a_worker_tells_is_json(tmp_path: Path) -> None:
    worker = opened(BLOCKING[PLAIN], tmp_path)
    assert json.loads(json.dumps(worker.do("put"))).keys() == {
        "seconds", "cpu", "peak", "count"
    }  # fmt: skip
