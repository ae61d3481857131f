"""Where the tests keep documents, and processes that use them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.repository.source import ROOT

URLS = {
    "json": "json://{}/notes.json",
    "yaml": "yaml://{}/notes.yaml",
    "ini": "ini://{}/notes.ini",
    "msgpack": "file+msgpack://{}/notes.bin",
    "gzip": "gzip+file+json://{}/notes.json.gz",
    "in-sqlite": "sqlite+json://{}/notes.sqlite?key=notes.json",
    "sqlite": "sqlite://{}/notes.sqlite",
    "files": "file://{}/notes",
    "prefix": "prefix+zip://{}/notes.zip?prefix.prefix=notes/",
}
NEEDED = {"yaml": "yaml", "msgpack": "msgspec"}
"""Packages that some of them take."""
LAZY = ("json", "yaml", "ini", "msgpack", "gzip", "in-sqlite")
"""Those that write at a sync only."""

HOLDING = """
import sys
from storage.documents import UID, open_documents
with open_documents(sys.argv[1]) as documents:
    documents.put(UID("theirs"), "key", b"never synced")
    print("open", flush=True)
    sys.stdin.readline()
"""


def each(*kinds: str) -> list[Any]:
    """Parameters of a test, of which those are skipped whose package is missing."""
    return [
        pytest.param(
            kind,
            marks=pytest.mark.skipif(
                kind in NEEDED and find_spec(NEEDED[kind]) is None, reason=f"no package for {kind}"
            ),
        )
        for kind in kinds
    ]


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of the test's own."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def holding(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has documents open."""
    with running(HOLDING, url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


def url_of(kind: str, directory: Path) -> str:
    """The URL of a kind of documents in a directory."""
    return URLS[kind].format(directory)
