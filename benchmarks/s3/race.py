"""The clients take turns, task by task and round by round."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.processes import Worker
from benchmarks.s3.peer import bounded
from benchmarks.s3.peers import PEERS
from benchmarks.s3.tasks import (
    LARGE,
    LARGE_TASKS,
    LISTED,
    MIB,
    READ,
    SMALL,
    TASKS,
    Task,
    listed_key,
    read_key,
)
from tests.services import buckets
from tests.services.process import S3Service
from tests.services.seaweedfs import SeaweedFS

BUCKET = "benchmarks"

Turn = Mapping[str, float]
Turns = Mapping[str, Sequence[Turn]]
"""Those of each client."""


@contextmanager
def server(folder: Path) -> Iterator[S3Service]:
    """SeaweedFS, with the objects that are read and listed."""
    weed = SeaweedFS(folder / "seaweedfs")
    weed.start()
    try:
        yield weed.service
    finally:
        weed.kill()


async def fill(service: S3Service, file: Path) -> None:
    """Put what all clients read."""
    from storage.s3 import AsyncBucketStore

    connect = partial(AsyncBucketStore.connect, create=True, endpoint_url=service.endpoint_url)
    async with connect(
        BUCKET, region_name=service.region, aws_access_key_id=service.access_key,
        aws_secret_access_key=service.secret_key,
    ) as store:  # fmt: skip
        data = os.urandom(SMALL)
        await store.put(read_key(0), data)
        await bounded(lambda n: store.put(read_key(n), data), range(READ), 64)
        await bounded(lambda n: store.put(listed_key(n), b"x"), range(LISTED), 64)
        with file.open("rb") as large:
            await store.put("large", large)


def worker(name: str, service: S3Service, file: Path) -> Worker:
    """A client's process."""
    place = [service.endpoint_url, service.access_key, BUCKET, str(file)]
    secret = {"BENCHMARK_SECRET": service.secret_key}
    return Worker(name, ["benchmarks.s3.worker", name, *place], secret)


def take_turns(
    task: Task, names: Sequence[str], service: S3Service, file: Path, rounds: int
) -> dict[str, list[Turn]]:
    """All rounds of one task, in processes that do nothing else: so the peak is the task's."""
    turns: dict[str, list[Turn]] = {}
    with ExitStack() as stack:
        made = [stack.enter_context(worker(name, service, file)) for name in names]
        able = [each for each in made if task.name in each.able]
        for each in able:
            each.do(task.name)  # connections, imports and caches are not what is measured
        for _ in range(rounds):
            for each in able:
                turns.setdefault(each.name, []).append(each.do(task.name))
            able.append(able.pop(0))  # nobody always comes first
    return turns


def run(
    folder: Path, *, tasks: Sequence[str], peers: Sequence[str], rounds: int
) -> Iterator[tuple[Task, Turns]]:
    """The turns of all tasks, or of those whose name has one of some texts in it."""
    file = folder / "large"
    with file.open("wb") as large:
        large.writelines(os.urandom(MIB) for _ in range(LARGE // MIB))
    here = [
        name
        for name, (_, needed) in PEERS.items()
        if (find_spec(needed) or shutil.which(needed)) and (not peers or name in peers)
    ]
    chosen = [task for name, task in TASKS.items() if not tasks or any(t in name for t in tasks)]
    with server(folder) as service:
        buckets.client(service).create_bucket(Bucket=BUCKET)
        asyncio.run(fill(service, file))
        for task in chosen:
            few = 3 if task in LARGE_TASKS else rounds
            yield task, take_turns(task, here, service, file, few)
