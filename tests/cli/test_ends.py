"""What a verb on two stores holds open while it runs, and lets go of however it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from storage._async.transfer import ahead
from storage._core.errors import ConfigError
from storage.cli.ends import Ends
from storage.testing.harness import interrupt_everywhere, nothing_forgotten
from tests.stores import numbered

WORDS = {"journal": None, "no_journal": False, "backup": None, "workers": 1}


@pytest.fixture
def data(folder: Path) -> dict[str, bytes]:
    """What is in the source."""
    objects = numbered(20, 1000)
    (folder / "data").mkdir()
    for key, content in objects.items():
        (folder / "data" / key).write_bytes(content)
    return objects


@pytest.mark.parametrize("target", ["copy", "sqlite://copy.sqlite"])
async def test_interrupted_everywhere(folder: Path, data: dict[str, bytes], target: str) -> None:
    """Also while the listings are begun and the rest is loaded; the next run goes on."""

    async def work() -> None:
        ends = Ends("data", target, dict(WORDS), make_journal=True)
        async with ends.running({"delete": True}) as run:
            await run.sync()

    with nothing_forgotten():
        await interrupt_everywhere(work, seconds=0.5)
        await work()
    ends = Ends("data", target, dict(WORDS), make_journal=True)
    async with ends.running({}) as run:
        report = await run.sync()
    assert (report.copied, report.identical, report.failed) == (0, len(data), 0)


@pytest.mark.parametrize(
    ("target", "options"),
    [("data", {}), ("frob://x", {}), ("copy", {"compare": "no such way"})],
    ids=["overlap", "no such store", "no such option"],
)
async def test_what_makes_no_sense_touches_nothing(
    folder: Path,
    data: dict[str, bytes],
    target: str,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though the source is being listed by then, which is given up."""
    monkeypatch.setattr(ahead, "AHEAD", 0)  # a listing that does not end by itself
    with nothing_forgotten(), pytest.raises(ConfigError):
        ends = Ends("data", target, dict(WORDS), make_journal=True)
        async with ends.running(options) as run:
            await run.sync()
    assert sorted(path.name for path in folder.iterdir()) == ["data"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
