"""Run one server for all processes of a test run, until the last of them has gone.

Usage: python -m tests.services.supervise NAME RUN_DIRECTORY

Every process that uses the server holds a shared lock on a lease file, which the kernel takes
from it however it ends. We ask for the same lock exclusively: it is ours when nobody is left.
Prints where the server is, as JSON, and goes on in the background.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from tests.services.clouds import Azurite, FakeGcs
from tests.services.ftp import EncryptedFtp, PlainFtp
from tests.services.moto import Moto
from tests.services.postgres import Postgres
from tests.services.process import Server, ServerError
from tests.services.seaweedfs import SeaweedFS
from tests.services.ssh import OpenSsh, PythonSsh
from tests.services.valkey import Valkey

_SERVERS: tuple[type[Server], ...] = (
    SeaweedFS, Moto, Valkey, OpenSsh, PythonSsh, PlainFtp, EncryptedFtp, Postgres,
    FakeGcs, Azurite,
)  # fmt: skip
SERVERS: dict[str, type[Server]] = {server.name: server for server in _SERVERS}
ATTEMPTS = 3


def state_file(run: Path, name: str) -> Path:
    """What is known about a server while it runs."""
    return run / f"{name}.json"


def lease_file(run: Path, name: str) -> Path:
    """What users of a server lock shared, and its supervisor exclusively."""
    return run / f"{name}.lease"


def started(name: str, run: Path) -> Server:
    """A server that answers; with other ports and in another directory if the first would not."""
    for attempt in range(1, ATTEMPTS + 1):
        server = SERVERS[name](run / f"{name}-{attempt}")
        try:
            server.start()
        except ServerError:
            if attempt == ATTEMPTS:
                raise
        else:
            return server
    raise AssertionError("unreachable")


def supervise(name: str, run: Path, report: int) -> None:
    """Run the server until nobody holds a lease; tell the descriptor how the start went."""
    try:
        server = started(name, run)
    except BaseException as error:
        os.write(report, json.dumps({"error": str(error) or repr(error)}).encode())
        raise
    state = state_file(run, name)
    try:
        text = json.dumps({"service": asdict(server.service), "pid": server.pid})
        state.write_text(text)
        os.write(report, text.encode())
        os.close(report)
        with lease_file(run, name).open("r+b") as lease:
            fcntl.flock(lease, fcntl.LOCK_EX)
            server.kill()
            # Before the lock goes: whoever gets it next must find no server that is no more.
            state.unlink()
    finally:
        server.kill()
        shutil.rmtree(server.directory, ignore_errors=True)


def main() -> None:
    """Start in the background, and end when the server answers or cannot."""
    name, run = sys.argv[1], Path(sys.argv[2])
    ear, report = os.pipe()
    if os.fork():
        os.close(report)
        with open(ear, encoding="utf-8") as pipe:
            sys.stdout.write(pipe.read())
        return
    os.close(ear)
    os.setsid()
    # Whoever started us waits for the end of our output.
    with (run / f"{name}.log").open("ab") as log, open(os.devnull, "rb") as null:
        os.dup2(null.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    supervise(name, run, report)


if __name__ == "__main__":
    main()
