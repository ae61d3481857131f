"""Scripts in processes of their own: for signals, forks and the interpreter's exit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREAMBLE = """
import asyncio, atexit, gc, logging, os, signal, sys, threading, time, warnings
# The development mode times callbacks, which a busy machine makes slow.
logging.getLogger("asyncio").addFilter(lambda record: "took" not in record.msg)
atexit.register(lambda: last_of_all())  # before the loop's own, so that it runs after it
def last_of_all(): pass
from storage._core.runner import *
def say(*words): print(*words, flush=True)
"""

#: Takes pieces of source, and after which line of output to send SIGINT; gives all lines.
Script = Callable[..., list[str]]


@pytest.fixture
def script(hears_interrupts: None) -> Script:
    """Run source with every warning an error; no word on stderr, exit 0, and no hang."""

    def run_script(
        *sources: str, interrupt_at: str | None = None, seconds: float = 20, code: int = 0
    ) -> list[str]:
        command = [sys.executable, "-X", "dev", "-W", "error", "-W"]
        # From 3.12 on any fork beside a thread warns; the loop is such a thread.
        command += ["ignore:This process:DeprecationWarning", "-c"]
        process = subprocess.Popen(
            [*command, PREAMBLE + "".join(map(textwrap.dedent, sources))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        lines: list[str] = []
        if interrupt_at:
            for line in process.stdout:
                lines.append(line.strip())
                if lines[-1] == interrupt_at:
                    process.send_signal(signal.SIGINT)
                    break
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"the script hangs; it said {process.communicate()}")
        assert err == ""
        assert process.returncode == code
        return lines + out.split("\n")[:-1]

    return run_script
