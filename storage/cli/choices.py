"""Options that several verbs on whole stores share, and what their words mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from .._core.errors import ConfigError
from .._core.units import parse_moment, parse_size

if TYPE_CHECKING:
    from .._async.transfer.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])


class Parsed(click.ParamType):  # type: ignore[type-arg]
    """A word that a function turns into a value.

    Args:
        name: What the help calls it.
        function: Raises `ConfigError` where the word makes no sense.
    """

    def __init__(self, name: str, function: Callable[[str], Any]) -> None:
        self.name = name
        self._function = function

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of a word; what is a value already stays."""
        if not isinstance(value, str):
            return value
        try:
            return self._function(value)
        except ConfigError as error:
            self.fail(f"{error}.", param, ctx)


def parse_rate(text: str) -> int:
    """Bytes in a second, at least 1."""
    rate = parse_size(text)
    if rate < 1:
        raise ConfigError(f"a rate is at least 1 byte in a second, not {text!r}")
    return rate


def parse_limit(text: str) -> float | int | None:
    """A count (``100``), a share (``10%``) or ``none``."""
    if text == "none":
        return None
    number, percent, rest = text.partition("%")
    try:
        if rest:
            raise ValueError(text)
        limit = float(number) / 100 if percent else int(number)
    except ValueError:
        raise ConfigError(
            f"a limit is a count, a share such as 10%, or none, not {text!r}"
        ) from None
    if limit < 0 or (percent and not limit <= 1):
        raise ConfigError(f"a limit is from 0 to 100%, not {text!r}")
    return limit


SIZE, RATE, TIME = (
    Parsed("size", parse_size),
    Parsed("rate", parse_rate),
    Parsed("time", parse_moment),
)
LIMIT = Parsed("N|P%", parse_limit)
TEXT = click.File("r", encoding="utf-8", errors="surrogateescape")


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order in which the help shows them."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


selecting = options(
    click.option("--include", multiple=True, metavar="PATTERN", help="Only such keys."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="No such keys."),
    click.option("--include-from", type=TEXT, multiple=True, help="Patterns, one a line."),
    click.option("--exclude-from", type=TEXT, multiple=True, help="Patterns, one a line."),
    click.option("--files-from", type=TEXT, multiple=True, help="Only these keys, one a line."),
    click.option("--newer", type=TIME, help="Only what was written since: 2d, 2026-12-31."),
    click.option("--older", type=TIME, help="Only what was written before."),
    click.option("--min-size", type=SIZE, help="Only what is that large: 10k, 1.5MiB."),
    click.option("--max-size", type=SIZE, help="Only what is no larger."),
)
"""Which objects it is about."""


def take_selection(words: dict[str, Any]) -> Selection | None:
    """The selection that options make, which are taken out of ``words``; None: all objects."""
    lists = {name: words.pop(f"{name}_from") for name in ("include", "exclude", "files")}
    chosen: dict[str, Any] = {
        name: words.pop(name) for name in ("newer", "older", "min_size", "max_size")
    }
    for name in ("include", "exclude"):
        chosen[name] = [*words.pop(name), *_patterns(lists[name])]
    if lists["files"]:
        chosen["files_from"] = [key for file in lists["files"] for key in read_keys(file.read())]
    if "files_from" not in chosen and not any(value not in (None, []) for value in chosen.values()):
        return None
    from .._async.transfer.selection import Selection

    return Selection(**chosen)


def _patterns(files: Iterable[IO[str]]) -> Iterator[str]:
    for file in files:
        from .._core.globsyntax import read_patterns

        yield from read_patterns(file.read())


def read_keys(text: str) -> list[str]:
    """The keys in a file, one a line as it stands; empty lines and those with ``#`` do not count.

    A key that begins with ``#`` is written with a backslash in front.
    """
    lines = (line.rstrip("\r") for line in text.split("\n"))
    keys = (line for line in lines if line and not line.startswith("#"))
    return [key[1:] if key.startswith("\\#") else key for key in keys]


comparing = options(
    click.option(
        "--compare",
        type=click.Choice(["auto", "size", "mtime", "checksum", "missing", "always"]),
        help="What to copy of what both have.  [default: auto]",
    ),
    click.option("--checksum", is_flag=True, help="The same as --compare checksum."),
    click.option("--size-only", is_flag=True, help="The same as --compare size."),
    click.option("--no-clobber", is_flag=True, help="The same as --compare missing."),
)
"""How to compare."""


def take_comparison(words: dict[str, Any]) -> str:
    """The way to compare that options name, which are taken out of ``words``."""
    named = [words.pop("compare")]
    for flag, mode in (("checksum", "checksum"), ("size_only", "size"), ("no_clobber", "missing")):
        named.append(mode if words.pop(flag) else None)
    modes = {mode for mode in named if mode is not None}
    if len(modes) > 1:
        raise click.UsageError("There is one way to compare, and several are given.")
    return modes.pop() if modes else "auto"


def take_choice(words: dict[str, Any]) -> dict[str, Any]:
    """What is compared, and how; the options are taken out of ``words``."""
    return {"compare": take_comparison(words), "selection": take_selection(words)}


TRANSFERS: Callable[[Any], Any] = click.option(
    "--transfers",
    type=click.IntRange(1, 1000),
    default=128,
    show_default=True,
    help="Objects in flight.",
)

transferring = options(
    TRANSFERS,
    click.option(
        "--buffer", type=SIZE, default=64 * 1024**2, help="Bytes in flight.  [default: 64MiB]"
    ),
    click.option("--bwlimit", "bandwidth", type=RATE, help="Bytes in a second: 10M."),
    click.option(
        "--max-delete",
        type=LIMIT,
        default=0.5,
        help="Delete no more than N objects, or P% of those in TARGET; else none.  [default: 50%]",
    ),
    click.option("--backup", metavar="STORE", help="Keep there what is replaced or deleted."),
    click.option("--fail-fast", is_flag=True, help="Begin nothing more after a failure."),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        default=1,
        help="Processes that copy.  [default: 1, and none but this]",
    ),
)
"""How to copy and delete."""

remembering = options(
    click.option(
        "--journal", type=click.Path(dir_okay=False), help="Remember there what is the same."
    ),
    click.option("--no-journal", is_flag=True, help="Remember nothing."),
)
"""What one run leaves to the next."""

telling = options(
    click.option("--json", "as_json", is_flag=True, help="A line of JSON for each object."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    click.option("-v", "--verbose", is_flag=True, help="A line for each object that changes."),
    click.option(
        "--progress/--no-progress",
        default=None,
        help="Say how far it is.  [default: on a terminal]",
    ),
)
"""What to print."""
