"""An FTP server of pyftpdlib, as a program: PORT USER PASSWORD [CERTIFICATE]."""

from __future__ import annotations

import sys
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


def main(port: str, user: str, password: str, certificate: str | None = None) -> None:
    """Serve for ever."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, "/", perm="elradfmwMT")
    base: type[Any] = TLS_FTPHandler if certificate else FTPHandler
    members: dict[str, Any] = {"authorizer": authorizer, "use_sendfile": False}
    if certificate:
        members |= {
            "certfile": certificate,
            "tls_control_required": True,
            "tls_data_required": True,
        }
    FTPServer(("127.0.0.1", int(port)), type("Handler", (base,), members)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
