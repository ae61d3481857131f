"""A synchronisation of very many keys: does its memory stay as it is?

Usage: python -m benchmarks.sync.scale KEYS. Prints the seconds, those on the processor, and the
bytes of memory at most, without what the two stores hold.

Two stores in memory have no fingerprint in common and no journal, so each pair of one length is
read and compared in a task of its own, which is most of the time: this is about the memory.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter, process_time

from benchmarks import markdown
from benchmarks.processes import forget_peak, memory
from benchmarks.sync.trees import CHANGED, MIB

KEYS = (100_000, 1_000_000)
GROWTH = 1.2
"""With ten times the keys, it may need so many times the memory."""


def measure(keys: int) -> tuple[float, float, int]:
    """One run, one key of a hundred changed; returns what this prints as a program."""
    from storage.aioutils import async_sync_stores
    from storage.object import AsyncDictStore

    source, target = AsyncDictStore(), AsyncDictStore()

    async def fill() -> None:
        for number in range(keys):
            key = f"{number % 100:02}/key-{number:07}"
            await target.put(key, b"old")
            await source.put(key, b"old" if number % CHANGED else b"changed")

    empty = memory("VmRSS")
    with asyncio.Runner() as runner:
        runner.run(fill())
        gc.collect()
        gc.freeze()  # a collection of all that the stores hold is no part of it
        forget_peak()
        before = memory("VmRSS")
        began, spent = perf_counter(), process_time()
        report = runner.run(async_sync_stores(source, target))
        seconds, processor = perf_counter() - began, process_time() - spent
        gc.unfreeze()
    assert report.copied == -(-keys // CHANGED), report
    return seconds, processor, empty + memory() - before


def main(counts: Sequence[int]) -> int:
    """Run it in processes of their own; returns 1 where memory grew with the keys."""
    lines, peaks = [], []
    for keys in counts:
        command = [sys.executable, "-m", "benchmarks.sync.scale", str(keys)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        seconds, processor, peak = map(float, told.split())
        peaks.append(peak)
        rate = f"{keys / seconds:,.0f}"
        figures = (f"{seconds:.2f}", f"{processor:.2f}", rate, f"{peak / MIB:.1f}")
        lines.append((f"{keys:,} keys", *figures))
    head = ("1 % changed, memory to memory", "seconds", "processor", "keys/s", "peak MiB")
    print(*markdown.table(head, lines), "", markdown.where(), sep="\n")
    return int(peaks[-1] > peaks[0] * GROWTH)


if __name__ == "__main__":
    print(*measure(int(sys.argv[1])))
