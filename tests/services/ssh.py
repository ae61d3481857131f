"""SSH servers with SFTP: OpenSSH's, which is a package of the system, and asyncssh's.

Their users see the files of this machine, so a test can look at what it has stored. Those are
`id_ed25519` and `known_hosts` in the service's directory.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.services.process import FileService, Server, free_ports

PASSWORD = "secret-of-the-ssh-user"
_PROGRAM = Path(__file__).with_name("sshserver.py")


class _Ssh(Server):
    kind: ClassVar[type[Any]] = FileService

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (self._port,) = free_ports(1)
        self._make_keys()
        self.service = FileService(
            "127.0.0.1", self._port, getpass.getuser(), PASSWORD, str(directory), self.name
        )

    def _make_keys(self) -> None:
        import asyncssh

        for name in ("id_ed25519", "host_key"):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(str(self.directory / name))
            key.write_public_key(str(self.directory / f"{name}.pub"))
            (self.directory / name).chmod(0o600)
        public = (self.directory / "host_key.pub").read_text()
        (self.directory / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {public}")

    def ready(self) -> bool:
        """Whether the server answers."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


class OpenSsh(_Ssh):
    """The server that nearly everybody runs."""

    name: ClassVar[str] = "openssh"

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if not find_spec("asyncssh"):
            return "asyncssh is missing: pip install '.[sftp]'"
        return None if _sshd() else "OpenSSH's server is missing: apt-get install openssh-server"

    def command(self) -> list[str]:
        """The program and its arguments."""
        directory = self.directory
        (directory / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self._port}\nHostKey {directory}/host_key\n"
            f"AuthorizedKeysFile {directory}/id_ed25519.pub\nStrictModes no\nUsePAM no\n"
            f"PermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n"
            f"MaxStartups 100:30:200\nUseDNS no\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        return [str(_sshd()), "-D", "-e", "-f", str(directory / "sshd_config")]


class PythonSsh(_Ssh):
    """The one that comes with asyncssh; it takes passwords, too."""

    name: ClassVar[str] = "asyncssh"

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        return None if find_spec("asyncssh") else "asyncssh is missing: pip install '.[sftp]'"

    def command(self) -> list[str]:
        """The program and its arguments."""
        return [sys.executable, str(_PROGRAM), str(self._port), str(self.directory), PASSWORD]


def _sshd() -> str | None:
    return shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
