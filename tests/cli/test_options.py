"""What the options of sync mean, and what they refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from storage._async.transfer.report import SyncReport
from storage.cli.choices import parse_limit
from storage.cli.places import without_secrets
from storage.cli.sums import table
from tests.cli.conftest import Run


@pytest.fixture
def data(folder: Path) -> Path:
    """A directory with objects of several kinds, the tenth of them old."""
    data = folder / "data"
    for key, content in {"docs/a.txt": b"a", "docs/b.tmp": b"bb", "x.txt": b"c" * 2000}.items():
        (data / key).parent.mkdir(parents=True, exist_ok=True)
        (data / key).write_bytes(content)
    os.utime(data / "docs" / "a.txt", (1_000_000_000, 1_000_000_000))
    return data


def copied(folder: Path) -> list[str]:
    """The keys that are in the target now."""
    copy = folder / "copy"
    return sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())


SELECTIONS = [
    (["--include", "*.txt"], ["docs/a.txt", "x.txt"]),
    (["--include", "*.txt", "--include", "!x.*"], ["docs/a.txt"]),
    (["--exclude", "docs/"], ["x.txt"]),
    (["--exclude-from", "patterns"], ["docs/a.txt", "x.txt"]),
    (["--include-from", "patterns"], ["docs/b.tmp"]),
    (["--files-from", "keys"], ["docs/a.txt", "x.txt"]),
    (["--files-from", "keys", "--exclude", "docs"], ["x.txt"]),
    (["--newer", "2d"], ["docs/b.tmp", "x.txt"]),
    (["--older", "2002-01-01"], ["docs/a.txt"]),
    (["--min-size", "1k"], ["x.txt"]),
    (["--max-size", "1kB"], ["docs/a.txt", "docs/b.tmp"]),
]


@pytest.mark.parametrize(("words", "keys"), SELECTIONS, ids=[" ".join(w) for w, _ in SELECTIONS])
def test_a_selection(run: Run, folder: Path, data: Path, words: list[str], keys: list[str]) -> None:
    (folder / "patterns").write_text("# comment\n*.tmp\n")
    (folder / "keys").write_text("x.txt\r\n\n# comment\ndocs/a.txt\nmissing\n")
    assert run("sync", *words, data, "copy").code == 0
    assert copied(folder) == keys
    # What is not selected is not deleted either, though the source has no such object now.
    (folder / "other").mkdir()
    (folder / "other" / "z").touch()
    done = run("sync", "--delete", "--max-delete", "none", "--exclude", "*.txt", "other", "copy")
    assert copied(folder) == sorted({*keys, "z"} - {"docs/b.tmp"}), done.err


@pytest.mark.parametrize(
    ("words", "copies"),
    [
        ([], 1),
        (["--checksum"], 1),
        (["--size-only"], 0),
        (["--compare", "size"], 0),
        (["--no-clobber"], 0),
        (["--compare", "always"], 3),
    ],
)
def test_ways_to_compare(run: Run, data: Path, words: list[str], copies: int) -> None:
    run("sync", data, "copy")
    (data / "docs" / "b.tmp").write_bytes(b"BB")
    assert run("sync", *words, data, "copy").sums["copied"] == copies


def test_the_limit_of_deletes(run: Run, data: Path, folder: Path) -> None:
    run("sync", data, "copy")
    (data / "docs" / "a.txt").unlink()
    (data / "x.txt").unlink()
    for limit in ("1", "20%", "0"):
        done = run("sync", "--delete", "--max-delete", limit, data, "copy")
        assert (done.code, len(copied(folder))) == (2, 3)
        assert "nothing was deleted: 2 of the target's 3 objects would go" in done.complaint
    assert run("sync", "--delete", data, "copy").code == 0  # half, rounded up
    assert copied(folder) == ["docs/b.tmp"]


@pytest.mark.parametrize(
    ("text", "limit"), [("0", 0), ("12", 12), ("10%", 0.1), ("100%", 1.0), ("none", None)]
)
def test_limits(text: str, limit: float | None) -> None:
    found = parse_limit(text)
    assert found == limit
    assert type(found) is type(limit)


def test_a_backup_keeps_what_goes(run: Run, data: Path, folder: Path) -> None:
    run("sync", data, "copy")
    (data / "x.txt").write_bytes(b"new")
    (data / "docs" / "a.txt").unlink()
    assert run("sync", "--delete", "--backup", "kept", data, "copy").code == 0
    assert (folder / "kept" / "x.txt").read_bytes() == b"c" * 2000
    assert (folder / "kept" / "docs" / "a.txt").read_bytes() == b"a"


def test_lines_of_json(run: Run, data: Path, folder: Path) -> None:
    (folder / "copy" / "x.txt").mkdir(parents=True)
    (folder / "copy" / "x.txt" / "surplus").touch()
    done = run("sync", "--json", data, "copy")
    *outcomes, sums = map(json.loads, done.out.splitlines())
    assert done.code == 2
    assert {outcome["key"]: outcome["action"] for outcome in outcomes} == {
        "docs/a.txt": "copied",
        "docs/b.tmp": "copied",
        "x.txt": "failed",
    }
    assert outcomes[0]["reason"] == "new"
    assert sums["sums"]["copied"] == 2
    assert sums["sums"]["bytes_copied"] == 3
    assert "x.txt" in sums["sums"]["failures"]


def test_quiet_and_verbose(run: Run, data: Path) -> None:
    assert run("sync", "-q", data, "copy") == (0, b"", "")
    (data / "x.txt").write_bytes(b"new")
    assert run("sync", "-v", data, "copy").out.startswith("copy     x.txt  (size, 3 B)\n")


def test_a_journal_where_it_is_wanted(run: Run, data: Path, folder: Path) -> None:
    run("sync", "--no-journal", data, "copy")
    assert not list(folder.glob(".copy*"))
    run("sync", "--journal", "mine", data, "copy")
    assert (folder / "mine").exists()
    run("sync", data, "copy")
    assert (folder / ".copy.storage-journal").exists()
    assert copied(folder) == ["docs/a.txt", "docs/b.tmp", "x.txt"]


def test_a_damaged_journal_is_told_and_does_no_harm(run: Run, data: Path, folder: Path) -> None:
    (folder / ".copy.storage-journal").write_bytes(b"garbage" * 1000)
    done = run("sync", data, "copy")
    assert done.code == 0
    assert done.complaint.endswith("it is .copy.storage-journal.damaged-1 now")
    assert len(copied(folder)) == 3


BAD = [
    ["--compare", "size", "--checksum"],
    ["--compare", "luck"],
    ["--max-delete", "101%"],
    ["--max-delete", "many"],
    ["--min-size", "1x"],
    ["--newer", "yesterday"],
    ["--bwlimit", "0"],
    ["--buffer", "0"],
    ["--include", "[a"],
    ["--include", "*.txt", "--exclude", "*"],
    ["--min-size", "2", "--max-size", "1"],
    ["--journal", "a", "--no-journal"],
    ["--files-from", "no-such-file"],
    ["--backup", "copy/kept"],
    ["--workers", "0"],
]


@pytest.mark.parametrize("words", BAD, ids=[" ".join(words) for words in BAD])
def test_what_makes_no_sense_is_wrong_usage(
    run: Run, data: Path, folder: Path, words: list[str]
) -> None:
    done = run("sync", *words, data, "copy")
    assert (done.code, done.out) == (1, ""), done
    assert done.complaint
    assert not (folder / "copy").exists()


@pytest.mark.parametrize("verb", ["sync", "plan"])
def test_ends_that_overlap_are_refused(run: Run, data: Path, verb: str) -> None:
    done = run(verb, data, data / "docs")
    assert (done.code, done.out) == (1, "")
    assert "one is in the other" in done.complaint


# -- plans -----------------------------------------------------------------------------------


def test_a_plan_is_done_as_it_stands(run: Run, data: Path, folder: Path) -> None:
    (folder / "copy").mkdir()
    (folder / "copy" / "surplus").touch()
    done = run("plan", "--delete", "-o", "the.plan", data, "copy")
    assert done == (0, b"3 to copy (2.0 kB), 1 to delete, 0 identical\n", "")
    assert copied(folder) == ["surplus"]
    (data / "later").touch()
    (data / "x.txt").write_bytes(b"changed since then")
    done = run("apply", "--max-delete", "none", "the.plan")
    assert done.code == 2
    assert done.sums["copied"] == 2
    assert done.sums["changed meanwhile, left alone"] == 1
    assert copied(folder) == ["docs/a.txt", "docs/b.tmp", "surplus"]
    assert run("apply", "the.plan", data).code == 1
    assert run("apply", "no.plan").code == 1


def test_a_plan_on_standard_output(run: Run, data: Path, folder: Path) -> None:
    done = run("plan", data, "copy")
    header, *steps, end = map(json.loads, done.out.splitlines())
    assert (header["source"], header["target"]) == (str(data), str(folder / "copy"))
    assert [step["key"] for step in steps] == ["docs/a.txt", "docs/b.tmp", "x.txt"]
    assert end["copy"] == 3
    assert list(folder.iterdir()) == [data]
    (folder / "cut.plan").write_text("\n".join(done.out.splitlines()[:-1]))
    assert "cut" in run("apply", "cut.plan").complaint


def test_a_plan_that_fails_leaves_no_file(run: Run, folder: Path) -> None:
    assert run("plan", "-o", "the.plan", "missing", "copy").code == 2
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite://x.db", "sqlite://x.db"),
        ("s3://id:secret@bucket/a?region=x", "s3://id:***@bucket/a?region=x"),
        ("s3://bucket?a=b&sse_key=abc&region=x", "s3://bucket?a=b&sse_key=***&region=x"),
        (
            "encrypting+file:///x?encrypting.key=abc=",
            "encrypting+file:///x?encrypting.key=***",
        ),
    ],
)
def test_no_secret_stands_in_a_plan(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_a_plan_without_its_secrets_needs_its_stores_named(
    run: Run, data: Path, folder: Path
) -> None:
    key = "A" * 43 + "="
    url = f"encrypting+file://{folder}/copy?encrypting.key={key}"
    assert run("plan", "-o", "the.plan", data, url).code == 0
    assert key not in (folder / "the.plan").read_text()
    done = run("apply", "the.plan")
    assert (done.code, copied(folder)) == (1, [])
    assert "does not hold its stores' secrets" in done.complaint
    assert run("apply", "the.plan", data, url).code == 0
    assert run("verify", data, url).code == 0


def test_a_plan_of_relative_stores_is_applied_where_it_was_made(
    run: Run, data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("plan", "-o", "the.plan", data, "sqlite://copy.sqlite").code == 0
    monkeypatch.chdir(data)
    assert "the plan was made in" in run("apply", folder / "the.plan").complaint
    monkeypatch.chdir(folder)
    assert run("apply", "the.plan").sums["copied"] == 3


def test_what_is_rare_has_a_line_only_where_it_happened() -> None:
    report = SyncReport(copied=1_234_567, bytes_copied=10**9, seconds=10, conflicts=1, skipped=2)
    assert table(report).splitlines() == [
        "1,234,567 copied              1.0 GB",
        "        0 identical",
        "        0 deleted",
        "        0 failed",
        "        2 left as they are",
        "        1 changed meanwhile, left alone",
        "in 10.0 s, 100.0 MB/s",
    ]
