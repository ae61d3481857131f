"""The command line itself: which verbs there are, and what an error looks like."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

OK, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 130

VERBS = {
    "cat": "objects",
    "cp": "objects",
    "get": "objects",
    "ls": "objects",
    "put": "objects",
    "rm": "objects",
    "sync": "transfer",
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


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="storage")
def storage() -> None:
    """Move objects between directories, databases, archives and buckets.

    A STORE is a path or a URL, such as data, sqlite:///srv/objects.sqlite or s3://bucket/prefix.

    Exit codes: 0 all done (or identical), 1 wrong usage, 2 something failed (or differs).
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name; those of the process by default.

    Returns:
        The exit code; every error is one line on standard error.
    """
    try:
        result = storage.main(arguments, prog_name="storage", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe left; what is still buffered must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if os.environ.get("STORAGE_TRACEBACK"):
            raise
        complain(one_line(error))
        return FAILED
    return result if isinstance(result, int) else OK


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(error, BaseExceptionGroup) and type(error).__str__ is BaseExceptionGroup.__str__:
        error = error.exceptions[0]
    return " ".join(str(error).split()) or type(error).__name__


def complain(text: str) -> None:
    """Print a line to standard error."""
    click.echo(f"storage: {text}", err=True)


def shown(key: str) -> str:
    """A key for a terminal: whatever is not printable is escaped."""
    return key if key.isprintable() else key.encode("unicode_escape").decode()
