"""``python -m benchmarks service``: what a web service over S3 takes for many clients at once.

The exit code is 1 where it takes more than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import markdown
from benchmarks.processes import Worker
from benchmarks.s3.race import server
from benchmarks.service import report
from benchmarks.service.clients import CROWDS, KEY, Crowd, Seen
from tests.services import buckets
from tests.services.process import S3Service

MIB = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Let each crowd come, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks service", description=__doc__)
    parser.add_argument("--clients", type=int, default=500, help="at once")
    parser.add_argument("--size", type=float, default=1, help="MiB of the object")
    parser.add_argument("--pool", type=int, default=64, help="connections to S3, at most")
    parser.add_argument("--folder", type=Path, help="where the server keeps its objects")
    options = parser.parse_args(arguments)
    data = os.urandom(int(options.size * MIB))
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder)
        )
        service = stack.enter_context(server(Path(folder)))
        bucket = buckets.create_bucket(service)
        seen = [*run(service, bucket, data, options.clients, options.pool)]
    print(*markdown.table(report.HEAD, report.rows(seen)), "", sep="\n")
    verdicts = [*report.verdicts(seen)]
    print(*(f"- {verdict}" for verdict in verdicts), sep="\n")
    what = f"{options.clients} clients, {options.size:g} MiB, {options.pool} connections to S3"
    print("", markdown.where("SeaweedFS on the same machine", what), sep="\n")
    return 0 if all(verdict.met for verdict in verdicts) else 1


def run(service: S3Service, bucket: str, data: bytes, clients: int, pool: int) -> Iterator[Seen]:
    """What is seen of the service while each crowd is there."""
    buckets.client(service).put_object(Bucket=bucket, Key=KEY, Body=data)
    place = [service.endpoint_url, service.access_key, bucket, str(pool)]
    secret = {"BENCHMARK_SECRET": service.secret_key}
    with Worker("service", ["benchmarks.service.server", *place], secret) as worker:
        one = Crowd("one", 1)
        asyncio.run(one.come(worker.able["port"], data, 1))
        for crowd in CROWDS:
            before = worker.do("begin")
            done = asyncio.run(crowd.come(worker.able["port"], data, clients))
            yield Seen(crowd, clients, before, done, worker.do("tell"))


if __name__ == "__main__":
    sys.exit(main())
