"""The command as a process of its own."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn


def command() -> NoReturn:
    """Run the command, and end the process with its exit code.

    What is loaded is there to stay, so that collecting garbage among it is lost time: while it is
    loaded, in each collection later on, and once more at the end. It is a sixth of what a short
    command takes.
    """
    gc.disable()
    from .main import main

    code = main()
    gc.freeze()
    sys.exit(code)
