"""The kit has teeth: a store that breaks one promise fails the checks that are about it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.testing import StoreConformance
from tests.conformance.broken import (  # noqa: F401 - each enters its stores
    conditions,
    files,
    keys,
    life,
    listings,
    reads,
    writes,
)
from tests.conformance.broken.checks import failure, names
from tests.conformance.broken.healthy import BROKEN, HealthyStore, Kit, kit_of

CASES = [
    pytest.param(kind, check, hints, id=f"{kind.__name__}-{check.removeprefix('test_')}")
    for kind, checks, hints in BROKEN
    for check in checks
]


class TestHealthy(Kit):
    """What all broken stores derive from passes every check."""


@pytest.fixture(autouse=True)
def _clean_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what broken stores leave open; they are not what is to be seen here."""
    for name in ("CI", "BUILD_NUMBER"):  # with them, pytest shows long differences in full
        monkeypatch.delenv(name, raising=False)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    for left in (reads.LEAKED, life.LEFT_OPEN):
        while left:
            with suppress(OSError):
                os.close(left.pop())
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize(("kind", "check", "hints"), CASES)
def test_broken_store_is_noticed(
    kind: type[HealthyStore], check: str, hints: dict[str, object], tmp_path: Path
) -> None:
    assert failure(kit_of(kind, hints), check, tmp_path) is not None, (
        f"{check} has not noticed: {kind.__doc__}"
    )


def test_every_check_has_teeth() -> None:
    """No check that cannot fail: each one is failed by some broken store."""
    proven = {check for _, checks, _ in BROKEN for check in checks}
    assert set(names()) == proven


def test_no_check_hides_another() -> None:
    """Two checks of one name, in two of the kit's classes, would be one."""
    seen: dict[str, type] = {}
    for part in StoreConformance.__mro__[1:-1]:
        for name in vars(part):
            if name.startswith("test_"):
                assert name not in seen, f"{name} is in {part} and in {seen[name]}"
                seen[name] = part
