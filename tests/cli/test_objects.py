"""ls, cat, put, get, rm and cp do what they say, on real files."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import pytest

from storage import open_store
from tests.cli.conftest import Run

LARGE = bytes(range(256)) * 12_000


@pytest.fixture
def data(folder: Path) -> Path:
    """A directory with three objects."""
    data = folder / "data"
    (data / "sub").mkdir(parents=True)
    (data / "a").write_bytes(b"1")
    (data / "sub" / "b").write_bytes(b"22")
    (data / "sub" / "large").write_bytes(LARGE)
    return data


# -- ls --------------------------------------------------------------------------------------


def test_ls_gives_keys_in_order(run: Run, data: Path) -> None:
    assert run("ls", data) == (0, b"a\nsub/b\nsub/large\n", "")
    assert run("ls", "data", "sub/b").out == "sub/b\n"
    assert run("ls", "data", "nothing").out == ""


def test_ls_long_gives_sizes_and_local_times(run: Run, data: Path) -> None:
    os.utime(data / "a", (1e9, 1e9))
    when = datetime.fromtimestamp(1e9)  # noqa: DTZ006 - what a clock on the wall shows
    assert run("ls", "-l", "data").out.splitlines()[0] == f"{1:>12}  {when}  a"


def test_ls_long_has_a_dash_for_what_is_not_known(run: Run) -> None:
    assert run("ls", "-l", "bare://").out.split() == ["-", "-", "key"]


def test_ls_escapes_what_a_terminal_would_obey(run: Run, data: Path) -> None:
    (data / "sub" / "é\n\x1b[31m\x7f\u202e").touch()
    assert "sub/é\\n\\x1b[31m\\x7f\\u202e\n" in run("ls", data).out


# -- cat -------------------------------------------------------------------------------------


def test_cat_gives_the_bytes_of_all(run: Run, data: Path) -> None:
    assert run("cat", data, "a", "sub/large", "sub/b") == (0, b"1" + LARGE + b"22", "")


def test_cat_ends_at_a_missing_object(run: Run, data: Path) -> None:
    done = run("cat", data, "a", "nothing", "sub/b")
    assert (done.code, done.out) == (2, "1")
    assert "get 'nothing'" in done.complaint


# -- put -------------------------------------------------------------------------------------


def test_put_takes_a_file(run: Run, folder: Path) -> None:
    (folder / "file").write_bytes(LARGE)
    assert run("put", "new", "x/y", "file") == (0, b"", "")
    assert (folder / "new" / "x" / "y").read_bytes() == LARGE


@pytest.mark.parametrize("words", [[], ["-"]])
@pytest.mark.parametrize("content", [b"", b"piped", LARGE])
def test_put_takes_standard_input(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], content: bytes
) -> None:
    (folder / "input").write_bytes(content)
    with (folder / "input").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert run("put", "new", "key", *words).code == 0
    assert (folder / "new" / "key").read_bytes() == content


def test_put_no_clobber_fails_where_there_is_an_object(run: Run, data: Path) -> None:
    assert run("put", "--no-clobber", data, "new", data / "sub/b").code == 0
    done = run("put", "--no-clobber", data, "a", data / "sub/b")
    assert done.code == 2
    assert "there is an object" in done.complaint
    assert (data / "a").read_bytes() == b"1"
    assert run("put", data, "a", data / "sub/b").code == 0
    assert (data / "a").read_bytes() == b"22"


@pytest.mark.parametrize("file", ["nothing", "data"])
def test_put_of_no_file_stores_nothing(run: Run, data: Path, file: str) -> None:
    done = run("put", "new", "key", file)
    assert done.code == 1
    assert repr(file) in done.complaint
    assert not Path("new").exists()


# -- get -------------------------------------------------------------------------------------


def test_get_writes_a_file_or_replaces_it(run: Run, data: Path, folder: Path) -> None:
    assert run("get", data, "sub/large", "file") == (0, b"", "")
    assert (folder / "file").read_bytes() == LARGE
    assert run("get", data, "a", folder / "file").code == 0
    assert (folder / "file").read_bytes() == b"1"
    assert sorted(os.listdir(folder)) == ["data", "file"]


def test_get_of_a_missing_object_keeps_the_file(run: Run, data: Path, folder: Path) -> None:
    (folder / "file").write_bytes(b"old")
    for file in ("file", "new"):
        done = run("get", data, "nothing", file)
        assert done.code == 2
        assert "get 'nothing'" in done.complaint
    assert (folder / "file").read_bytes() == b"old"
    assert sorted(os.listdir(folder)) == ["data", "file"]


def test_get_makes_no_directory(run: Run, data: Path, folder: Path) -> None:
    done = run("get", data, "a", "new/file")
    assert done.code == 1
    assert "no directory" in done.complaint
    assert os.listdir(folder) == ["data"]


def test_get_replaces_regular_files_only(run: Run, data: Path, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for file in ("pipe", "data"):
        assert run("get", data, "a", file).code == 1
    assert (folder / "pipe").is_fifo()


def test_get_writes_to_where_a_link_leads(run: Run, data: Path, folder: Path) -> None:
    (folder / "far").mkdir()
    (folder / "link").symlink_to("far/file")
    assert run("get", data, "a", "link").code == 0
    assert (folder / "link").is_symlink()
    assert (folder / "far" / "file").read_bytes() == b"1"


# -- rm --------------------------------------------------------------------------------------


def test_rm_removes_all_that_it_can(run: Run, data: Path) -> None:
    done = run("rm", data, "a", "nothing", "sub/b")
    assert done.code == 2
    assert "1 key failed" in done.complaint
    assert "'nothing'" in done.complaint
    assert run("ls", data).out == "sub/large\n"


def test_rm_force_does_not_mind_a_missing_object(run: Run, data: Path) -> None:
    assert run("rm", "-f", data, "a", "nothing") == (0, b"", "")
    assert run("rm", "--force", data, "a").code == 0


# -- cp --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a", "sub/large"])
@pytest.mark.parametrize("target", ["data", "other", "zip://other.zip"])
def test_cp_copies_within_a_store_and_between_stores(
    run: Run, data: Path, key: str, target: str
) -> None:
    assert run("cp", "data", key, target, "new key") == (0, b"", "")
    assert run("cat", target, "new key").raw == (data / key).read_bytes()
    assert run("cp", "data", key, target).code == 0
    assert run("cat", target, key).raw == (data / key).read_bytes()


def test_cp_keeps_the_time_as_a_sync_does(run: Run, data: Path) -> None:
    os.utime(data / "a", (10**9, 10**9))
    assert run("cp", "data", "a", "other", "b").code == 0
    assert Path("other/b").stat().st_mtime == 10**9


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_cp_keeps_type_and_metadata_where_both_ends_can(run: Run, size: int) -> None:
    with open_store("sqlite://source.sqlite") as store:
        store.put("key", bytes(size), content_type="image/png", metadata={"by": "me"})
    for target in ("sqlite://source.sqlite", "sqlite://target.sqlite"):
        assert run("cp", "sqlite://source.sqlite", "key", target, "copy").code == 0
        with open_store(target) as store:
            info = store.head("copy")
        assert (info.size, info.content_type, info.metadata) == (size, "image/png", {"by": "me"})
    assert run("cp", "sqlite://source.sqlite", "key", "files").code == 0
    assert Path("files/key").read_bytes() == bytes(size)


def test_cp_of_a_missing_object_makes_nothing(run: Run, data: Path) -> None:
    for words in (["data"], ["other"], ["other", "new"], ["data", "new"]):
        done = run("cp", data, "nothing", *words)
        assert done.code == 2
        assert "'nothing'" in done.complaint
    assert not Path("other").exists()


def test_an_empty_key_is_no_key(run: Run, data: Path) -> None:
    done = run("cp", data, "a", "other", "")
    assert done.code == 2
    assert "key" in done.complaint
