"""One store in a process of its own: takes turns, a line each, and tells what they took.

Usage: python -m benchmarks.local.worker NAME FOLDER WAITS DURABLE OBJECTS SIZE, where WAITS and
DURABLE are 0 or 1, OBJECTS is how many small objects there are, and SIZE the bytes of a large one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.local.contender import AsyncContender, Contender
from benchmarks.local.contenders import ASYNC, BLOCKING
from benchmarks.local.tasks import (
    IN_FLIGHT,
    LARGE_KEY,
    LARGE_VERBS,
    SMALL,
    SMALL_VERBS,
    Mode,
    key,
    pieces,
)
from benchmarks.processes import forget_peak, memory, processor
from benchmarks.s3.peer import bounded

DATA = bytes(range(256)) * (SMALL // 256)


@contextmanager
def measured(*, large: bool) -> Iterator[dict[str, float]]:
    """What happens within: seconds, seconds on the processor, the peak of memory."""
    told: dict[str, float] = {}
    if large:  # most turns are too short for it
        forget_peak()
    spent, began = processor(), perf_counter()
    yield told
    told["seconds"] = perf_counter() - began
    told["cpu"] = processor() - spent
    told["peak"] = memory()


class Worker:
    """Does verbs with one store."""

    def __init__(self, store: Contender, mode: Mode, objects: int, size: int) -> None:
        self.store: Any = store
        self.mode = mode
        self.keys = [key(number) for number in range(objects)]
        self.size = size

    def able(self) -> list[str]:
        """The verbs that the store has."""
        return [verb for verb in (*SMALL_VERBS, *LARGE_VERBS) if getattr(self.store, verb, None)]

    def arguments(self, verb: str) -> tuple[Any, ...]:
        """Those of one call, after the key."""
        return {"put": (DATA,), "write": (pieces(self.size),)}.get(verb, ())

    def check(self, verb: str, answer: Any) -> None:
        """What was found is what is there; looked at once, and not within the time."""
        wanted = {"get": DATA, "list": len(self.keys), "read": self.size}
        if verb in wanted:
            assert answer == wanted[verb], (self.store, verb)
        if verb == "exists":
            assert answer, self.store

    def slice(self, part: int) -> list[str]:
        """The keys of one turn."""
        return self.keys[part * self.mode.turn : (part + 1) * self.mode.turn]

    def count(self, verb: str, keys: list[str]) -> int:
        """How many operations a turn is; one for each key of a listing."""
        return len(self.keys) if verb == "list" else 1 if verb in LARGE_VERBS else len(keys)

    def do(self, verb: str, part: int = 0) -> dict[str, float]:
        """One turn of a blocking store."""
        call, arguments, answer = getattr(self.store, verb), self.arguments(verb), None
        keys = self.slice(part)
        with measured(large=verb in LARGE_VERBS) as told:
            if verb == "list":
                answer = call()
            elif verb in LARGE_VERBS:
                answer = call(LARGE_KEY, *arguments)
            else:
                for each in keys:
                    answer = call(each, *arguments)
        self.check(verb, answer)
        return told | {"count": self.count(verb, keys)}

    async def ado(self, verb: str, part: int = 0) -> dict[str, float]:
        """One turn of a store on the loop."""
        call, arguments, answer = getattr(self.store, verb), self.arguments(verb), None
        keys = self.slice(part)
        with measured(large=verb in LARGE_VERBS) as told:
            if verb == "list":
                answer = await call()
            elif verb in LARGE_VERBS:
                answer = await call(LARGE_KEY, *arguments)
            else:
                await bounded(lambda each: call(each, *arguments), keys, IN_FLIGHT)
        if verb in ("get", "exists"):
            answer = await call(keys[0])
        self.check(verb, answer)
        return told | {"count": self.count(verb, keys)}


def turn(line: str) -> tuple[str, int]:
    """What a line asks for: a verb, and which of its turns."""
    verb, part = line.split()
    return verb, int(part)


def blocking(worker: Worker) -> None:
    """Take verbs until the input ends."""
    print(json.dumps(worker.able()), flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.do(*turn(line))), flush=True)
    worker.store.close()


async def on_a_loop(worker: Worker) -> None:
    """The same."""
    await worker.store.aenter()
    print(json.dumps(worker.able()), flush=True)
    # A thread reads the lines, so that a store's own chores go on between them.
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await worker.ado(*turn(line))), flush=True)
    await worker.store.aclose()


def main(name: str, folder: str, waits: str, durable: str, objects: str, size: str) -> None:
    """Open the store and work."""
    mode = Mode(bool(int(waits)), bool(int(durable)))
    store = (BLOCKING if mode.waits else ASYNC)[name](Path(folder), mode.durable)
    worker = Worker(store, mode, int(objects), int(size))
    if isinstance(store, AsyncContender):
        asyncio.run(on_a_loop(worker))
    else:
        blocking(worker)


if __name__ == "__main__":
    main(*sys.argv[1:])
