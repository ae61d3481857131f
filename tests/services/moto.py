"""Moto: an S3 imitation that starts at once.

It verifies neither signatures nor checksums: what passes here says nothing about them.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tests.services.process import S3Service, Server, free_ports, get


class Moto(Server):
    """The server in a process of its own, where it cannot hold up the loop of a test."""

    name: ClassVar[str] = "moto"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (self._port,) = free_ports(1)
        self.service = S3Service(
            endpoint_url=f"http://127.0.0.1:{self._port}",
            access_key="testing",
            secret_key="testing",
            region="us-east-1",
            name=self.name,
        )

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if find_spec("moto") and find_spec("flask") and find_spec("flask_cors"):
            return None
        return "moto's server is missing: pip install 'moto[s3]' flask flask-cors"

    def command(self) -> list[str]:
        """The program and its arguments."""
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]

    def ready(self) -> bool:
        """Whether the server answers."""
        return get(self._port, "/moto-api/data.json") is not None
