"""The verbs on a whole database, archive or directory."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.db import SqliteStore
from storage.fs import HashdirStore
from storage.zip import ZipStore
from tests.backends.sqlite import change
from tests.cli.conftest import Run

URL = "sqlite://x.sqlite"


def test_check(run: Run, folder: Path) -> None:
    with SqliteStore(folder / "x.sqlite") as store:
        for i in range(12):
            store.put(f"key-{i:02}", bytes(1000))
    done = run("check", URL)
    assert (done.code, done.out) == (0, "sound: 12 objects (12.0 kB)\n")
    change(folder / "x.sqlite", "DELETE FROM chunks", "INSERT INTO chunks VALUES (7, 0, x'')")
    done = run("check", URL)
    lines = done.out.splitlines()
    assert (done.code, len(lines)) == (2, 13)
    assert lines[9:] == [
        "key-09: its bytes are not all there",
        "and 2 more",
        "values that belong to no object: 1",
        "not sound: 12 objects (12.0 kB)",
    ]


def test_vacuum(run: Run, folder: Path) -> None:
    with SqliteStore(folder / "x.sqlite") as store:
        store.put("key", bytes(1_000_000))
        store.delete("key")
    before = (folder / "x.sqlite").stat().st_size
    done = run("vacuum", URL)
    assert (done.code, done.out) == (0, "999.4 kB freed\n")
    assert before - (folder / "x.sqlite").stat().st_size > 900_000


def test_archives(run: Run, folder: Path) -> None:
    path, url = folder / "x.zip", "zip://x.zip"
    with ZipStore(path, compression="store") as store:
        store.put("a", bytes(100_000))
        store.put("b", b"findme")
    assert run("check", url).out == "sound: 2 objects (100.0 kB)\n"
    path.write_bytes(path.read_bytes().replace(b"findme", b"hidden"))
    done = run("check", url)
    assert (done.code, done.out) == (2, "b: damaged\nnot sound: 2 objects (100.0 kB)\n")
    assert run("vacuum", url).out == "0 B freed\n"
    assert run("upgrade", url).code == 1


def test_upgrade(run: Run, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "x.sqlite")) as connection:
        connection.execute("CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)")
        connection.execute("INSERT INTO objects VALUES ('key', 'value')")
        connection.commit()
    assert run("cat", URL, "key").out == "value"
    assert run("upgrade", URL).out == "upgraded\n"
    assert run("upgrade", URL).out == "nothing to upgrade\n"
    assert run("cat", URL, "key").out == "value"


def test_only_databases(run: Run, folder: Path) -> None:
    for verb in ("check", "vacuum", "upgrade"):
        done = run(verb, str(folder))
        assert (done.code, done.out) == (1, "")
        assert "sqlite://" in done.complaint
        assert run(verb, URL).code == 2
    assert list(folder.iterdir()) == []


def test_sweep(run: Run, folder: Path) -> None:
    left = folder / "d" / ".storage-tmp-0123456789abcdef"
    left.parent.mkdir()
    left.write_bytes(b"half")
    os.utime(left, (0, os.stat(left).st_mtime - 7200))
    for options, told in (((), "0 removed\n"), (("--older-than", "1.5h"), "1 removed\n")):
        done = run("sweep", str(folder), *options)
        assert (done.code, done.out) == (0, told)
    assert not left.exists()
    done = run("sweep", str(folder), "--older-than", "soon")
    assert (done.code, "no age such as 90, 30m" in done.complaint) == (1, True)
    assert run("sweep", "memory://").code == 1


def test_rehash(run: Run, folder: Path) -> None:
    with HashdirStore(folder / "h") as store:
        store.put("key", b"value")
    done = run("rehash", "hashdir://h", "--width", "1", "--depth", "2")
    assert (done.code, done.out) == (0, "1 moved\n")
    assert run("cat", "hashdir://h?width=1&depth=2", "key").out == "value"
    assert run("rehash", "hashdir://h", "--width", "8", "--depth", "9").code == 1
    assert run("rehash", "file://h", "--width", "1", "--depth", "2").code == 1
