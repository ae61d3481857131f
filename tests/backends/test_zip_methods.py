"""How members are packed, and that other programs unpack them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip.methods import RATIOS, ZSTD
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import ConfigError, CorruptStore, MissingExtra, NotSupported
from storage.zip import ZipStore

from .test_zip_hostile import forge, put_number
from .test_zip_interop import needs, run
from .zips import contents, drive, listed, make, opened, unpacked

TEXT = b"".join(b"line %d of a text that packs well\n" % number for number in range(20_000))
zstd = pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")


def numbers(path: Path) -> dict[str, tuple[int, int]]:
    """Method and packed size of each member."""
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (info.compress_type, info.compress_size) for info in archive.infolist()
        }


def test_zstandard(tmp_path: Path) -> None:
    path, noise = tmp_path / "x.zip", os.urandom(5000)
    wanted = {"text": TEXT, "stream": TEXT * 9, "noise": noise, "empty": b"", "copy": TEXT}
    with opened(path, compression="zstd") as store:
        drive(store.put("text", TEXT))
        drive(store.put("stream", iter([TEXT] * 9)))
        drive(store.put("noise", noise))
        drive(store.put("empty", b""))
        drive(store.copy("text", "copy"))
        for _ in range(2):
            assert contents(store) == wanted
            assert b"".join(drive(listed(store.stream("stream")))) == TEXT * 9
            for start, end in ((0, 9), (262_143, 262_145), (3_000_000, 3_000_100), (-5, None)):
                assert drive(store.get_range("stream", start, end)) == wanted["stream"][start:end]
            drive(store.checkpoint())
    methods = {name: method for name, (method, _) in numbers(path).items()}
    assert methods == {"text": 93, "stream": 93, "noise": 0, "empty": 0, "copy": 93}
    with opened(path) as store:  # and an archive of several methods
        drive(store.put("deflated", TEXT))
        assert contents(store) == {**wanted, "deflated": TEXT}


@needs("7zz")
@needs("bsdtar")
@pytest.mark.parametrize("compression", ["store", "deflate", "zstd"])
def test_7zip_and_libarchive_read_ours(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "x.zip"
    with opened(path, compression=compression) as store:
        drive(store.put("dir/text", TEXT))
        drive(store.put("ä😀", iter([TEXT] * 3)))
    assert "Everything is Ok" in run("7zz", "t", path)
    run("7zz", "x", path, f"-o{tmp_path / 'out'}")
    assert (tmp_path / "out/dir/text").read_bytes() == TEXT
    assert (tmp_path / "out/ä😀").read_bytes() == TEXT * 3
    assert run("bsdtar", "-tf", path).splitlines()[0] == "dir/text"
    if compression != "zstd":  # libarchive knows it from 3.7 on
        assert run("bsdtar", "-xOf", path, "dir/text").encode() == TEXT


@needs("7zz")
@needs("bsdtar")
def test_ours_reads_7zip_and_libarchive(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/ä").write_bytes(TEXT)
    run("7zz", "a", "seven.zip", "dir", cwd=tmp_path)
    run("7zz", "a", "-mm=Deflate64", "deflate64.zip", "dir", cwd=tmp_path)
    run("7zz", "a", "-ppass", "-mem=AES256", "secret.zip", "dir", cwd=tmp_path)
    run("bsdtar", "-cf", "tar.zip", "--format=zip", "dir", cwd=tmp_path)
    with subprocess.Popen(
        ["bsdtar", "-cf", "-", "--format=zip", "dir"], stdout=subprocess.PIPE, cwd=tmp_path
    ) as piped:
        assert piped.stdout is not None
        (tmp_path / "piped.zip").write_bytes(piped.stdout.read())
    for name in ("seven", "tar", "piped"):
        with opened(tmp_path / f"{name}.zip") as store:
            assert contents(store) == {"dir/ä": TEXT}
            drive(store.put("more", b"1"))
        assert unpacked(tmp_path / f"{name}.zip")["dir/ä"] == TEXT
        run("7zz", "t", f"{name}.zip", cwd=tmp_path)
    for name in ("deflate64", "secret"):  # listed and kept, and not read
        with opened(tmp_path / f"{name}.zip") as store:
            with pytest.raises(NotSupported):
                drive(store.get("dir/ä"))
            assert drive(store.head("dir/ä")).size == len(TEXT)
            drive(store.put("more", b"1"))
        run("7zz", "t", f"{name}.zip", "-ppass", cwd=tmp_path)


def test_levels(tmp_path: Path) -> None:
    data = random.Random(1).choices(TEXT.split(), k=60_000)
    text = b" ".join(data)
    sizes = {}
    for compression, levels in (("deflate", (1, None, 9)), ("zstd", (1, None, 19))):
        for level in levels:
            path = tmp_path / f"{compression}{level}.zip"
            with ZipStore(path, compression=compression, level=level) as store:  # type: ignore[arg-type]
                store.put("whole", text)
                store.put("stream", iter([text]))
                assert store.get("whole") == text
            sizes[compression, level] = [size for _, size in numbers(path).values()]
    for compression, best in (("deflate", 9), ("zstd", 19)):
        for low, high in ((1, None), (None, best)):
            pairs = zip(sizes[compression, low], sizes[compression, high], strict=True)
            assert all(first > second for first, second in pairs), (compression, low, high)


@pytest.mark.parametrize(
    ("compression", "level"),
    [("deflate", 10), ("deflate", -1), ("store", 1), ("zstd", 23), ("lzma", None)],
)
def test_levels_that_are_none(tmp_path: Path, compression: Any, level: int | None) -> None:
    with pytest.raises(ConfigError):
        AsyncZipStore(tmp_path / "x.zip", compression=compression, level=level)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.zip"
    with opened(path, compression="zstd") as store:
        drive(store.put("text", TEXT))
        drive(store.put("small", b"1"))
    name = zstd.__name__
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr(sys.modules[name.partition(".")[0]], "zstd")
    with pytest.raises(MissingExtra, match=r"storage\[zstd\]"):
        AsyncZipStore(path, compression="zstd")
    with opened(path) as store:
        for work in (store.get("text"), store.get_range("text", 5), listed(store.stream("text"))):
            with pytest.raises(MissingExtra, match=r"storage\[zstd\]"):
                drive(work)
        assert drive(store.get("small")) == b"1"
        assert drive(store.head("text")).size == len(TEXT)
        drive(store.copy("text", "copy"))
    monkeypatch.undo()
    with opened(path) as store:
        assert contents(store) == {"text": TEXT, "small": b"1", "copy": TEXT}


def frames(data: bytes, parts: int) -> bytes:
    """Zstandard in several frames, with empty ones between."""
    size = len(data) // parts + 1
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(zstd.compress(piece) + zstd.compress(b"") for piece in pieces)


def with_zstd(path: Path, packed: bytes, data: bytes) -> None:
    """An archive with one member as another program may pack it."""
    make(path, {"a": packed}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[8:10] = ZSTD.to_bytes(2, "little")
    path.write_bytes(content)
    forge(path, put_number(10, ZSTD, 2))
    forge(path, put_number(24, len(data)))
    forge(path, put_number(16, zlib.crc32(data)))


def test_many_frames(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with_zstd(path, frames(TEXT, 7), TEXT)
    with opened(path) as store:
        assert drive(store.get("a")) == TEXT
        assert b"".join(drive(listed(store.stream("a")))) == TEXT
        assert drive(store.get_range("a", 400_000, 400_010)) == TEXT[400_000:400_010]


@pytest.mark.parametrize("how", ["cut", "flipped", "longer", "shorter", "garbage", "nothing"])
def test_damaged_zstandard(tmp_path: Path, how: str) -> None:
    path, packed = tmp_path / "x.zip", zstd.compress(TEXT)
    middle = len(packed) // 2
    data = {"longer": TEXT[:-1], "shorter": TEXT + b"x"}.get(how, TEXT)
    packed = {
        "cut": packed[:-9],
        "flipped": packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :],
        "garbage": packed + b"garbage",
        "nothing": b"",
    }.get(how, packed)
    with_zstd(path, packed, data)
    store = AsyncZipStore(path)
    for work in (store.get("a"), listed(store.stream("a"))):
        with pytest.raises(CorruptStore):
            drive(work)


@pytest.mark.parametrize("compression", ["deflate", "zstd"])
def test_what_packs_best_is_read(tmp_path: Path, compression: str) -> None:
    """No ratio of ours may be refused by our own default."""
    with opened(tmp_path / "x.zip", compression=compression, level=9) as store:
        drive(store.put("zeros", (bytes(1 << 20) for _ in range(40))))
        assert len(drive(store.get("zeros"))) == 40 << 20
        strict = AsyncZipStore(tmp_path / "x.zip", max_ratio=900)
        with pytest.raises(CorruptStore, match="max_ratio"):
            drive(strict.get("zeros"))
    (method, packed_size), *_ = numbers(tmp_path / "x.zip").values()
    assert packed_size * RATIOS[method] >= 40 << 20


def test_a_forged_ratio(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with_zstd(path, zstd.compress(bytes(1 << 20)), bytes(1 << 20))
    forge(path, put_number(24, 0xFFFFFFF0))
    with pytest.raises(CorruptStore, match="unpack to 4294967280"):
        drive(AsyncZipStore(path).get("a"))
