"""Collections on an FTP server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aioftp")

from storage.documents import (
    UID,
    AsyncFtpJsonBackend,
    AsyncStorage,
    FtpJsonBackend,
    Storage,
    StorageLockedException,
    open_documents,
)
from storage.object import PreconditionFailed, StoreUnavailable
from tests.repository.source import ROOT
from tests.services.process import FileService

ONE = UID("1" * 32)

UNCLOSED = """
import sys
from storage.documents import UID, open_documents
documents = open_documents(sys.argv[1])
documents.put(UID("1" * 32), "key", b"never synced")
print(documents.count(UID("1" * 32)))
"""


@pytest.fixture
def settings(ftp: FileService, tmp_path: Path) -> dict[str, Any]:
    """As users of pyStorageBackend give them, and what an unencrypted server takes here."""
    return {
        "url": f"{ftp.host}:{ftp.port}",
        "username": ftp.user,
        "password": ftp.password,
        "path": str(tmp_path / "docs/notes.json"),
        "tls": "none",
        "allow_plaintext": True,
    }


@pytest.fixture
def url(ftp: FileService, tmp_path: Path) -> str:
    """The same as a URL."""
    login = f"{ftp.user}:{ftp.password}@{ftp.host}:{ftp.port}"
    return f"ftp+json://{login}{tmp_path}/docs/notes.json?allow_plaintext=true"


def test_a_collection_on_a_server(settings: dict[str, Any], url: str, tmp_path: Path) -> None:
    documents = Storage(FtpJsonBackend, settings)
    documents.open()
    documents.put(ONE, "key", b"\xff\x00")
    with pytest.raises(StorageLockedException):
        open_documents(url).open()
    file = tmp_path / "docs/notes.json"
    assert not file.exists()
    documents.sync()
    assert file.exists()
    file.write_text("{}")
    documents.put(ONE, "more", b"")
    with pytest.raises(PreconditionFailed):
        documents.sync()
    assert file.read_text() == "{}"
    documents.sync({"overwrite": True})
    documents.close()
    assert [each.name for each in file.parent.iterdir()] == ["notes.json"]
    with open_documents(url) as again:
        assert again.get_document(ONE) == {"key": b"\xff\x00", "more": b""}


async def test_async_callers(settings: dict[str, Any], url: str) -> None:
    async with AsyncStorage(AsyncFtpJsonBackend, settings) as documents:
        await documents.put(ONE, "key", b"1")
        await documents.close()
        await documents.open()
        assert await documents.get(ONE, "key") == b"1"


def test_a_server_that_is_not_there(settings: dict[str, Any]) -> None:
    documents = Storage(FtpJsonBackend, {**settings, "url": "127.0.0.1:1"})
    with pytest.raises(StoreUnavailable):
        documents.open()
    documents.close()


def test_an_exit_without_a_close_writes_nothing_and_does_not_hang(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNCLOSED, url]
    told = subprocess.check_output(command, cwd=ROOT, text=True, timeout=60)
    assert told == "1\n"
    assert not (tmp_path / "docs/notes.json").exists()
    with open_documents(url) as documents:  # the lock of a dead process is free
        assert documents.count(ONE) == 0
