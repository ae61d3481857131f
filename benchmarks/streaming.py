"""``python -m benchmarks.streaming [FORM ...]``: the memory that long streams take.

A stream is put and read again through each store that keeps bytes in another form, over files, in a
process of its own. The exit code is 1 where one of them has taken more than ``--limit``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from time import perf_counter
from typing import Any

from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import (
    AsyncBase64Store,
    AsyncChecksumStore,
    AsyncEncryptingStore,
    AsyncGzipStore,
    AsyncZstdStore,
)

MIB = 1024 * 1024
FORMS: dict[str, Callable[[Any], Any]] = {
    "base64": AsyncBase64Store,
    "checksum": AsyncChecksumStore,
    "encrypting": lambda child: AsyncEncryptingStore(child, bytes(32)),
    "gzip": AsyncGzipStore,
    "zstd": AsyncZstdStore,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("forms", nargs="*", choices=(*FORMS, "all"), default="all")
    parser.add_argument("--size", type=int, default=1024, help="MiB of content")
    parser.add_argument("--limit", type=int, default=100, help="MiB of memory")
    parser.add_argument("--folder", help="where files are written")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.here:
        print(asyncio.run(_measured(options.forms[0], options.size, options.folder)))
        return 0
    over = 0
    print(f"{options.size} MiB through{'put':>14}{'read':>12}{'stored':>12}{'peak memory':>14}")
    for form in FORMS if "all" in options.forms else options.forms:
        peak = _show(form, options)
        over += peak > options.limit
    return 1 if over else 0


def _show(form: str, options: argparse.Namespace) -> float:
    command = [sys.executable, "-m", "benchmarks.streaming", "--here", form]
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as folder:
        command += ["--size", str(options.size), "--folder", folder]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    put, read, stored, peak = map(float, found.stdout.split())
    print(f"  {form:20}{put:7.0f} MB/s{read:7.0f} MB/s{stored:8.0f} MiB{peak:10.0f} MiB")
    return peak


async def _measured(form: str, size: int, folder: str) -> str:
    child = AsyncFilesystemStore(folder)
    store = FORMS[form](child)
    sent, found = hashlib.sha256(), hashlib.sha256()
    begin = perf_counter()
    await store.put("key", _source(size, sent))
    middle = perf_counter()
    async for piece in store.stream("key"):
        found.update(piece)
    end = perf_counter()
    if sent.digest() != found.digest():
        raise AssertionError("what was read is not what was put")
    stored = ((await child.head("key")).size or 0) / MIB
    rates = [size * MIB / 1e6 / seconds for seconds in (middle - begin, end - middle)]
    return f"{rates[0]} {rates[1]} {stored} {_peak()}"


def _peak() -> float:
    """MiB that this process has had at most."""
    # getrusage would tell of the parent, too: what it has when it starts a child counts there.
    with open("/proc/self/status") as status:
        (kibibytes,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kibibytes) / 1024


async def _source(size: int, sent: Any) -> AsyncIterator[bytes]:
    """Half of it shrinks to nothing, the other half not at all."""
    noise = random.Random(0).randbytes(MIB // 2)
    for number in range(size):
        piece = number.to_bytes(8) + bytes(MIB // 2 - 8) + noise
        sent.update(piece)
        yield piece


if __name__ == "__main__":
    sys.exit(main())
