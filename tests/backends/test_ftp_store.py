"""FTP and FTPS: encryption, lying servers, and what happens when the network fails."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aioftp")

from storage import open_async_store
from storage._async.backends.ftp.listing import parse_listing
from storage._async.backends.ftp.store import AsyncFtpStore
from storage._core.errors import (
    AccessDenied,
    ConfigError,
    InvalidKey,
    MalformedResponse,
    NotSupported,
    ObjectNotFound,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from tests.faults.cutting import CuttingRelay
from tests.faults.ftpliar import FtpLiar
from tests.services.process import FileService

LARGE = bytes(range(256)) * 8_000
FILE = "250-facts\r\n type=file;size={size};modify=20260101000000; /key\r\n250 end"


@pytest.fixture
def make(ftp: FileService, tmp_path: Path) -> Callable[..., AsyncFtpStore]:
    """Make a store below the test's directory."""

    def made(port: int = ftp.port, **options: Any) -> AsyncFtpStore:
        return AsyncFtpStore(
            ftp.host,
            str(tmp_path / "objects"),
            port=port,
            username=ftp.user,
            password=ftp.password,
            tls="none",
            allow_plaintext=True,
            **options,
        )

    return made


def encrypted(service: FileService, root: Path, **options: Any) -> AsyncFtpStore:
    return AsyncFtpStore(
        options.pop("host", service.host),
        str(root),
        port=service.port,
        username=service.user,
        password=service.password,
        **{"ca_file": f"{service.directory}/ca.pem", **options},
    )


def lying(liar: FtpLiar, **options: Any) -> AsyncFtpStore:
    return AsyncFtpStore("127.0.0.1", "/", port=liar.port, tls="none", timeout=5, **options)


# -- encryption -----------------------------------------------------------------------------


async def test_encrypted(ftps: FileService, tmp_path: Path) -> None:
    async with encrypted(ftps, tmp_path / "objects") as store:
        await store.put("a/b", iter([LARGE, LARGE]))
        await store.put("c", b"")
        assert await store.get("a/b") == LARGE * 2
        assert await store.get_range("a/b", 100_000, 100_009) == LARGE[100_000:100_009]
        assert await store.get_range("a/b", -9) == LARGE[-9:]
        await store.copy("a/b", "d")
        assert [info.size async for info in store.list()] == [len(LARGE) * 2, 0, len(LARGE) * 2]


async def test_certificates_are_verified(ftps: FileService, tmp_path: Path) -> None:
    for options in ({"ca_file": None}, {"host": "localhost"}):
        async with encrypted(ftps, tmp_path / "objects", **options) as store:
            with pytest.raises(AccessDenied, match="certificate"):
                await store.put("key", b"")
    assert not (tmp_path / "objects").exists()


async def test_no_password_without_encryption() -> None:
    with pytest.raises(ConfigError, match="allow_plaintext"):
        AsyncFtpStore("host", username="me", password="x", tls="none")
    with pytest.raises(ConfigError, match="allow_plaintext"):
        open_async_store("ftp://me:x@host/")
    open_async_store("ftp://me:x@host/?allow_plaintext=true")
    open_async_store("ftp://host/pub")
    async with FtpLiar({"AUTH": "502 what?"}) as liar:
        store = AsyncFtpStore("127.0.0.1", port=liar.port, username="me", password="canary")
        async with store:
            with pytest.raises(NotSupported):
                await store.get("key")
    assert liar.heard == ["AUTH TLS"]


async def test_answers_before_the_encryption_are_refused(ftps: FileService) -> None:
    """What somebody on the way slips in after the last plain answer is not the server's."""
    async with FtpLiar({"AUTH": "234 go on\r\n230 you are in"}) as liar:
        store = AsyncFtpStore("127.0.0.1", port=liar.port, username="me", password="canary")
        async with store:
            with pytest.raises((AccessDenied, StoreUnavailable, MalformedResponse)):
                await store.get("key")
    assert not [line for line in liar.heard if "canary" in line]


async def test_passwords_stay_secret(
    make: Callable[..., AsyncFtpStore], ftp: FileService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    wrong = AsyncFtpStore(
        ftp.host,
        port=ftp.port,
        username=ftp.user,
        password="wrong-" + ftp.password,
        tls="none",
        allow_plaintext=True,
    )
    for store in (make(), wrong):
        told += [repr(store), str(store.__dict__)]
        async with store:
            try:
                await store.get("missing")
            except StoreError as error:
                told += traceback.format_exception(error)
    assert any("AccessDenied" in text for text in told)
    assert not [text for text in [*told, caplog.text] if ftp.password in text]


def test_urls() -> None:
    store = open_async_store("ftps://me:secret@host/~/below?ca_file=x&sessions=9&timeout=1")
    assert repr(store) == "AsyncFtpStore('me@host:21', 'below/')"
    assert repr(open_async_store("ftps://host:990/x")) == "AsyncFtpStore('host:990', '/x/')"
    for wrong in ("ftp:///x", "ftps://h/?tls=none", "ftp://h/?tls=ssl", "ftp://h/?x=1"):
        with pytest.raises(ConfigError):
            open_async_store(wrong)


# -- keys -----------------------------------------------------------------------------------


async def test_no_commands_in_keys(make: Callable[..., AsyncFtpStore]) -> None:
    async with make(port=1) as store:  # where nobody listens
        for key in ("a\r\nDELE b", "a\nb", "a\r", "../x", "a//b", ".storage-tmp-x"):
            for verb in (store.get, store.delete, store.exists, lambda key: store.put(key, b"")):
                with pytest.raises(InvalidKey):
                    await verb(key)
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    for wrong in ("a\r\nQUIT", "a\0b"):
        with pytest.raises(ConfigError):
            AsyncFtpStore("host", wrong)
        with pytest.raises(ConfigError):
            AsyncFtpStore("host", username=wrong)


async def test_sweep(make: Callable[..., AsyncFtpStore], tmp_path: Path) -> None:
    async with make() as store:
        await store.put("a/key", b"value")
        old = tmp_path / "objects" / "b" / "c" / ".storage-tmp-old"
        old.parent.mkdir(parents=True)
        old.write_bytes(b"half")
        os.utime(old, (0, 0))
        assert await store.sweep() == 1
        assert os.listdir(tmp_path / "objects") == ["a"]


# -- servers that lie -----------------------------------------------------------------------


async def test_data_connections_go_to_the_server_itself() -> None:
    """Whatever host an answer to PASV names."""
    passive = {"EPSV": "500 what?", "PASV": "227 there (10,9,8,7,{high},{low})"}
    answers = {**passive, "MLST": FILE.format(size=5), "RETR": "150 coming"}
    async with FtpLiar(answers, b"value") as liar, lying(liar) as store:
        assert await store.get("key") == b"value"


async def test_truncated_file_is_no_object() -> None:
    """The data connection was cut, and the server has not noticed."""
    answers = {"MLST": FILE.format(size=500), "RETR": "150 coming"}
    async with FtpLiar(answers, b"half") as liar, lying(liar) as store:
        with pytest.raises(StoreUnavailable, match="cut"):
            await store.get("key")
        with pytest.raises(StoreUnavailable, match="cut"):
            async for _ in store.stream("key"):
                pass


async def test_truncated_upload_is_not_published() -> None:
    answers = {"MLST": "550 no", "STOR": "150 coming", "RNFR": "350 yes", "RNTO": "250 yes"}
    async with FtpLiar(answers) as liar, lying(liar) as store:
        with pytest.raises(StoreError):
            await store.put("key", b"value")
    assert not [line for line in liar.heard if line.startswith("RNTO")]


@pytest.mark.parametrize(
    "data",
    [
        b"type=file;size=1;modify=20260101000000; a\r\ntype=file;size=1; b",
        b"<html>\r\n",
        b"-rw-r--r-- 1 a b 5 Jan 1 00:00 key\r\n",
        b"type=file;size=1;\r\n",
    ],
)
async def test_malformed_listing_is_not_empty(data: bytes) -> None:
    async with FtpLiar({"MLSD": "150 coming"}, data) as liar, lying(liar) as store:
        with pytest.raises(MalformedResponse):
            assert [key async for key in store.keys()] == []


async def test_listing_that_leads_astray() -> None:
    data = b"type=file;size=1; ../../etc/passwd\r\n"
    async with FtpLiar({"MLSD": "150 coming"}, data) as liar, lying(liar) as store:
        with pytest.raises(MalformedResponse):
            assert [key async for key in store.keys()] == []


def test_listing_lines() -> None:
    data = (
        b"type=cdir;modify=20260101000000; /x\r\n"
        b"Type=file;Size=7;modify=20260101000000.123; a b\r\n"
        b"type=dir; d\r\ntype=OS.unix=slink:/etc; l\r\n"
    )
    found = dict(parse_listing(data))
    assert {name: facts.kind.name for name, facts in found.items()} == {
        b"a b": "FILE",
        b"d": "DIRECTORY",
        b"l": "LINK",
    }
    assert found[b"a b"].size == 7
    assert str(found[b"a b"].modified) == "2026-01-01 00:00:00.123000+00:00"


async def test_server_without_mlsd() -> None:
    async with FtpLiar({"FEAT": "211-\r\n UTF8\r\n211 end"}) as liar, lying(liar) as store:
        with pytest.raises(NotSupported, match="MLSD"):
            await store.get("key")


async def test_denied_is_not_absent() -> None:
    async with FtpLiar({"MLST": "550 Permission denied."}) as liar, lying(liar) as store:
        with pytest.raises(AccessDenied):
            await store.exists("key")


# -- the network ----------------------------------------------------------------------------


async def test_lost_connection(
    make: Callable[..., AsyncFtpStore], ftp: FileService, tmp_path: Path
) -> None:
    async with CuttingRelay(ftp.port) as between, make(port=between.port) as store:
        await store.put("a/key", LARGE)

        def cutting() -> Iterator[bytes]:
            yield LARGE
            loop.call_soon_threadsafe(between.cut)
            yield from [LARGE] * 3

        loop = asyncio.get_running_loop()
        with pytest.raises(StoreUnavailable):
            await store.put("b/key", cutting())
        assert os.listdir(tmp_path / "objects") == ["a"], "it was undone elsewhere"
        assert os.listdir(tmp_path / "objects" / "a") == ["key"]
        between.cut()
        await asyncio.sleep(0.05)
        assert await store.get("a/key") == LARGE
        with pytest.raises(ObjectNotFound):
            await store.get("b/key")


async def test_silent_server(make: Callable[..., AsyncFtpStore], ftp: FileService) -> None:
    async with CuttingRelay(ftp.port) as between, make(port=between.port, timeout=0.2) as store:
        between.hold()
        with pytest.raises(StoreTimeout):
            await store.get("key")
        between.go_on()
        store._timeout = 30
        await store.put("key", b"value")
        between.hold()
        store._timeout = 0.2
        with pytest.raises(StoreTimeout):
            await store.get("key")
        between.go_on()
        store._timeout = 30
        assert await store.get("key") == b"value"
        assert between.connections >= 3, "what timed out is not used again"


async def test_sessions_are_bounded(make: Callable[..., AsyncFtpStore], ftp: FileService) -> None:
    async with CuttingRelay(ftp.port) as between, make(port=between.port, sessions=3) as store:
        await asyncio.gather(*(store.put(f"key{n}", b"value") for n in range(12)))
        await asyncio.gather(*(store.copy(f"key{n}", f"copy{n}") for n in range(12)))
        assert len([key async for key in store.keys()]) == 24
        assert between.connections <= 3
