"""A synchronisation of very many keys: does its memory stay as it is?

Usage: python -m benchmarks.sync.scale KEYS. Prints the seconds, those on the processor, and by how
many bytes memory grew at most beside what the two stores hold.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time

from benchmarks import markdown
from benchmarks.sync.trees import CHANGED, MIB

KEYS = (100_000, 1_000_000)
GROWTH = 1.2
"""With ten times the keys, memory may grow by so many times what it does with few."""


def memory(field: str) -> int:
    """Bytes of this process: VmRSS, or VmHWM, the most that it had since `forget`."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def forget() -> None:
    """From here on VmHWM counts anew."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(keys: int) -> tuple[float, float, int]:
    """One run, one key of a hundred changed; returns what this prints as a program."""
    from storage.aioutils import async_sync_stores
    from storage.object import AsyncMemoryStore

    source, target = AsyncMemoryStore(), AsyncMemoryStore()

    async def fill() -> None:
        for number in range(keys):
            key = f"{number % 100:02}/key-{number:07}"
            await target.put(key, b"old")
            await source.put(key, b"old" if number % CHANGED else b"changed")

    with asyncio.Runner() as runner:
        runner.run(fill())
        gc.collect()
        gc.freeze()  # a collection of all that the stores hold is no part of it
        forget()
        before = memory("VmRSS")
        began, spent = perf_counter(), process_time()
        report = runner.run(async_sync_stores(source, target))
        seconds, processor = perf_counter() - began, process_time() - spent
    assert report.copied == -(-keys // CHANGED), report
    return seconds, processor, memory("VmHWM") - before


def main(counts: Sequence[int]) -> int:
    """Run it in processes of their own; returns 1 where memory grew with the keys."""
    lines, growths = [], []
    for keys in counts:
        command = [sys.executable, "-m", "benchmarks.sync.scale", str(keys)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        seconds, processor, growth = map(float, told.split())
        growths.append(growth)
        rate = f"{keys / seconds:,.0f}"
        figures = (f"{seconds:.2f}", f"{processor:.2f}", rate, f"{growth / MIB:.1f}")
        lines.append((f"{keys:,} keys", *figures))
    head = ("1 % changed, memory to memory", "seconds", "processor", "keys/s", "growth, MiB")
    print(*markdown.table(head, lines), "", markdown.where(), sep="\n")
    return int(growths[-1] > growths[0] * GROWTH)


if __name__ == "__main__":
    print(*measure(int(sys.argv[1])))
