"""What every test has: real servers, the guard of the event loop, settings for hypothesis."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.guard", "tests.services.plugin"]

# No deadline for one example: the machines that run this are slow at times.
settings.register_profile("storage", settings(deadline=None, print_blob=True))
settings.load_profile("storage")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare the collector the tests themselves.

    There are so many that a full collection would take a third of a second, and so it would come
    so seldom that the garbage of large tests piles up to gigabytes.
    """
    gc.collect()
    gc.freeze()
    gc.collect()


@pytest.fixture(scope="session")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths for directories, each of a name that no other process gives."""
    base = tmp_path_factory.getbasetemp()
    return (base / f"{os.getpid()}-{number}" for number in count())


@pytest.fixture
def tmp_path(_places: Iterator[Path]) -> Path:
    """A directory of the test's own.

    The one of pytest looks at those of all tests before, which takes longer the more there are.
    """
    path = next(_places)
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def hears_interrupts() -> Iterator[None]:
    """Let the processes that a test starts hear SIGINT.

    They inherit that it is ignored, as it is where a shell has put the tests in the background.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
