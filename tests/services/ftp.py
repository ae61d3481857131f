"""FTP servers of pyftpdlib: one in plain words, one that insists on encryption.

Their user sees the files of this machine, so a test can look at what it has stored. `ca.pem` in
the service's directory is whom to trust.
"""

from __future__ import annotations

import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.services.process import FileService, Server, free_ports

USER, PASSWORD = "tester", "secret-of-the-ftp-user"
_PROGRAM = Path(__file__).with_name("ftpserver.py")


class PlainFtp(Server):
    """Takes a password in plain words."""

    name: ClassVar[str] = "ftp"
    kind: ClassVar[type[Any]] = FileService
    encrypted: ClassVar[bool] = False

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (self._port,) = free_ports(1)
        if self.encrypted:
            self._make_certificate()
        self.service = FileService(
            "127.0.0.1", self._port, USER, PASSWORD, str(directory), self.name
        )

    def _make_certificate(self) -> None:
        from tests.backends.certificates import Authority

        authority = Authority(self.directory)
        authority.issue(["127.0.0.1"]).rename(self.directory / "server.pem")
        (self.directory / "ca.pem").write_bytes(authority.pem())

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if not find_spec("aioftp"):
            return "aioftp is missing: pip install '.[ftp]'"
        if find_spec("pyftpdlib") and find_spec("OpenSSL"):
            return None
        return "pyftpdlib is missing: pip install pyftpdlib pyopenssl"

    def command(self) -> list[str]:
        """The program and its arguments."""
        certificate = self.directory / "server.pem"
        more = [str(certificate)] if self.encrypted else []
        return [sys.executable, str(_PROGRAM), str(self._port), USER, PASSWORD, *more]

    def ready(self) -> bool:
        """Whether the server answers."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                return connection.recv(4) == b"220 "
        except OSError:
            return False


class EncryptedFtp(PlainFtp):
    """Takes nothing that is not encrypted."""

    name: ClassVar[str] = "ftps"
    encrypted: ClassVar[bool] = True
