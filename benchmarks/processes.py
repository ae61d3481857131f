"""Contenders in processes of their own, that take turns; and what a process has used up."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

STATUS = Path("/proc/self/status")


def processor() -> float:
    """Seconds on the processor so far, of this process and the commands that it ran."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    return spent


def memory(field: str = "VmHWM") -> int:
    """Bytes of memory of this process: VmRSS now, or VmHWM, at most since `forget_peak`."""
    # Not from getrusage: what it says of a process begins with what its parent had.
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    """Let VmHWM begin anew with what there is now."""
    Path("/proc/self/clear_refs").write_text("5")


def commands_peak() -> int:
    """Bytes that one of the commands had at most."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


class Worker:
    """A process that is told what to do, a line each, and answers each with a line of JSON.

    Args:
        name: The contender's name.
        words: A module of ours, and its arguments.
        environment: What is added to its environment.
    """

    def __init__(
        self, name: str, words: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.able: Any = self._answer()
        """Its first line: what it can do."""

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended")
        return json.loads(line)

    def do(self, line: str) -> Any:
        """One turn."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with self.process:  # closes both pipes, and waits
            pass
