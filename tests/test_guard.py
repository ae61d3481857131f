"""The guard sees a blocking call of the package, and only that."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import storage
from tests.guard import no_blocking

pytestmark = pytest.mark.allow_blocking("the guard is switched on within each test")


def of_the_package(expression: str) -> Callable[[], object]:
    """A function that the guard takes for one of the package."""
    file = Path(storage.__path__[0], "imagined.py")
    names: dict[str, Callable[[], object]] = {}
    exec(compile(f"import io, os, time\ndef call(): return {expression}", file, "exec"), names)
    return names["call"]


@pytest.mark.parametrize(
    "expression", ["time.sleep(0)", "open(os.devnull)", "os.stat('.')", "os.fsync(1)"]
)
async def test_blocking_in_the_package_raises(expression: str) -> None:
    call = of_the_package(expression)
    with no_blocking() as seen, pytest.raises(BlockingError):
        call()
    assert len(seen) == 1
    assert "imagined.py" in seen[0]


async def test_a_swallowed_error_is_still_seen() -> None:
    call = of_the_package("time.sleep(0)")
    with no_blocking() as seen, contextlib.suppress(Exception):
        call()
    assert len(seen) == 1


async def test_worker_threads_may_block() -> None:
    with no_blocking() as seen:
        await asyncio.to_thread(of_the_package("time.sleep(0)"))
    assert seen == []


async def test_tests_may_block() -> None:
    with no_blocking() as seen:
        time.sleep(0)
    assert seen == []


def test_without_a_loop_nothing_is_wrong() -> None:
    with no_blocking() as seen:
        of_the_package("time.sleep(0)")()
    assert seen == []


async def test_imports_may_block() -> None:
    call = of_the_package("__import__('this_module_does_not_exist')")
    with no_blocking() as seen, pytest.raises(ModuleNotFoundError):
        call()
    assert seen == []
