"""``python -m storage``, and the command ``storage``: `storage.cli` as a process of its own."""

from __future__ import annotations

import gc
import sys


def command() -> None:
    """Run the command, and end the process with its exit code.

    What is loaded is there to stay, so that collecting garbage among it is lost time: while it is
    loaded, and in each collection later on. So is taking it apart at the end. It is a sixth of
    what a short command takes.
    """
    gc.disable()
    try:
        # Before all else: to load that takes longer than many people need to change their minds.
        from ._core import interrupts

        interrupts.leave_at_once()
    except KeyboardInterrupt:
        sys.stderr.write("storage: interrupted\n")
        sys.exit(130)
    from .cli import main

    code = main()
    interrupts.leave_silently()
    interrupts.leave(code)


if __name__ == "__main__":
    command()
