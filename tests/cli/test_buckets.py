"""The command on a real S3 service: both ways, and its errors keep the secret."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.cli.conftest import Run
from tests.services.plugin import NewBucket
from tests.services.process import S3Service
from tests.stores import numbered


def url_of(service: S3Service, bucket: str, secret: str | None = None) -> str:
    """The bucket with its credentials, as a user would write it."""
    options = {"endpoint_url": service.endpoint_url, "region": service.region}
    user = quote(service.access_key, safe="")
    password = quote(secret or service.secret_key, safe="")
    return f"s3://{user}:{password}@{bucket}/prefix?{urlencode(options)}"


@pytest.fixture
def data(folder: Path) -> Path:
    """A directory with forty objects, one of them large."""
    (folder / "data").mkdir()
    for key, content in {**numbered(39), "large": bytes(9_000_000)}.items():
        (folder / "data" / key).write_bytes(content)
    return folder / "data"


def test_there_and_back(run: Run, data: Path, s3_service: S3Service, new_bucket: NewBucket) -> None:
    bucket = url_of(s3_service, new_bucket(s3_service))
    assert run("sync", data, bucket).sums["copied"] == 40
    assert run("verify", data, bucket).out == "identical: 40 objects, every byte\n"
    assert run("sync", bucket, "back").sums["copied"] == 40
    assert (data.parent / "back" / "large").read_bytes() == bytes(9_000_000)
    assert run("cp", bucket, "key-00007", bucket, "copy").code == 0
    assert run("cat", bucket, "copy").raw == (data / "key-00007").read_bytes()
    assert run("rm", bucket, "copy", "large").code == 0
    assert len(run("ls", bucket).out.splitlines()) == 39


def test_errors_keep_the_secret(
    run: Run, data: Path, seaweedfs: S3Service, new_bucket: NewBucket
) -> None:
    bucket = new_bucket(seaweedfs)
    for url in (
        url_of(seaweedfs, bucket, "wrong/secret+word"),
        url_of(seaweedfs, "no-such-bucket-anywhere"),
    ):
        for words in (["ls", url], ["cat", url, "key"], ["put", url, "key", data / "large"]):
            done = run(*words)
            assert (done.code, done.out) == (2, "")
            assert "secret" not in done.complaint
            assert seaweedfs.secret_key not in done.complaint
