"""Small helpers that programs import along with AutoStore."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LINE = re.compile(
    r"""\s*(?:export\s+)?([\w.]+)\s*=\s*(?:'([^']*)'|"((?:\\.|[^"\\])*)"|([^#\n]*))"""
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def hash_obj(obj: Any, seed: int = 123) -> str:
    """32 hexadecimal characters that tell texts, bytes, sequences and dictionaries apart.

    Equal values give equal ones in any process. It is no defence against anybody who wants two of
    them to be equal.

    Raises:
        TypeError: The value is of another type.
    """
    if isinstance(obj, list | tuple):
        obj = "_".join(map(str, obj))
    elif isinstance(obj, dict):
        obj = json.dumps(obj, sort_keys=True)
    elif isinstance(obj, bytes):
        obj = obj.decode("utf-8", errors="ignore")
    if not isinstance(obj, str):
        raise TypeError(f"no hash of {type(obj).__name__}: give a text, bytes or a dict")
    return hashlib.md5(f"{seed}:{obj}".encode(), usedforsecurity=False).hexdigest()


def config(key: str, cast: Callable[[Any], Any] | None = None, default: Any = None) -> Any:
    """The value of an environment variable.

    Args:
        key: Its name.
        cast: What makes a value of its text; ``bool`` knows true, false, 1 and 0.
        default: What it is where there is no such variable; it is cast, too, where that works.

    Raises:
        ValueError: The text means no such value.
    """
    if key not in os.environ:
        try:
            return default if cast is None else cast(default)
        except (TypeError, ValueError):
            return default
    text = os.environ[key]
    if cast is None:
        return text
    try:
        return _FLAGS[text.lower()] if cast is bool else cast(text)
    except (KeyError, TypeError, ValueError):
        kind = getattr(cast, "__name__", "value")
        raise ValueError(f"the variable {key} is no {kind}") from None


def find_dotenv(
    filename: str = ".env", raise_error_if_not_found: bool = False, usecwd: bool = True
) -> str:
    """The path of a file in the working directory or above; empty where there is none.

    Raises:
        OSError: There is none, and ``raise_error_if_not_found``.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / filename).is_file():
            return str(folder / filename)
    if raise_error_if_not_found:
        raise OSError(2, "no such file here or above", filename)
    return ""


def load_dotenv(
    dotenv_path: str | os.PathLike[str] | None = None,
    override: bool = True,
    encoding: str = "utf-8",
) -> None:
    """Set environment variables from lines like ``NAME=value``.

    Args:
        dotenv_path: The file; None for that of `find_dotenv`.
        override: Whether variables that are set already get the value of the file.
        encoding: Of the file.
    """
    path = os.fspath(dotenv_path) if dotenv_path is not None else find_dotenv()
    if not path:
        return
    for line in Path(path).read_text(encoding).splitlines():
        match = _LINE.match(line)
        if match and (override or match[1] not in os.environ):
            os.environ[match[1]] = _value(match)


def _value(match: re.Match[str]) -> str:
    _, single, double, plain = match.groups()
    if double is not None:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), double)
    return single if single is not None else plain.strip()


def setup_logging(
    level: int | str | None = None, file: str | None = None, disable_stdout: bool = False
) -> None:
    """Log to the terminal and to a file.

    Args:
        level: The lowest level that is logged; ``INFO`` by default.
        file: A file, whose directory is made if there is none.
        disable_stdout: Leave the terminal out.
    """
    handlers: list[logging.Handler] = [] if disable_stdout else [logging.StreamHandler()]
    if file is not None:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(file))
    if not handlers:
        return
    chosen = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    logging.basicConfig(
        level=logging.INFO if chosen is None else chosen,
        format="%(asctime)s|%(levelname)s|%(name)s|%(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        handlers=handlers,
    )
