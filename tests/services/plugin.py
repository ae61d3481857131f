"""The fixtures that give tests a real server, and the hooks that let all workers share it.

`seaweedfs` and `moto` are one server each; `s3_service` is both in turn; `valkey` is one, too. A
server that is not
installed skips the test, or fails it where REQUIRE_SERVICES=1.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.services import buckets
from tests.services.clouds import Azurite, FakeGcs
from tests.services.ftp import EncryptedFtp, PlainFtp
from tests.services.postgres import Postgres
from tests.services.process import (
    CloudService,
    DatabaseService,
    FileService,
    RedisService,
    S3Service,
    Server,
)
from tests.services.seaweedfs import SeaweedFS
from tests.services.sharing import SharedServers
from tests.services.ssh import OpenSsh, PythonSsh
from tests.services.supervise import SERVERS
from tests.services.tether import die_with_parent
from tests.services.valkey import Valkey
from tests.services.web import WebServer

NewBucket: TypeAlias = Callable[[S3Service], str]

_run = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Agree on the directory of this run: the controller makes it, the workers are told."""
    told = getattr(config, "workerinput", {}).get("storage_services")
    if told:
        # Or a killed run would keep its servers for as long as its longest test goes on.
        die_with_parent()
    config.stash[_run] = Path(told or tempfile.mkdtemp(prefix="storage-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist the directory of this run."""
    node.workerinput["storage_services"] = str(node.config.stash[_run])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: the workers have gone, so the servers are going."""
    if not hasattr(config, "workerinput"):
        directory = config.stash[_run]
        SharedServers(directory).wait_until_stopped()
        shutil.rmtree(directory, ignore_errors=True)


def unavailable(reason: str) -> None:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def _check(server: type[Server]) -> None:
    reason = server.missing()
    if server.kind is S3Service and not find_spec("botocore"):
        reason = "botocore is missing, with which buckets are made: pip install '.[s3]'"
    if reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def _no_aws_environment() -> Iterator[None]:
    """Keep the credentials and the configuration of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def shared_servers(
    pytestconfig: pytest.Config, _no_aws_environment: None
) -> Iterator[SharedServers]:
    """The servers of this run."""
    servers = SharedServers(pytestconfig.stash[_run])
    yield servers
    servers.leave()


@pytest.fixture(scope="session")
def seaweedfs(shared_servers: SharedServers) -> S3Service:
    """A real S3 server: it verifies signatures, conditions and checksums."""
    _check(SERVERS["seaweedfs"])
    found: S3Service = shared_servers.join("seaweedfs")
    return found


@pytest.fixture(scope="session")
def moto(shared_servers: SharedServers) -> S3Service:
    """An S3 imitation: any key, listings in byte order, but nothing is verified."""
    _check(SERVERS["moto"])
    found: S3Service = shared_servers.join("moto")
    return found


@pytest.fixture(scope="session")
def valkey(shared_servers: SharedServers) -> RedisService:
    """A real server of Redis's protocol, with a password; each test takes a prefix of its own."""
    _check(SERVERS["valkey"])
    found: RedisService = shared_servers.join("valkey")
    return found


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server of the test's own, to `kill()`, `start()` again with its data, or fill."""
    _check(Valkey)
    server = Valkey(tmp_path / "valkey")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres(shared_servers: SharedServers) -> DatabaseService:
    """A PostgreSQL server, with a password; each test takes a table of its own."""
    _check(SERVERS["postgres"])
    found: DatabaseService = shared_servers.join("postgres")
    return found


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A server of the test's own with few connections, to `kill()` and `start()` again."""
    _check(Postgres)
    server = Postgres(tmp_path / "postgres", "max_connections=8")
    server.start()
    yield server
    server.kill()


@pytest.fixture(
    scope="session", params=[n for n in sorted(SERVERS) if SERVERS[n].kind is S3Service]
)
def s3_service(request: pytest.FixtureRequest) -> S3Service:
    """Each S3 server in turn."""
    service: S3Service = request.getfixturevalue(request.param)
    return service


@pytest.fixture(scope="session", params=[OpenSsh.name, PythonSsh.name])
def ssh(request: pytest.FixtureRequest, shared_servers: SharedServers) -> FileService:
    """Each SSH server in turn that is installed: OpenSSH's, and asyncssh's."""
    server = SERVERS[request.param]
    reason = server.missing()
    if reason and server is OpenSsh:
        pytest.skip(reason)  # it is no wheel
    service: FileService = _joined(shared_servers, server)
    return service


@pytest.fixture(scope="session")
def sftp(shared_servers: SharedServers) -> FileService:
    """An SSH server: OpenSSH's where it is installed, else asyncssh's."""
    service: FileService = _joined(shared_servers, PythonSsh if OpenSsh.missing() else OpenSsh)
    return service


@pytest.fixture(scope="session")
def ftp(shared_servers: SharedServers) -> FileService:
    """An FTP server without encryption."""
    service: FileService = _joined(shared_servers, PlainFtp)
    return service


@pytest.fixture(scope="session")
def ftps(shared_servers: SharedServers) -> FileService:
    """An FTP server that insists on encryption."""
    service: FileService = _joined(shared_servers, EncryptedFtp)
    return service


@pytest.fixture(scope="session")
def fakegcs(shared_servers: SharedServers) -> CloudService:
    """A server that speaks the JSON API of Google Cloud Storage."""
    service: CloudService = _joined(shared_servers, FakeGcs)
    return service


@pytest.fixture(scope="session")
def azurite(shared_servers: SharedServers) -> CloudService:
    """A server that speaks the REST API of Azure Blob Storage."""
    reason = Azurite.missing()
    if reason:
        pytest.skip(reason)  # it is no wheel
    service: CloudService = _joined(shared_servers, Azurite)
    return service


def _joined(servers: SharedServers, server: type[Server]) -> Any:
    reason = server.missing()
    if reason:
        unavailable(reason)
    return servers.join(server.name)


@pytest.fixture
def new_bucket() -> Iterator[NewBucket]:
    """Make empty buckets, which are removed after the test.

    SeaweedFS takes 0.2 s for the first object of a bucket: where a prefix of its own is enough
    for a test, use `shared_bucket`.
    """
    made: list[tuple[S3Service, str]] = []

    def new(service: S3Service) -> str:
        made.append((service, buckets.create_bucket(service)))
        return made[-1][1]

    yield new
    for service, bucket in made:
        buckets.remove_bucket(service, bucket)


@pytest.fixture(scope="session")
def shared_bucket() -> NewBucket:
    """Give the one bucket of this worker on a service; each test takes a prefix of its own."""
    return cache(buckets.create_bucket)


@pytest.fixture(scope="session")
def web() -> Iterator[WebServer]:
    """A small HTTP server in this process; each test takes paths of its own."""
    with WebServer().running() as server:
        yield server


@pytest.fixture
def own_seaweedfs(tmp_path: Path, _no_aws_environment: None) -> Iterator[SeaweedFS]:
    """A server of the test's own, to `kill()` and `start()` again with its data."""
    _check(SeaweedFS)
    server = SeaweedFS(tmp_path / "seaweedfs")
    server.start()
    yield server
    server.kill()
