"""Ctrl-C while a command is loaded: there is nothing to be cleaned up, and nothing to be told."""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130


def leave_at_once() -> None:
    """End the process at Ctrl-C, until `be_told`.

    An exception would come out of the middle of somebody's import, as a traceback or not at all.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def be_told() -> None:
    """From now on Ctrl-C is the exception that it usually is."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def leave_silently() -> None:
    """All is done and said; whoever still presses Ctrl-C is not to see how Python ends."""
    if signal.getsignal(signal.SIGINT) in (_leave, signal.default_int_handler):
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(*_: object) -> None:
    os.write(2, b"storage: interrupted\n")
    os._exit(INTERRUPTED)
