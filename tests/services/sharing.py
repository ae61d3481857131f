"""Join the servers of a test run, or start them if nobody has yet."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from tests.services.process import ServerError
from tests.services.supervise import SERVERS, lease_file, state_file

ROOT = Path(__file__).parents[2]


class SharedServers:
    """What one process of a test run uses; the directory is the same for all of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._leases: dict[str, IO[bytes]] = {}

    def join(self, name: str) -> Any:
        """The running server, which stays until `leave`."""
        if name not in self._leases:
            lease = lease_file(self._directory, name).open("ab")
            # Waits where the server is just being stopped.
            fcntl.flock(lease, fcntl.LOCK_SH)
            self._leases[name] = lease
        # Two workers that ask at once start one server.
        with (self._directory / "start.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = state_file(self._directory, name)
            text = state.read_text() if state.exists() else self._start(name)
        known = json.loads(text)
        if "error" in known:
            raise ServerError(known["error"])
        return SERVERS[name].kind(**known["service"])

    def _start(self, name: str) -> str:
        command = [sys.executable, "-m", "tests.services.supervise", name, str(self._directory)]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ).stdout

    def leave(self) -> None:
        """Give up all servers; those that nobody else uses stop."""
        while self._leases:
            self._leases.popitem()[1].close()

    def wait_until_stopped(self, timeout: float = 20.0) -> None:
        """Return when no server of the run is left."""
        deadline = time.monotonic() + timeout
        for path in self._directory.glob("*.lease"):
            with path.open("ab") as lease:
                while True:
                    try:
                        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        if time.monotonic() > deadline:
                            raise ServerError(f"still in use: {path}") from None
                        time.sleep(0.02)
