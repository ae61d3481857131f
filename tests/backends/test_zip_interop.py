"""Archives go to other programs and come from them: zipfile, Info-ZIP, Java."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip import directory
from storage._async.backends._zip.files import OpenFile, open_file
from storage._async.backends._zip.format import MAX32, Entry, entry_of, local_header, relocated
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import NotSupported

from .zips import contents, drive, keys, make, make_many, opened, unpacked

TEXT = b"to be or not to be, " * 500


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where a program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """A program's output; it must succeed."""
    done = subprocess.run(command, capture_output=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.decode()


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """An archive that the store wrote, in several sessions."""
    path = tmp_path / "x.zip"
    with opened(path) as store:
        drive(store.put("a/text", TEXT))
        drive(store.put("gone", TEXT))
    with opened(path) as store:
        drive(store.put("empty", b""))
        drive(store.put("a/ä😀", bytes(range(256))))
        drive(store.put("stream", iter([TEXT] * 200)))
        drive(store.delete("gone"))
        drive(store.copy("a/text", "copy", if_absent=True))
    return path


WANTED = {
    "a/text": TEXT,
    "empty": b"",
    "a/ä😀": bytes(range(256)),
    "stream": TEXT * 200,
    "copy": TEXT,
}


def test_zipfile_reads_ours(ours: Path) -> None:
    assert unpacked(ours) == WANTED
    assert "Done testing" in run(sys.executable, "-m", "zipfile", "-t", ours)
    with zipfile.ZipFile(ours) as archive:
        info = archive.getinfo("a/text")
    assert info.compress_type == zipfile.ZIP_DEFLATED
    assert info.external_attr >> 16 == 0o100644
    assert abs((datetime(*info.date_time) - datetime.now()).total_seconds()) < 60  # noqa: DTZ001, DTZ005


@needs("unzip")
def test_unzip_reads_ours(ours: Path, tmp_path: Path) -> None:
    assert "No errors detected" in run("unzip", "-t", ours)
    run("unzip", "-q", ours, "-d", tmp_path / "out", "-x", "a/ä*")
    assert (tmp_path / "out/stream").read_bytes() == WANTED["stream"]
    assert (tmp_path / "out/a/text").read_bytes() == TEXT
    assert abs((tmp_path / "out/a/text").stat().st_mtime - datetime.now(UTC).timestamp()) < 60


@needs("zip")
def test_info_zip_tests_and_changes_ours(ours: Path, tmp_path: Path) -> None:
    run("zip", "-T", ours)
    with opened(ours) as store:
        before = drive(store.head("stream"))
        (tmp_path / "new").write_bytes(b"by zip")
        run("zip", "-q", ours, "new", cwd=tmp_path)
        run("zip", "-q", "-d", ours, "copy", cwd=tmp_path)
        wanted = {**WANTED, "new": b"by zip"}
        del wanted["copy"]
        assert contents(store) == wanted  # the open store sees it
        assert drive(store.head("stream")) == before
        drive(store.put("newer", b"1"))
    assert unpacked(ours) == {**wanted, "newer": b"1"}


@needs("jar")
def test_java_reads_ours(ours: Path, tmp_path: Path) -> None:
    assert run("jar", "tf", ours).split() == list(unpacked(ours))
    run("jar", "xf", ours, "stream", cwd=tmp_path)
    assert (tmp_path / "stream").read_bytes() == WANTED["stream"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_ours_reads_zipfile(tmp_path: Path, method: int) -> None:
    path, members = tmp_path / "x.zip", {"a": TEXT, "ä/ö": b"1", "empty": b"", "b": bytes(999)}
    make(path, members, method)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"PK and more of a comment"
    before = path.read_bytes()
    with opened(path) as store:
        assert contents(store) == members
        assert path.read_bytes() == before
        info = drive(store.head("a"))
        assert info.modified is not None
        assert abs((info.modified - datetime.now(UTC)).total_seconds()) < 60
        assert info.checksum == f"crc32:{zlib.crc32(TEXT):08x}"
        drive(store.delete("b"))
        drive(store.put("c", b"new"))
        etags = {key: drive(store.head(key)).etag for key in keys(store)}
    assert unpacked(path) == {"a": TEXT, "ä/ö": b"1", "empty": b"", "c": b"new"}
    with zipfile.ZipFile(path) as archive:
        assert archive.comment == b"PK and more of a comment"
    with opened(path) as store:
        assert {key: drive(store.head(key)).etag for key in keys(store)} == etags


@needs("zip")
@needs("unzip")
def test_what_we_cannot_read_stays_as_it_is(tmp_path: Path) -> None:
    """Encrypted, streamed by zip itself (data descriptors), directories, other methods."""
    path = tmp_path / "x.zip"
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/file").write_bytes(TEXT)
    (tmp_path / "secret").write_bytes(TEXT)
    run("zip", "-q", "-r", path, "dir", cwd=tmp_path)
    run("zip", "-q", "-P", "pass", path, "secret", cwd=tmp_path)
    piped = subprocess.run(
        ["zip", "-q", "-", "dir/file"], stdout=subprocess.PIPE, cwd=tmp_path, check=True
    )
    (tmp_path / "piped.zip").write_bytes(piped.stdout)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("bz2", TEXT, zipfile.ZIP_BZIP2)
    for _ in range(2):
        with opened(path) as store:
            assert keys(store) == ["bz2", "dir/file", "secret"]
            assert drive(store.get("dir/file")) == TEXT
            for key in ("bz2", "secret"):
                for work in (store.get(key), store.copy(key, "other"), store.get_range(key, 1)):
                    with pytest.raises(NotSupported):
                        drive(work)
                assert drive(store.head(key)).size == len(TEXT)
            drive(store.put("new", b"1"))
            drive(store.checkpoint())
            drive(store.delete("new"))
    assert "dir/\n" in run("zipinfo", "-1", path)
    assert run("unzip", "-P", "pass", "-p", path, "secret").encode() == TEXT
    with zipfile.ZipFile(path) as archive:
        assert archive.read("bz2") == TEXT
    with opened(tmp_path / "piped.zip") as store:
        assert contents(store) == {"dir/file": TEXT}
        drive(store.put("more", b"1"))
    run("unzip", "-tq", tmp_path / "piped.zip")
    assert unpacked(tmp_path / "piped.zip") == {"dir/file": TEXT, "more": b"1"}


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that sizes come after the data."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += memoryview(data)
        return memoryview(data).nbytes


def test_data_descriptors_survive(tmp_path: Path) -> None:
    path, pipe = tmp_path / "x.zip", Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abc":
            archive.writestr(name, name.encode() * 1000)
        with archive.open("wide", "w", force_zip64=True) as member:
            member.write(TEXT)
    path.write_bytes(pipe.data)
    with opened(path) as store:
        drive(store.delete("b"))
        drive(store.put("d", b"d"))
    wanted = {"a": b"a" * 1000, "c": b"c" * 1000, "wide": TEXT, "d": b"d"}
    assert unpacked(path) == wanted
    with opened(path) as store:
        assert contents(store) == wanted


@pytest.mark.parametrize("adjusted", [False, True])
def test_self_extracting_archives(tmp_path: Path, adjusted: bool) -> None:
    path = tmp_path / "x.zip"
    if adjusted:  # offsets count from the beginning of the file
        path.write_bytes(b"#!/bin/sh\nexit\n")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("a", TEXT)
    else:
        make(path, {"a": TEXT})
        path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    with opened(path) as store:
        assert contents(store) == {"a": TEXT}
        drive(store.put("b", b"1"))
    assert path.read_bytes().startswith(b"#!/bin/sh\nexit\nPK\x03\x04")
    assert unpacked(path) == {"a": TEXT, "b": b"1"}


def test_names_in_other_codes(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"caf_": b"1", "caf#": b"2", "slash/": b"data"})
    data = path.read_bytes().replace(b"caf_", b"caf\x82").replace(b"caf#", b"caf\x8a")
    path.write_bytes(data)
    with opened(path) as store:
        assert contents(store) == {"café": b"1", "cafè": b"2", "slash/": b"data"}
        drive(store.put("café", b"3"))
        assert keys(store) == ["cafè", "café", "slash/"]
    assert unpacked(path) == {"cafè": b"2", "slash/": b"data", "café": b"3"}


def test_unicode_path_field(tmp_path: Path) -> None:
    path, name = tmp_path / "x.zip", b"caf\xff"
    extra = b"\x01" + struct.pack("<L", zlib.crc32(name)) + "cafθ".encode()
    info = zipfile.ZipInfo("caf!")
    info.extra = struct.pack("<2H", 0x7075, len(extra)) + extra
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"1")
    path.write_bytes(path.read_bytes().replace(b"caf!", name))
    with opened(path) as store:
        assert keys(store) == ["cafθ"]


def test_many_members(tmp_path: Path) -> None:
    """More than the 16 bits of the plain end record can count."""
    path, count = tmp_path / "x.zip", 66_000
    make_many(path, count)
    with opened(path) as store:
        drive(store.put("one more", b"1"))
        drive(store.delete("dir/key-0000007"))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.read("one more") == b"1"
    assert len(names) == len(set(names)) == count
    with opened(path) as store:
        assert len(keys(store)) == count


def test_a_large_directory_takes_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are made when they are asked for; all of them take less than half of `zipfile`'s."""
    path, made = tmp_path / "x.zip", []
    make_many(path, 10_000)

    class Counted(Entry):
        def __init__(self, *arguments: Any) -> None:
            made.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(directory, "Entry", Counted)
    peaks = []
    looks: list[Callable[[], list[str]]] = [
        lambda: zipfile.ZipFile(path).namelist(),
        lambda: keys(AsyncZipStore(path)),
    ]
    for look in looks:
        tracemalloc.start()
        assert len(look()) == 10_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 2
    assert not made
    with opened(path) as store:
        assert drive(store.get("dir/key-0000007")) == b""
        assert drive(store.exists("dir/key-0009999"))
    assert len(made) < 5


@pytest.fixture
def null() -> OpenFile:
    """Some file that entries may refer to."""
    return open_file("/dev/null")


@pytest.mark.parametrize("size", [5, MAX32 - 1, MAX32, 1 << 40])
@pytest.mark.parametrize("offset", [0, MAX32 - 1, MAX32, 1 << 41])
def test_zip64_records(null: OpenFile, size: int, offset: int) -> None:
    entry = entry_of(local_header("key", 8, 1, size, size + 1, b""), null, 10)
    assert (entry.packed, entry.size, entry.offset) == (size, size + 1, 10)
    for _ in range(2):
        record = relocated(entry, offset)
        moved = Entry(record, null)
        assert (moved.packed, moved.size, moved.offset) == (size, size + 1, offset)
        assert moved.info() == entry.info()
        info = _by_zipfile(record)
        assert (info.compress_size, info.file_size, info.header_offset) == (size, size + 1, offset)
        back = Entry(relocated(moved, 10), null)
        assert (back.packed, back.size, back.offset) == (size, size + 1, 10)
        assert back.info() == entry.info()
        entry = back


def _by_zipfile(record: bytes) -> zipfile.ZipInfo:
    """What Python's own module makes of a central directory record."""
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(record), 0, 0)
    try:
        archive = zipfile.ZipFile(io.BytesIO(record + end))
    except zipfile.BadZipFile as error:  # a member outside of the file, checked since 3.11.4
        pytest.skip(str(error))
    return archive.infolist()[0]
