"""An error is one line on standard error, and an exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import storage
from storage.cli.main import VERBS
from storage.cli.progress import readable
from tests.cli.conftest import Run

WRONG = {
    "": "Missing command (see 'storage --help')",
    "frob": "No such command 'frob' (see 'storage --help')",
    "--frob": "--frob (see 'storage --help')",
    "ls": "Missing argument 'STORE' (see 'storage ls --help')",
    "ls --frob .": "--frob (see 'storage ls --help')",
    "rm .": "Missing argument 'KEY...' (see 'storage rm --help')",
    "sync .": "Missing argument 'TARGET' (see 'storage sync --help')",
    "sync --transfers=0 . copy": "--transfers",
    "sync --transfers=many . copy": "--transfers",
    "sync . frob://x": "no store has the scheme 'frob'",
    "ls file:///x?frob=1": "option 'frob'",
    "ls memory://?timeout=soon": "'soon'",
    "ls sqlite://": "SQLite",
}


@pytest.mark.parametrize(("words", "complaint"), WRONG.items(), ids=WRONG)
def test_wrong_usage_is_1(run: Run, words: str, complaint: str) -> None:
    done = run(*words.split())
    assert (done.code, done.out) == (1, "")
    assert complaint in done.complaint.replace("'--frob'", "--frob")  # quoted by newer clicks


@pytest.mark.parametrize("verb", ["ls", "cat", "rm", "get"])
def test_a_missing_store_is_2(run: Run, folder: Path, verb: str) -> None:
    words = {"ls": [], "cat": ["key"], "rm": ["key"], "get": ["key", "file"]}[verb]
    for store in ("nothing", "sqlite://nothing.sqlite"):
        done = run(verb, store, *words)
        assert (done.code, done.out) == (2, "")
        assert "nothing" in done.complaint
        assert re.search("does not exist|there is no such file", done.complaint)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("group", "the first"),
        ("lines", "RuntimeError: first line second\\x1b[31m line"),
        ("pipe", "[Errno 32] Broken pipe"),
        ("silent", "ValueError"),
    ],
)
def test_what_no_store_should_raise_is_one_line_too(run: Run, kind: str, complaint: str) -> None:
    done = run("ls", f"broken://{kind}")
    assert (done.code, done.out, done.complaint) == (2, "", complaint)


def test_a_traceback_is_to_be_had(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="first line"):
        run("ls", "broken://lines")


@pytest.mark.parametrize(
    "words",
    [
        "ls . a b s3://key:p4ssword@bucket",
        "ls s3://key:p4ssword@bucket?frob=1",
        "ls file://user:p4ssword@/data",
        "ls frob://user:p4ss/word@host",
        "put . key s3://key:p4ssword@bucket",
        "get s3://key:p4ssword@bucket key nothing/file",
        "sync . s3://key:p4ssword@bucket --frob",
    ],
)
def test_no_complaint_repeats_a_password(run: Run, words: str) -> None:
    done = run(*words.split())
    assert done.code in {1, 2}  # 2 where S3 is not installed
    assert "p4ss" not in done.complaint
    assert "word" not in done.complaint.replace("p4ss", "")


def test_help_names_every_verb(run: Run) -> None:
    done = run("--help")
    assert (done.code, done.err) == (0, "")
    assert all(f"\n  {verb} " in done.out for verb in VERBS)
    assert done == run("-h")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run: Run, verb: str) -> None:
    done = run(verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: storage {verb} ")


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version") == (0, f"storage {storage.__version__}\n".encode(), "")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (2e9, "2.0 GB"),
        (3.1e15, "3100.0 TB"),
    ],
)
def test_sizes_are_readable(size: float, text: str) -> None:
    assert readable(size) == text
