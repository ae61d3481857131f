"""The side-by-side runs run, and their figures mean what they say."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from benchmarks import harness, transfer
from benchmarks.__main__ import SUITES, main
from benchmarks.harness import LEAST, Limit, Race, Result, installed, readable, run, table


@pytest.mark.parametrize("suite", [None, *SUITES])
def test_every_suite_runs(
    suite: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "LEAST", 1)
    monkeypatch.setattr(transfer, "OBJECTS", {"key": b"value"})
    words = [] if suite is None else [suite]
    assert main([*words, "--seconds", "0", "--folder", str(tmp_path)]) in {0, 1}
    lines = capsys.readouterr().out.splitlines()
    assert suite is not None or len(lines) > 50
    assert lines[0].split()[-2:] == ["median", "ratio"]
    assert lines[1].split()[-1] == "1.00"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suite_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["frob"])
    assert "frob" in capsys.readouterr().err


def test_contenders_take_turns() -> None:
    turns: list[str] = []
    contenders = {name: lambda name=name: turns.append(name) for name in "abc"}
    results = run(Race("turns", contenders), seconds=0, turn=0)
    warming, rounds = turns[:3], ["".join(turns[i : i + 3]) for i in range(3, len(turns), 3)]
    assert warming == ["a", "b", "c"]
    assert rounds == ["abc", "bca", "cab", "abc", "bca"][:LEAST]
    assert list(results) == ["a", "b", "c"]
    assert (results["a"].ratio, results["a"].extra) == (1, 0)


def test_a_turn_is_long_enough_and_figures_are_of_one_operation() -> None:
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1
        sum(range(1000))

    result = run(Race("count", {"count": count}, operations=10), seconds=0, turn=0.01)["count"]
    assert calls > 20 * LEAST
    assert 1e-7 < result.seconds < 1e-3


@pytest.mark.parametrize(
    ("limit", "met"),
    [
        (Limit("x", ratio=4), True),
        (Limit("x", ratio=1.9), False),
        (Limit("x", extra=5e-6), True),
        (Limit("x", extra=1e-6), False),
    ],
)
def test_a_limit_is_met_or_missed(limit: Limit, met: bool) -> None:
    result = Result(seconds=4e-6, ratio=2, extra=2e-6)
    assert limit.met(result) is met
    race = Race("title", {"peer": int, "x": int}, limit=limit, absent=["other"])
    title, peer, own, absent = table(race, {"peer": Result(2e-6, 1, 0), "x": result})
    assert title.startswith("title")
    assert "at most" not in peer
    assert own.endswith("met" if met else "MISSED")
    assert absent == "  other is not installed"


def test_no_module_is_no_peer() -> None:
    assert installed("json") is not None
    assert installed("frobnicator") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.2e-8, "42 ns"),
        (1.234e-6, "1.23 us"),
        (0.0999, "99.9 ms"),
        (0.9996, "1 s"),
        (inf, "inf s"),
    ],
)
def test_times_are_readable(seconds: float, text: str) -> None:
    assert readable(seconds) == text
