"""The command starts fast, because it loads what the verb needs and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_buckets import url_of
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

# Of the package, by the first words of their names, and of others.
HEAVY = {"aiobotocore", "aiohttp", "aiosqlite", "anyio", "botocore", "sqlite3", "tqdm"}
TWINS, ENGINE, BACKENDS = "storage._sync", "storage._async.transfer", "storage._async.backends"

SCRIPT = """
import json, sys
from storage.cli import main
main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

Loaded = Callable[..., list[str]]


@pytest.fixture
def loaded(folder: Path, environment: dict[str, str]) -> Loaded:
    """Which modules a run of the command loads; of each package that is not ours, the top."""
    (folder / "data").mkdir()
    (folder / "data" / "key").touch()

    def loaded_by(*words: str) -> list[str]:
        command = [sys.executable, "-c", SCRIPT, *words]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        return [name for name in json.loads(done.stderr) if name in HEAVY or "." in name]

    return loaded_by


@pytest.mark.parametrize("verb", [["--help"], ["--version"], ["ls", "--help"], ["sync", "--help"]])
def test_help_needs_no_store(loaded: Loaded, verb: list[str]) -> None:
    names = loaded(*verb)
    assert not [name for name in names if name in HEAVY or name.startswith("asyncio")]
    assert not [name for name in names if name.startswith((TWINS, ENGINE, BACKENDS))]


@pytest.mark.parametrize("words", [["ls"], ["cat", "key"], ["rm", "key"], ["get", "key", "new"]])
def test_verbs_on_objects_need_one_backend_and_no_engine(loaded: Loaded, words: list[str]) -> None:
    verb, *rest = words
    names = loaded(verb, "data", *rest)
    assert HEAVY.isdisjoint(names)
    assert not [name for name in names if name.startswith((TWINS, ENGINE))]
    assert f"{BACKENDS}.fs" in names
    assert f"{BACKENDS}.db" not in names


def test_memory_needs_nothing_of_others(loaded: Loaded) -> None:
    assert HEAVY.isdisjoint(loaded("ls", "memory://"))


def test_a_sync_needs_no_twin_no_wrapper_and_no_worker(loaded: Loaded) -> None:
    names = loaded("sync", "data", "copy")
    assert f"{ENGINE}.running" in names
    names += loaded("sync", "data", "copy")  # once with a journal, made by the first
    unneeded = (TWINS, "storage._async.wrappers", "storage.cli.fleet", "storage.cli.worker")
    assert not [name for name in names if name.startswith(unneeded)]
    assert HEAVY.intersection(names) <= {"sqlite3"}


CLIENTS = {"aiobotocore", "aiohttp", "anyio", "boto3", "botocore", "tqdm"}


@pytest.mark.parametrize("credentials", ["environment", "url"])
def test_a_bucket_with_plain_credentials_needs_no_client(
    loaded: Loaded,
    seaweedfs: S3Service,
    new_bucket: NewBucket,
    environment: dict[str, str],
    credentials: str,
) -> None:
    bucket = new_bucket(seaweedfs)
    url = url_of(seaweedfs, bucket)
    if credentials == "environment":
        environment["AWS_ACCESS_KEY_ID"] = seaweedfs.access_key
        environment["AWS_SECRET_ACCESS_KEY"] = seaweedfs.secret_key
        url = re.sub(r"://.*@", "://", url)
    for words in (["sync", "data", url], ["sync", "data", url], ["ls", url]):
        names = loaded(*words)
        assert CLIENTS.isdisjoint(name.partition(".")[0] for name in names)
        assert not [name for name in names if name.startswith((TWINS, "storage._async.wrappers"))]
