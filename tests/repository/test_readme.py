"""The README's examples run as they stand, and its tables say what the code says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from storage._registry import BACKENDS
from storage.cli import main
from storage.fs import HashdirStore
from tests.repository.readme import README
from tests.services.process import S3Service

TEXT = README.read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


PROGRAMS = [block for block in blocks("python") if "storage.testing" not in block]


# What the README tells to write into pytest's configuration, and what silences pytest-asyncio.
CONFIGURED = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]


def run(
    arguments: list[str], folder: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run Python as a user would, warnings included."""
    path = f"{README.parent}"
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *arguments],
        cwd=folder,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_every_program_runs(program: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {}
    if "storage.s3" in program:
        service: S3Service = request.getfixturevalue("seaweedfs")
        environment = {
            "AWS_ENDPOINT_URL": service.endpoint_url,
            "AWS_ACCESS_KEY_ID": service.access_key,
            "AWS_SECRET_ACCESS_KEY": service.secret_key,
            "AWS_DEFAULT_REGION": service.region,
        }
    if "REDIS_URL" in program:
        environment["REDIS_URL"] = request.getfixturevalue("valkey").url
    done = run(["-c", program], tmp_path, environment)
    # asyncio's debug mode complains of every step that took long; here the machine is just busy.
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, complaints) == (0, [])


def test_a_backend_written_after_the_readme_passes_conformance(tmp_path: Path) -> None:
    backend = next(block for block in PROGRAMS if "AsyncListStore" in block)
    kit = next(block for block in blocks("python") if "storage.testing" in block)
    test = backend.replace("asyncio.run(main())", "") + kit
    (tmp_path / "test_backend.py").write_text(test)
    done = run(["-m", "pytest", "-q", *CONFIGURED, "test_backend.py"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout)


def test_the_commands_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "2026").mkdir(parents=True)
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"a cat")
    (tmp_path / "photos" / "2026" / "notes.txt").write_bytes(b"some notes")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    HashdirStore(tmp_path / "hashed").put("a", b"1")
    for line in "".join(blocks("console")).splitlines():
        words = shlex.split(line.removeprefix("$ storage "))
        # No bucket here: the words for S3 are tried on a directory.
        words = [word.replace("s3://bucket", bucket.as_posix()) for word in words]
        assert main(words) == 0, line
    output = capfdbinary.readouterr().out.decode()
    assert "2 copied" in output
    assert "identical: 2 objects" in output
    assert "2026/notes.txt" in output
    assert "some notes" in output
    archive = (tmp_path / "photos.zip").read_bytes()
    assert (tmp_path / "restored.zip").read_bytes() == archive
    assert HashdirStore(tmp_path / "hashed", 2, 2).get("a") == b"1"


def test_the_table_of_urls_is_the_registry() -> None:
    rows = re.findall(r"^\| `(\S+)` \| `storage\.(\S+)` \| `storage\.(\S+)` \|", TEXT, re.MULTILINE)
    assert rows == [
        (one.example, one.blocking.replace(":", "."), one.asynchronous.replace(":", "."))
        for one in BACKENDS
    ]
