"""Runs single checks of the kit by hand, to see whether they fail."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.testing import StoreConformance

LIMIT = 30.0
"""Seconds after which a check counts as hanging, which is a failure too."""


def names() -> list[str]:
    """All checks of the kit."""
    return sorted(name for name in dir(StoreConformance) if name.startswith("test_"))


def failure(kit: type[StoreConformance], name: str, place: Path) -> BaseException | None:
    """How a check fails, with any of its parameters; None where it passes or skips."""
    check = getattr(kit, name)
    for number, arguments in enumerate(_arguments(check)):
        instance = kit()
        instance.tmp_path = place / str(number)
        instance.tmp_path.mkdir(parents=True)
        # What a broken store forgets is found where the check looks for it, not here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                asyncio.run(asyncio.wait_for(_run(instance, name, arguments), LIMIT))
            except (Exception, pytest.fail.Exception) as error:
                return error
            except pytest.skip.Exception:
                return None
            finally:
                gc.collect()
    return None


async def _run(kit: StoreConformance, name: str, arguments: dict[str, Any]) -> None:
    check = getattr(kit, name)
    if "store" in inspect.signature(check).parameters:
        async with kit.opened() as store:
            await check(store=store, **arguments)
    else:
        await check(**arguments)


def _arguments(check: Any) -> Iterator[dict[str, Any]]:
    """All combinations of the parameters that a check is marked with."""
    marks = [mark for mark in getattr(check, "pytestmark", ()) if mark.name == "parametrize"]
    choices = [[(mark.args[0], value) for value in mark.args[1]] for mark in marks]
    yield from map(dict, itertools.product(*choices))
