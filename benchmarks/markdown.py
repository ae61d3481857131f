"""Figures as Markdown, and their place in a text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table whose first column is words, and whose others are figures."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def where(*more: str) -> str:
    """The day, the machine, and what else there is to say of a run."""
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors ({platform.machine()})",
        f"Python {platform.python_version()}",
        *more,
    ]
    return f"{', '.join(parts)}."


def write(readme: Path, mark: str, lines: Iterable[str]) -> None:
    """Put lines between the marks of a text, ``<!-- mark -->`` and ``<!-- /mark -->``."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    block = "\n".join((begin, *lines, end))
    text = readme.read_text("utf-8")
    changed, times = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: block, text, flags=re.DOTALL
    )
    if not times:
        raise ValueError(f"{readme} has no marks {begin} and {end}")
    readme.write_text(changed, "utf-8")
