"""nginx, which most of the web's files come from; only where Debian's package is installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from tests.services.process import Server, free_ports, get

CONFIG = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/octet-stream;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  limit_req_zone $binary_remote_addr zone=few:1m rate=20r/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root files; }}
    location /redirected/ {{ return 302 http://169.254.169.254/latest/meta-data/; }}
    location /loop/ {{ return 302 /loop/again; }}
    location /limited/ {{ root files; limit_req zone=few; limit_req_status 429; }}
    location /private/ {{ root files; auth_basic "files"; auth_basic_user_file users; }}
    location /packed/ {{ root files; gzip on; gzip_types *; gzip_min_length 1; }}
  }}
}}
"""


class Nginx(Server):
    """The server; what is in `files` is served."""

    name: ClassVar[str] = "nginx"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (self._port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"
        self.files = directory / "files"
        self.files.mkdir()
        (self.files / "ready").write_text("yes")
        (directory / "users").write_text("user:{PLAIN}canary\n")
        (directory / "nginx.conf").write_text(CONFIG.format(port=self._port))

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        return None if cls._program() else "nginx is missing: apt-get install nginx-light"

    @staticmethod
    def _program() -> str | None:
        return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

    def command(self) -> list[str]:
        """The program and its arguments."""
        return [self._program() or "", "-p", str(self.directory), "-c", "nginx.conf"]

    def ready(self) -> bool:
        """Whether the server answers."""
        return get(self._port, "/ready") is not None
