"""A server as a child process: started, awaited, killed by its pid."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

TETHER = Path(__file__).with_name("tether.py")


class ServerError(Exception):
    """The server did not start, or did not become ready."""


@dataclass(frozen=True)
class S3Service:
    """Where an S3 server listens, and with which credentials."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    name: str


@dataclass(frozen=True)
class FileService:
    """Where a server of files listens, which gives its user all that the tests can read."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    directory: str
    """Where its keys and certificates are."""
    name: str


@dataclass(frozen=True)
class RedisService:
    """Where a server that speaks Redis's protocol listens, and with which password."""

    host: str
    port: int
    password: str = field(repr=False)
    name: str

    @property
    def url(self) -> str:
        """The URL of its first database."""
        return f"redis://:{self.password}@{self.host}:{self.port}/0"


@dataclass(frozen=True)
class CloudService:
    """Where a server listens that stands for a cloud service, and what opens it."""

    endpoint: str
    account: str
    key: str = field(repr=False)
    name: str


@dataclass(frozen=True)
class DatabaseService:
    """Where a database server listens, and how one is let into its first database."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    name: str

    @property
    def url(self) -> str:
        """The URL of its first database."""
        place = f"{self.host}:{self.port}/{self.database}"
        return f"postgresql://{self.user}:{self.password}@{place}"


class Server(ABC):
    """One server, its ports and its directory; it may be killed and started again.

    Start it from a main thread: it dies with the thread that started it.
    """

    name: ClassVar[str]
    kind: ClassVar[type[Any]] = S3Service
    """What tells its users where it is: a dataclass of what JSON knows."""
    service: Any

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program, by its absolute path, and its arguments."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers."""

    def environment(self) -> dict[str, str]:
        """The environment, less the credentials and endpoints of whoever runs the tests."""
        return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    def discard(self) -> None:
        """Remove what the server leaves behind outside its directory."""

    @property
    def pid(self) -> int | None:
        """The process id while the server runs."""
        return self._process.pid if self._process else None

    def start(self, timeout: float = 30.0) -> None:
        """Start the server and return when it answers."""
        if self._process is not None:
            raise ServerError(f"{self.name} runs already")
        command = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.command()]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd=self.directory,
                # Ctrl-C is for the tests, which then stop the server in good order.
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not self.ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                reason = "is not ready in time" if code is None else f"ended with {code}"
                self.kill()
                raise ServerError(f"{self.name} {reason}; its log ends with\n{self.log_tail()}")
            time.sleep(0.05)
        # What answers may be somebody else on the same port.
        if self._process.poll() is not None:
            self.kill()
            raise ServerError(f"{self.name} ended; its log ends with\n{self.log_tail()}")

    def kill(self) -> None:
        """End the server at once, as a crash would; what it has stored stays for a new start."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # all, as some programs are started by another one
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.discard()

    def log_tail(self, size: int = 4096) -> str:
        """The end of what the server has said."""
        return (self.directory / "server.log").read_bytes()[-size:].decode(errors="replace")


def free_ports(count: int) -> list[int]:
    """Ports that are free now, from below the range that outgoing connections are given.

    Somebody may still be faster: whoever starts a server tries again with other ports.
    """
    ports: list[int] = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise ServerError("no free ports")


def get(port: int, path: str) -> bytes | None:
    """The body that a GET gives with 200, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
