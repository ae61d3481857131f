"""The benchmark of the web service runs, and its figures mean what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("uvicorn")

from benchmarks.service import report
from benchmarks.service.__main__ import run
from benchmarks.service.clients import CROWDS, Seen
from tests.services import buckets
from tests.services.process import S3Service

MIB = 1024 * 1024


def test_every_crowd_is_served(seaweedfs: S3Service) -> None:
    bucket = buckets.create_bucket(seaweedfs)
    try:
        seen = [*run(seaweedfs, bucket, bytes(MIB // 4), clients=8, pool=4)]
    finally:
        buckets.remove_bucket(seaweedfs, bucket)
    assert [each.crowd for each in seen] == [*CROWDS]
    assert all(each.done["good"] == 8 for each in seen)
    assert all(each.after["connections"] == 0 for each in seen)
    assert all(0 < each.after["step"] <= each.after["busy"] for each in seen)
    assert all(len(row) == len(report.HEAD) for row in report.rows(seen))
    assert [str(verdict) for verdict in report.verdicts(seen) if "left" in verdict.title] == [
        "connections left in use: 0, at most 0: met"
    ]


def test_what_is_missed_is_told() -> None:
    after = {"peak": 10 * MIB, "step": 0.01, "busy": 0.1, "late": 0.2, "connections": 0}
    done = {"seconds": 2.0, "good": 8, "bytes": MIB}
    good = Seen(CROWDS[0], 8, {"memory": 4 * MIB}, done, after)
    assert all(verdict.met for verdict in report.verdicts([good, good]))
    assert next(report.rows([good])) == (CROWDS[0].name, "2.0", "4", "6", "10", "100", "200", "0")
    for wrong in ({"peak": 205 * MIB}, {"step": 0.06}, {"connections": 1}):
        bad = replace(good, after=after | wrong)
        assert [verdict.met for verdict in report.verdicts([good, bad])].count(False) == 1
    cut = replace(good, done=done | {"good": 7})
    missed = [str(verdict) for verdict in report.verdicts([cut]) if not verdict.met]
    assert missed == ["clients that did not get what they wanted: 1, at most 0: MISSED"]
