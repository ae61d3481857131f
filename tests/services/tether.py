"""Turn into the given command, which then dies with the process that started it.

Usage: python -I -S tether.py PARENT_PID COMMAND [ARGUMENT ...]

A program of its own and not a `preexec_fn`: that runs Python between fork and exec, which is
unsafe (and warned about) in a process that has threads. The kernel watches the *thread* that
started us, so servers are started from a main thread. Elsewhere than on Linux nothing is tied.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    die_with_parent()
    # It may have died before we asked to be told.
    if sys.platform == "linux" and os.getppid() != int(parent):
        sys.exit(1)
    os.execv(command[0], command)
