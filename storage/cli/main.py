"""The command line itself: which verbs there are, what an error looks like, which code it is."""

from __future__ import annotations

import gc
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any, TypeVar

import click

from .._core import interrupts
from .._core.errors import ConfigError, StoreError
from .._core.interrupts import INTERRUPTED

T = TypeVar("T")

OK, USAGE, FAILED = 0, 1, 2
GARBAGE = 10_000
"""Objects after which those that nobody refers to any more are looked for."""

VERBS = {
    "apply": "transfer",
    "cat": "objects",
    "check": "upkeep",
    "cp": "objects",
    "get": "objects",
    "ls": "objects",
    "plan": "transfer",
    "put": "objects",
    "rehash": "upkeep",
    "rm": "objects",
    "sweep": "upkeep",
    "sync": "transfer",
    "upgrade": "upkeep",
    "vacuum": "upkeep",
    "verify": "transfer",
}
"""Each verb, and the file that has it."""


class _Verbs(click.Group):
    """Loads a verb's file when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f".{VERBS[cmd_name]}", __package__)
        return getattr(module, cmd_name)  # type: ignore[no-any-return]


def _tell_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        from .. import __version__

        click.echo(f"storage {__version__}")
        context.exit()


@click.group(
    cls=_Verbs,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
def storage() -> None:
    """Move objects between directories, databases, archives and buckets.

    A STORE is a path or a URL, such as data, sqlite:///srv/objects.sqlite or s3://bucket/prefix.

    Exit codes: 0 all done (or identical), 1 wrong usage, 2 something failed (or differs), 130
    interrupted. With STORAGE_TRACEBACK=1 in the environment, an error tells where it came from.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name; those of the process by default.

    Returns:
        The exit code; every error is one line on standard error.
    """
    if "_STORAGE_COMPLETE" in os.environ:  # a shell asks what the next word may be
        storage.main(prog_name="storage")
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort) as end:
        _drop_output()
        complain(f"interrupted: {end}" if str(end) else "interrupted")
        return INTERRUPTED
    except Exception as error:
        return _failed(error)
    finally:
        try:
            print(end="", flush=True)
        except OSError:
            _drop_output()


def _run(words: list[str]) -> int:
    # Not click's own `main`, which has an exit code and several lines of its own for most errors.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # keys have letters of every script
    with storage.make_context("storage", words) as context:
        code = storage.invoke(context)
    print(end="", flush=True)
    return code if isinstance(code, int) else OK


def _failed(error: Exception) -> int:
    if isinstance(error, BrokenPipeError) and _reader_left():
        return OK
    if os.environ.get("STORAGE_TRACEBACK"):
        raise error
    complain(one_line(error))
    return USAGE if isinstance(error, click.ClickException | ConfigError) else FAILED


def _reader_left() -> bool:
    """Whether it is standard output that broke, as in ``storage ls | head``."""
    watch = select.poll()
    watch.register(sys.stdout, 0)
    return bool(watch.poll(0))


def _drop_output() -> None:
    """Forget what is not written yet, or the interpreter would wait or fail for it at its exit."""
    with suppress(AttributeError, OSError, ValueError):  # there may be no standard output at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine of a verb returns."""
    import asyncio  # `storage --help` has no use for it

    from .._core.devoted import devoted

    async def until_told() -> T:
        # Whoever stops a service means the same as somebody who presses Ctrl-C.
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
        devoted.loop = loop
        try:
            return await work
        finally:
            devoted.loop = None

    interrupts.be_told()
    if not gc.isenabled():  # all that was loaded until now is there to stay
        gc.freeze()
        gc.enable()
        # There is little garbage in cycles, and to look for it each time that 700 objects have
        # come is a thirtieth of all work.
        gc.set_threshold(GARBAGE)
    return asyncio.run(until_told())


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    while isinstance(error, BaseExceptionGroup) and not isinstance(error, StoreError):
        error = error.exceptions[0]
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        place = context.command_path if context else "storage"
        return f"{error.format_message().rstrip('.')} (see '{place} --help')"
    kind, text = type(error).__name__, str(error)
    if text and isinstance(error, StoreError | OSError):
        return text
    return f"{kind}: {text}" if text else kind


def complain(text: str) -> None:
    """Print a line to standard error; a password in a URL that a word repeats is left out."""
    line = shown(" ".join(re.sub(r"://\S*@", "://***@", text).split()))
    with suppress(OSError):
        click.echo(f"storage: {line}", err=True)


def shown(text: str) -> str:
    """Text for a terminal: whatever is not printable is escaped."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
