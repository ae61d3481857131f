"""How a command ends: at once while it is loaded, as Ctrl-C then finds nothing to be cleaned up;
and without delay when all is done.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import NoReturn

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


def leave(code: int) -> NoReturn:
    """End the process, without taking the interpreter apart piece by piece where nobody minds.

    That is a matter of milliseconds, for nothing: the system takes back all at once. What is to
    happen at the exit still does. Who asked for warnings sees those of what was left open.
    """
    if not (sys.warnoptions or sys.flags.dev_mode or _others()):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # there may be none, or nobody who reads it
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _others() -> bool:
    """Whether there are threads that the exit has to wait for."""
    main = threading.main_thread()
    return not all(thread.daemon or thread is main for thread in threading.enumerate())


def _leave(*_: object) -> None:
    os.write(2, b"storage: interrupted\n")
    os._exit(INTERRUPTED)
