"""An SFTP server of asyncssh, as a program: PORT DIRECTORY PASSWORD."""

from __future__ import annotations

import asyncio
import sys

import asyncssh


class _Owner(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        """Passwords are taken."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Whether it is the right one."""
        return password == sys.argv[3]


async def main(port: int, directory: str) -> None:
    """Serve for ever."""
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=_Owner,
        server_host_keys=[f"{directory}/host_key"],
        authorized_client_keys=f"{directory}/id_ed25519.pub",
        sftp_factory=True,
    )
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
