"""Run a command and tell, in one line, what it took.

Usage: python -I -S timed.py COMMAND [WORD ...]. Prints the exit code, the seconds, the seconds on
the processor and the peak of memory in bytes; what the command prints goes to standard error. A
process of its own, because the peak that the system tells of a child begins with what its parent
had: so the least that can be told is what this small process has.
"""

from __future__ import annotations

import os
import sys
import time


def run(command: list[str]) -> tuple[int, float, float, int]:
    """Run it; returns what `main` prints."""
    began = time.perf_counter()
    to_errors = [(os.POSIX_SPAWN_DUP2, 2, 1)]
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=to_errors)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    processor = usage.ru_utime + usage.ru_stime
    return os.waitstatus_to_exitcode(status), seconds, processor, usage.ru_maxrss * 1024


if __name__ == "__main__":
    print(*run(sys.argv[1:]))
