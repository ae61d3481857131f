"""What a selection takes: by key, by size and by time, at either end."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage._async.transfer.selection import Selection
from storage._core.errors import ConfigError, InvalidKey
from storage._core.info import ObjectInfo

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_without_anything_it_takes_everything() -> None:
    selection = Selection()
    assert not selection
    assert selection.selects_key("a")
    assert selection.selects(ObjectInfo("a"), unknown=False)
    assert selection.prefixes() == ("",)


def test_a_key_is_included_and_not_excluded() -> None:
    selection = Selection(include=["*.jpg", "docs/"], exclude=["tmp", "!tmp/keep.jpg"])
    keys = ["a.jpg", "a.txt", "docs/x", "tmp/b.jpg", "tmp/keep.jpg", "docs/tmp/x", "tmp"]
    assert [key for key in keys if selection.selects_key(key)] == [
        "a.jpg",
        "docs/x",
        "tmp/keep.jpg",
    ]
    assert selection.by_key
    assert not selection.by_info
    assert pickle.loads(pickle.dumps(selection)) == selection


def test_exclude_alone_takes_all_else() -> None:
    selection = Selection(exclude=["*", "!*.jpg"])
    assert selection.selects_key("x/a.jpg")
    assert not selection.selects_key("a.txt")


def test_keys_of_a_list_are_meant_exactly() -> None:
    selection = Selection(files_from=["a", "b/c", "*"], exclude=["b"])
    assert [key for key in ("a", "a/x", "b/c", "*", "z") if selection.selects_key(key)] == [
        "a",
        "*",
    ]
    assert selection.prefixes() == ("*", "a", "b/c")
    nothing = Selection(files_from=[])
    assert nothing.by_key
    assert not nothing.selects_key("a")


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"min_size": 10}, [10, 11]),
        ({"max_size": 10}, [0, 9, 10]),
        ({"max_size": 0}, [0]),
        ({"min_size": 9, "max_size": 10}, [9, 10]),
    ],
)
def test_sizes_include_their_limits(limits: dict[str, int], sizes: list[int]) -> None:
    selection = Selection(**limits)  # type: ignore[arg-type]
    assert selection.by_info
    assert [n for n in (0, 9, 10, 11) if selection.selects(ObjectInfo("a", size=n))] == sizes
    assert selection.selects(ObjectInfo("a"))
    assert not selection.selects(ObjectInfo("a"), unknown=False)


def test_times_do_not_include_their_limits() -> None:
    selection = Selection(newer=NOON - HOUR, older=NOON + HOUR)
    times = [NOON - HOUR, NOON, NOON + HOUR]
    assert [selection.selects(ObjectInfo("a", modified=time)) for time in times] == [
        False,
        True,
        False,
    ]
    assert selection.selects(ObjectInfo("a"))
    assert not selection.selects(ObjectInfo("a"), unknown=False)


def test_a_time_without_a_zone_is_local() -> None:
    local = datetime(2024, 5, 6, 12)  # noqa: DTZ001 - as users write it
    assert Selection(newer=local).newer == local.astimezone()


def test_what_has_to_be_listed() -> None:
    assert Selection(include=["logs/2024/*.gz", "logs/", "/data"]).prefixes() == ("",)
    assert Selection(include=["/logs/", "logs/2024/*", "/data"]).prefixes() == ("data", "logs/")
    assert Selection(include=[f"logs/{day:02}/*" for day in range(31)]).prefixes() == ("logs/",)
    assert Selection(include=[f"/{day:02}" for day in range(31)]).prefixes() == ("",)
    assert Selection(exclude=["/logs"]).prefixes() == ("",)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"include": "*.jpg"}, "several patterns"),
    ({"include": ["[a"]}, "without its end"),
    ({"exclude": ["*"], "include": ["*.jpg"]}, "include alone means nothing else"),
    ({"min_size": -1}, "at least 0"),
    ({"min_size": 10, "max_size": 9}, "no size is from 10 to 9"),
    ({"newer": NOON, "older": NOON}, "nothing is newer"),
]


@pytest.mark.parametrize(("arguments", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Selection(**arguments)


def test_a_list_holds_keys() -> None:
    with pytest.raises(InvalidKey):
        Selection(files_from=["a", ""])
