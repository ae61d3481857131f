"""Say what a sync would do, and do what was said."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..._core import calls
from ..._core.errors import ConfigError, translate_oserror
from ..._core.window import surely
from . import planfile
from .steps import PAGE, Step


class SyncPlan:
    """What is to be done to make a target what a source is.

    It stands in a file, or, where none was named, in memory. Iterating over it does file I/O.

    Args:
        place: The file, or the lines.
        header: Which ends it is about, and how it was made.
        counts: The number of its steps, of each kind, and of the keys at both ends.
    """

    def __init__(
        self, place: Path | list[str], header: dict[str, Any], counts: dict[str, Any]
    ) -> None:
        self.header = header
        self.counts = counts
        self._place = place

    def __repr__(self) -> str:
        where = self._place if isinstance(self._place, Path) else "in memory"
        return f"{type(self).__name__}({where}, {self.counts['steps']} steps)"

    def lines(self) -> Iterator[str]:
        """The plan as text, line by line."""
        if isinstance(self._place, list):
            yield from self._place
            return
        with open_plan(self._place, "r") as file:
            yield from file

    def steps(self) -> Iterator[Step]:
        """What is to be done, sorted by key."""
        return planfile.read_steps(self.lines(), self.counts["steps"])

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file."""
        with open_plan(Path(path), "w") as file:
            file.writelines(self.lines())


def read_plan(path: str | os.PathLike[str]) -> SyncPlan:
    """A plan that was written to a file, looked through from end to end.

    Raises:
        ConfigError: It is no plan, or was cut, or something in it makes no sense.
        StoreError: It cannot be read.
    """
    place = Path(path)
    with open_plan(place, "r") as file:
        try:
            return SyncPlan(place, *_looked_through(file))
        except UnicodeDecodeError as error:
            raise ConfigError("the plan is cut or no plan: it is no UTF-8") from error


def _looked_through(file: IO[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the first line and the last one say."""
    header = planfile.read_header(file.readline())
    last, steps, key = file.readline(), 0, None
    for line in file:
        step = planfile.read_step(last)
        if key is not None and step.key <= key:
            raise ConfigError(f"the plan is not sorted: {step.key!r} comes after {key!r}")
        last, steps, key = line, steps + 1, step.key
    return header, planfile.read_footer(last, steps)


def open_plan(path: Path, mode: str) -> IO[str]:
    """The file of a plan."""
    with translate_oserror(f"plan {os.fspath(path)!r}", "the file system"):
        # Keys that are no text are found out by the stores, not here.
        return open(path, mode, encoding="utf-8", errors="surrogatepass", newline="\n")


class PlanWriter:
    """Writes a plan as it is made.

    Args:
        path: The file; None: it is held in memory.
        header: What the first line says.
    """

    def __init__(self, path: Path | None, header: dict[str, Any]) -> None:
        self.path = path
        self.header = header
        self._held: list[str] = []
        self._file: IO[str] | None = None
        self._counts = {"steps": 0, "compare": 0, "copy": 0, "delete": 0, "bytes": 0}

    async def begin(self) -> None:
        """Write the first line, over whatever there is."""
        await self.aclose()
        if self.path is not None:
            self._file = await calls.acquire(IO.close, open_plan, self.path, "w")
        self._held.clear()
        self._counts = dict.fromkeys(self._counts, 0)
        await self._write([planfile.header_line(self.header)])

    async def add(self, page: list[Step]) -> None:
        """Write what of a page is to be done."""
        counts, lines = self._counts, []
        for step in page:
            if step.action in {"keep", "skip"}:
                continue
            counts["steps"] += 1
            counts[step.action] += 1
            counts["bytes"] += (step.here.size or 0) if step.here is not None else 0
            lines.append(planfile.step_line(step))
        await self._write(lines)

    async def end(self, **counts: Any) -> SyncPlan:
        """Write the last line; gives the plan."""
        told = {**self._counts, **counts}
        await self._write([planfile.footer_line(told)])
        await self.aclose()
        return SyncPlan(self.path or self._held, self.header, told)

    async def aclose(self) -> None:
        """Let go of the file; without `end` it is a plan that was cut."""
        file, self._file = self._file, None
        if file is not None:
            await surely(file.close)

    async def _write(self, lines: list[str]) -> None:
        if self._file is None:
            self._held += lines
        else:
            await calls.call(self._file.writelines, lines)


async def pages_of(plan: SyncPlan) -> AsyncGenerator[list[Step], None]:
    """The steps of a plan, read in worker threads."""
    steps = plan.steps()
    while page := await calls.call(lambda: list(islice(steps, PAGE))):
        yield page
