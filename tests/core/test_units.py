"""Sizes and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage._core.errors import ConfigError
from storage._core.units import parse_moment, parse_size

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("10", 10),
        ("10b", 10),
        ("10k", 10_240),
        ("10K", 10_240),
        ("10KiB", 10_240),
        ("10kB", 10_000),
        ("1.5MiB", 1_572_864),
        (" 2 G ", 2_147_483_648),
        (".5T", 549_755_813_888),
        ("1PB", 10**15),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1x", "1ki", "1e3", "1 2", "1.2.3", "٣", "10kk"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ConfigError, match=r"such as 1\.5MiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1.5w", timedelta(days=10.5)),
        ("1y6M", timedelta(days=545)),
        ("100ms", timedelta(milliseconds=100)),
    ],
)
def test_how_long_ago(text: str, ago: timedelta) -> None:
    assert parse_moment(text, NOW) == NOW - ago


def test_dates() -> None:
    assert parse_moment("2024-05-06T12:00:00Z") == NOW
    assert parse_moment("2024-05-06T14:00+02:00") == NOW
    local = parse_moment("2024-12-31")
    assert local.tzinfo is not None
    assert (local.day, local.hour) == (31, 0)


@pytest.mark.parametrize("text", ["", "5", "2D", "yesterday", "2024-13-01", "-1d", "9999999y"])
def test_no_times(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_moment(text)
