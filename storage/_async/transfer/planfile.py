"""A plan as text: JSON lines, sorted by key, to be read, compared and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from ..._core.errors import ConfigError
from ..._core.info import ObjectInfo
from .steps import Step

FORMAT: Final = "storage-plan"
VERSION: Final = 1
_ACTIONS: Final = frozenset({"compare", "copy", "delete"})


def header_line(header: dict[str, Any]) -> str:
    """The first line: of what format it is, and what was to be done."""
    return _line({"format": FORMAT, "version": VERSION, **header})


def step_line(step: Step) -> str:
    """A line in between: what is to be done, what both ends were then, and why."""
    ends = {"source": _told(step.here), "target": _told(step.there)}
    return _line({"do": step.action, "key": step.key, **ends, "why": step.reason})


def footer_line(counts: dict[str, Any]) -> str:
    """The last line, without which the plan was cut short."""
    return _line({"end": True, **counts})


def read_header(line: str) -> dict[str, Any]:
    """What the first line says.

    Raises:
        ConfigError: It is no plan, or one of a version that is not known here.
    """
    header = _parsed(line)
    if header.get("format") != FORMAT:
        raise ConfigError("this is no plan: its first line does not say so")
    if header.get("version") != VERSION:
        raise ConfigError(f"the plan has version {header.get('version')!r}, not {VERSION}")
    return header


def read_footer(line: str, steps: int) -> dict[str, Any]:
    """What the last line says.

    Raises:
        ConfigError: It is not the last line of a plan with so many steps: some are missing.
    """
    footer = _parsed(line)
    if footer.get("end") is not True or footer.get("steps") != steps:
        raise ConfigError("the plan is cut: its last line is not the end of it")
    keys = footer.get("source_keys"), footer.get("target_keys")
    if not all(type(count) is int for count in keys) or not isinstance(footer.get("doubts"), list):
        raise ConfigError("the plan does not say how many objects its ends had")
    return footer


def read_step(line: str) -> Step:
    """What a line in between says.

    Raises:
        ConfigError: Nothing that could be done.
    """
    told = _parsed(line)
    try:
        action, key = told["do"], _text(told["key"])
        here, there = _info(key, told["source"]), _info(key, told["target"])
        if action not in _ACTIONS or (action == "delete") != (here is None):
            raise ValueError(action)
        if there is None and action != "copy":
            raise ValueError(action)
        return Step(action, key, here, there, str(told["why"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the plan has a line that is no step: {line[:200]!r}") from error


def read_steps(lines: Iterable[str], steps: int) -> Iterator[Step]:
    """The steps between the first and the last line."""
    return map(read_step, islice(lines, 1, 1 + steps))


def _line(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _parsed(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"the plan is cut or no plan: {line[:80]!r}") from error
    if not isinstance(told, dict):
        raise ConfigError(f"the plan has a line that is no object: {line[:80]!r}")
    return told


def _told(info: ObjectInfo | None) -> dict[str, Any] | None:
    """What the object has to be still when it comes to be done."""
    if info is None:
        return None
    modified = None if info.modified is None else info.modified.isoformat()
    told = {"size": info.size, "etag": info.etag, "modified": modified, "checksum": info.checksum}
    return {name: value for name, value in told.items() if value is not None}


def _info(key: str, told: object) -> ObjectInfo | None:
    if told is None:
        return None
    if not isinstance(told, dict):
        raise TypeError(told)
    size, etag, modified, checksum = map(told.get, ("size", "etag", "modified", "checksum"))
    if size is not None and (type(size) is not int or size < 0):
        raise ValueError(size)
    return ObjectInfo(
        key,
        size,
        None if etag is None else _text(etag),
        None if modified is None else datetime.fromisoformat(modified).astimezone(UTC),
        checksum=None if checksum is None else _text(checksum),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
