"""The commands: how each is told to make one place like another."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sync.places import Bucket, Directory, Place
from tests.services.process import S3Service

Words = list[str]
ON_UVLOOP = "import sys, uvloop; uvloop.install(); from storage.cli import main; sys.exit(main())"
RCLONE = (
    "--fast-list", "--update", "--use-server-modtime", "--transfers", "64", "--checkers", "64",
    "--config", "", "--s3-no-check-bucket",
)  # fmt: skip


def ours(program: str, source: Place, target: Place) -> Words | None:
    """The command of this package."""
    return [program, "sync", source.url, target.url]


def ours_on_uvloop(program: str, source: Place, target: Place) -> Words | None:
    """The same, on the other loop."""
    return [program, "-c", ON_UVLOOP, "sync", source.url, target.url]


def loop(program: str, source: Place, target: Place) -> Words | None:
    """One object after the other."""
    return [program, "-m", "benchmarks.sync.loop", source.url, target.url]


def rclone(program: str, source: Place, target: Place) -> Words | None:
    """Dates as the server has them; for those of the files it would ask for each object."""
    ends = [_rclone(place) for place in (source, target)]
    return [program, "sync", *map(str, ends), *RCLONE] if all(ends) else None


def _rclone(place: Place) -> str | None:
    if isinstance(place, Bucket):
        return f"benchmark:{place.name}"
    return str(place.path) if isinstance(place, Directory) else None


def s5cmd(program: str, source: Place, target: Place) -> Words | None:
    """Not between two directories."""
    ends = _urls(source, target)
    if isinstance(source, Bucket) and ends:
        ends[0] += "*"
    return ends and [program, "--log", "error", "sync", *ends]


def aws(program: str, source: Place, target: Place) -> Words | None:
    """Not between two directories."""
    ends = _urls(source, target)
    return ends and [program, "s3", "sync", "--only-show-errors", *ends]


def _urls(*ends: Place) -> Words | None:
    if not any(isinstance(end, Bucket) for end in ends):
        return None
    known = all(isinstance(end, Bucket | Directory) for end in ends)
    return [f"{end.url}/" for end in ends] if known else None


def cp(program: str, source: Place, target: Place) -> Words | None:
    """Copies what is newer."""
    if isinstance(source, Directory) and isinstance(target, Directory):
        return [program, "-a", "--update", f"{source.path}/.", str(target.path)]
    return None


def rsync(program: str, source: Place, target: Place) -> Words | None:
    """Between directories."""
    if isinstance(source, Directory) and isinstance(target, Directory):
        return [program, "-a", f"{source.path}/", f"{target.path}/"]
    return None


@dataclass(frozen=True)
class Peer:
    """A contender.

    Args:
        program: What is run: a path, or a name that is looked for.
        command: The words of its command for two places; None where it does not go between them.
        judged: Whether ours is measured against it.
    """

    program: str
    command: Callable[[str, Place, Place], Words | None]
    judged: bool = False


OURS = "storage sync"
PEERS: dict[str, Peer] = {
    OURS: Peer("storage", ours),
    f"{OURS}, uvloop": Peer(sys.executable, ours_on_uvloop),
    "rclone": Peer("rclone", rclone, judged=True),
    "s5cmd": Peer("s5cmd", s5cmd, judged=True),
    "aws": Peer("aws", aws, judged=True),
    "cp -a": Peer("cp", cp),
    "rsync -a": Peer("rsync", rsync),
    "a loop": Peer(sys.executable, loop),
}
"""The contenders by name; the first is ours."""


def find(program: str) -> str | None:
    """A program's path: beside this interpreter, where wheels put it, or else on the PATH."""
    scripts = sysconfig.get_path("scripts")
    return shutil.which(program, path=os.pathsep.join([scripts, os.environ.get("PATH", "")]))


def environment(folder: Path, service: S3Service | None) -> dict[str, str]:
    """That of all commands: no settings of whoever runs this, and where the server is."""
    foreign = ("AWS_", "RCLONE_", "S3_", "PYTHONDONTWRITEBYTECODE")  # installed, it is compiled
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # A home of their own: neither settings nor journals of other runs.
    own |= {"HOME": str(folder), "XDG_STATE_HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    if service is None:
        return own
    secrets = {
        "ACCESS_KEY_ID": service.access_key, "SECRET_ACCESS_KEY": service.secret_key,
    }  # fmt: skip
    remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": service.endpoint_url, **secrets}
    return own | {
        **{f"AWS_{name}": value for name, value in secrets.items()},
        **{f"RCLONE_CONFIG_BENCHMARK_{name}": value for name, value in remote.items()},
        "AWS_ENDPOINT_URL": service.endpoint_url,
        "S3_ENDPOINT_URL": service.endpoint_url,
        "AWS_DEFAULT_REGION": service.region,
        "AWS_REGION": service.region,
    }


def settings_of_aws(folder: Path) -> dict[str, str]:
    """As many requests in flight as the others have; by default it has 10."""
    path = folder / "aws.ini"
    path.write_text("[default]\ns3 =\n  max_concurrent_requests = 64\n")
    return {"AWS_CONFIG_FILE": str(path)}


def install_aws(folder: Path) -> str:
    """An environment of its own for awscli, which wants another botocore than ours."""
    import venv
    from subprocess import run

    venv.create(folder, with_pip=True)
    run([folder / "bin" / "pip", "install", "-q", "awscli"], check=True)
    return str(folder / "bin" / "aws")


def available(names: Sequence[str], given: dict[str, str]) -> dict[str, str]:
    """The program of each contender that is installed.

    Args:
        names: The contenders; none are all of them.
        given: Programs of contenders that are not to be looked for.
    """
    chosen = {name: peer for name, peer in PEERS.items() if not names or name in names}
    found = {name: find(given.get(name, peer.program)) for name, peer in chosen.items()}
    return {name: path for name, path in found.items() if path}
