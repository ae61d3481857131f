"""How a command leaves: at once, and yet with all that is to happen at the exit."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAVE = """
from storage._core.interrupts import leave
class Last:
    def __del__(self):
        print("taken apart")
last = Last()
"""


def left(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a program that leaves with exit code 3."""
    words = [sys.executable, *options, "-c", LEAVE + program + "\nleave(3)"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_what_was_written_and_what_the_exit_does_is_kept() -> None:
    done = left("import atexit; atexit.register(print, 'at the exit'); print('said', end=' ')")
    assert (done.returncode, done.stdout, done.stderr) == (3, "said at the exit\n", "")


def test_a_thread_is_waited_for() -> None:
    work = "lambda: (time.sleep(0.2), print('done', flush=True))"
    done = left(f"import threading, time; threading.Thread(target={work}).start()")
    assert (done.returncode, done.stdout) == (3, "done\ntaken apart\n")


def test_a_daemon_is_not() -> None:
    work = "target=time.sleep, args=(99,), daemon=True"
    done = left(f"import threading, time; threading.Thread({work}).start()")
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("options", [("-X", "dev"), ("-W", "error")])
def test_who_wants_warnings_sees_what_was_left_open(options: tuple[str, ...]) -> None:
    done = left("file = open(__import__('os').devnull)", *options)
    assert done.returncode == 3
    assert "taken apart" in done.stdout
    assert "unclosed file" in done.stderr


def test_nobody_reads_what_was_written() -> None:
    done = left("import os; print('said'); os.close(1)")
    assert (done.returncode, done.stderr) == (3, "")
