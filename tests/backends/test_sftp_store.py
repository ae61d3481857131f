"""SFTP: who is trusted, what lies where, and what happens when the network fails."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import subprocess
import sys
import textwrap
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("asyncssh")

from storage import open_async_store
from storage._async.backends.sftp.line import SftpLine
from storage._async.backends.sftp.store import AsyncSftpStore
from storage._core.errors import (
    AccessDenied,
    ConfigError,
    InvalidKey,
    ObjectExists,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from storage.sftp import SftpStore
from tests.faults.cutting import CuttingRelay
from tests.services.process import FileService

LARGE = bytes(range(256)) * 8_000
CANARY = "secret-of-the-ssh-user"  # what the server takes


def trusting(service: FileService, directory: Path, port: int) -> str:
    """A file of known hosts that has the server's key at some port."""
    path = directory / f"known_hosts_{port}"
    public = (Path(service.directory) / "host_key.pub").read_text()
    path.write_text(f"[127.0.0.1]:{port} {public}")
    return str(path)


@pytest.fixture
def make(sftp: FileService, tmp_path: Path) -> Callable[..., AsyncSftpStore]:
    """Make a store below the test's directory."""
    return maker(sftp, tmp_path)


def maker(service: FileService, tmp_path: Path) -> Callable[..., AsyncSftpStore]:
    def made(root: str = "objects", **options: Any) -> AsyncSftpStore:
        port = options.pop("port", service.port)
        keys = None if "password" in options else [f"{service.directory}/id_ed25519"]
        trust = options.get("verify_host_key", True)
        default = trusting(service, tmp_path, port) if trust else None
        return AsyncSftpStore(
            service.host,
            str(tmp_path / root),
            port=port,
            username=service.user,
            client_keys=keys,
            known_hosts=options.pop("known_hosts", default),
            **options,
        )

    return made


@pytest.fixture
async def between(sftp: FileService) -> AsyncIterator[CuttingRelay]:
    async with CuttingRelay(sftp.port) as relay:
        yield relay


# -- every server ---------------------------------------------------------------------------


async def test_both_servers(ssh: FileService, tmp_path: Path) -> None:
    """What one server does by itself, another one has done for it."""
    async with maker(ssh, tmp_path)() as store:
        await store.put("a/b", LARGE)
        assert await store.get_range("a/b", -5) == LARGE[-5:]
        await store.copy("a/b", "a/c")
        await store.move("a/c", "d/e")
        with pytest.raises(ObjectExists):
            await store.copy("a/b", "d/e", if_absent=True)
        with pytest.raises(InvalidKey):
            await store.put("a", b"")
        with pytest.raises(InvalidKey):
            await store.put("a/b/c", b"")
        await store.put("d/e", iter([b"1", b"2"]))
        assert [info.size async for info in store.list()] == [len(LARGE), 2]
        await store.clear()
    assert list((tmp_path / "objects").iterdir()) == []


# -- trust ----------------------------------------------------------------------------------


async def test_unknown_host_is_refused(make: Callable[..., AsyncSftpStore], tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    async with make(known_hosts=str(tmp_path / "nobody")) as store:
        with pytest.raises(AccessDenied, match=r"[Hh]ost key"):
            await store.put("key", b"")
    async with make(verify_host_key=False) as store:
        await store.put("key", b"")


async def test_host_with_another_key_is_refused(
    sftp: FileService, make: Callable[..., AsyncSftpStore], tmp_path: Path
) -> None:
    public = (Path(sftp.directory) / "id_ed25519.pub").read_text()
    (tmp_path / "other").write_text(f"[127.0.0.1]:{sftp.port} {public}")
    async with make(known_hosts=str(tmp_path / "other")) as store:
        with pytest.raises(AccessDenied):
            await store.exists("key")


def test_trust_is_not_half(make: Callable[..., AsyncSftpStore]) -> None:
    with pytest.raises(ConfigError):
        make(known_hosts="x", verify_host_key=False)


async def test_passwords_stay_secret(
    shared_servers: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service = shared_servers.join("asyncssh")
    make = maker(service, tmp_path)
    told: list[str] = []
    wrong = "wrong-" + CANARY
    for password in (CANARY, wrong):
        store = make(password=password)
        told += [repr(store), str(store)]
        with pytest.raises(TypeError) as unpickled:
            pickle.dumps(store)
        told += [str(unpickled.value)]
        async with store:
            try:
                await store.put("key", b"")
                assert password == CANARY
                await store.get("missing")
            except StoreError as error:
                told += traceback.format_exception(error)
    assert any("AccessDenied" in text for text in told)
    assert any("ObjectNotFound" in text for text in told)
    assert not [text for text in [*told, caplog.text] if CANARY in text]


async def test_urls(sftp: FileService, tmp_path: Path) -> None:
    trust = trusting(sftp, tmp_path, sftp.port)
    url = f"sftp://{sftp.user}@127.0.0.1:{sftp.port}{tmp_path}/by%20url"
    options = f"?client_key={sftp.directory}/id_ed25519&known_hosts={trust}&sessions=3&timeout=30"
    async with open_async_store(url + options) as store:
        await store.put("key", b"value")
        assert str(tmp_path) in repr(store)
    assert (tmp_path / "by url" / "key").read_bytes() == b"value"
    assert open_async_store("sftp://h/~/below")._locations()[0][1] == "None@below/"
    secret = open_async_store(f"sftp://me:{CANARY}@host/x")
    assert CANARY not in repr(secret)
    for wrong in ("sftp:///x", "sftp://h:port/x", "sftp://h/x?sessions=2", "sftp://h/x?y=1"):
        with pytest.raises(ConfigError):
            open_async_store(wrong)


# -- what lies where ------------------------------------------------------------------------


async def test_links_are_not_followed(
    ssh: FileService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"theirs")
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "directory").symlink_to(tmp_path / "outside")
    (tmp_path / "objects" / "file").symlink_to(tmp_path / "outside" / "secret")
    async with maker(ssh, tmp_path)() as store:
        for key in ("file", "directory/secret"):
            for verb in (store.get, store.head, store.delete, lambda key: store.put(key, b"x")):
                with pytest.raises(AccessDenied, match="link"):
                    await verb(key)
        for key in ("directory/new", "directory/new/deep"):
            with pytest.raises(AccessDenied, match="link"):
                await store.put(key, b"x")
            with pytest.raises(AccessDenied, match="link"):
                await store.copy("file", key)
        assert [key async for key in store.keys()] == []
        with pytest.raises(AccessDenied, match="link"):
            assert [key async for key in store.keys("directory/")] == []
    assert os.listdir(tmp_path / "outside") == ["secret"]
    assert (tmp_path / "outside" / "secret").read_bytes() == b"theirs"
    assert "links" in caplog.text


async def test_the_root_may_be_a_link(make: Callable[..., AsyncSftpStore], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "objects").symlink_to(tmp_path / "real")
    async with make() as store:
        await store.put("a/b", b"value")
        assert await store.get("a/b") == b"value"
        assert [key async for key in store.keys()] == ["a/b"]


async def test_sweep(make: Callable[..., AsyncSftpStore], tmp_path: Path) -> None:
    async with make() as store:
        await store.put("a/key", b"value")
        old, new = (tmp_path / "objects" / "a" / f".storage-tmp-{n}" for n in ("old", "new"))
        alone = tmp_path / "objects" / "b" / "c" / ".storage-tmp-alone"
        alone.parent.mkdir(parents=True)
        for path in (old, new, alone):
            path.write_bytes(b"half")
        for path in (old, alone):
            os.utime(path, (0, 0))
        assert [key async for key in store.keys()] == ["a/key"]
        assert await store.sweep() == 2
        assert new.exists()
        assert sorted(os.listdir(tmp_path / "objects")) == ["a"]
        assert await store.sweep(older_than=0) == 1
        assert await store.get("a/key") == b"value"


async def test_full_disk(make: Callable[..., AsyncSftpStore], tmp_path: Path) -> None:
    from storage._core.errors import NoSpace

    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    (tmp_path / "objects").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path / "objects")]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        async with make() as store:
            await store.put("key", b"old")
            for data in (LARGE, iter([LARGE])):
                with pytest.raises(NoSpace):
                    await store.put("key", data)
            assert os.listdir(tmp_path / "objects") == ["key"]
            await store.put("key", b"new")
            assert await store.get("key") == b"new"
    finally:
        subprocess.run(["umount", str(tmp_path / "objects")], check=True)


async def test_the_server_copies(
    make: Callable[..., AsyncSftpStore], between: CuttingRelay, sftp: FileService
) -> None:
    if sftp.name != "openssh":
        pytest.skip("the server copies nothing")
    async with make(port=between.port) as store:
        await store.put("source", LARGE)
        before = between.passed
        info = await store.copy("source", "a/target")
        assert info.size == len(LARGE)
        assert between.passed - before < 50_000
        assert await store.get("a/target") == LARGE


# -- the network ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["get", "put", "stream", "copy"])
async def test_lost_connection(
    make: Callable[..., AsyncSftpStore], between: CuttingRelay, tmp_path: Path, verb: str
) -> None:
    async with make(port=between.port) as store:
        await store.put("a/key", LARGE)
        between.cut_after(100_000 if verb != "copy" else 500)
        with pytest.raises(StoreUnavailable):
            if verb == "get":
                await store.get("a/key")
            elif verb == "copy":
                await store.copy("a/key", "b/key")
            else:
                await store.put("b/key", LARGE if verb == "put" else iter([LARGE, LARGE]))
        assert sorted(os.listdir(tmp_path / "objects")) == ["a"], "it was undone elsewhere"
        assert os.listdir(tmp_path / "objects" / "a") == ["key"]
        assert await store.get("a/key") == LARGE


async def test_server_that_was_restarted(
    make: Callable[..., AsyncSftpStore], between: CuttingRelay
) -> None:
    """Pooled sessions whose connection is gone are not used."""
    async with make(port=between.port) as store:
        await store.put("key", b"value")
        between.cut()
        await asyncio.sleep(0.05)
        assert await store.get("key") == b"value"


async def test_server_that_is_not_there(make: Callable[..., AsyncSftpStore]) -> None:
    async with make(port=1) as store:
        with pytest.raises(StoreUnavailable):
            await store.get("key")


async def test_silent_server(make: Callable[..., AsyncSftpStore], between: CuttingRelay) -> None:
    async with make(port=between.port, timeout=0.2) as store:
        between.hold()
        with pytest.raises(StoreTimeout):
            await store.get("key")
        between.go_on()
        store._timeout = 30
        await store.put("key", b"value")
        assert await store.get("key") == b"value"


# -- sessions -------------------------------------------------------------------------------


async def counted(
    make: Callable[..., AsyncSftpStore], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[AsyncSftpStore, list[Any]]:
    """A store, and the sessions that it opens."""
    opened: list[Any] = []
    original = SftpLine.open

    async def recorded(self: SftpLine) -> Any:
        opened.append(await original(self))
        return opened[-1]

    monkeypatch.setattr(SftpLine, "open", recorded)
    return make(**options), opened


async def test_sessions_are_bounded(
    make: Callable[..., AsyncSftpStore], between: CuttingRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, opened = await counted(make, monkeypatch, port=between.port, sessions=6)
    async with store:
        await asyncio.gather(*(store.put(f"key{n}", b"value") for n in range(30)))
        await asyncio.gather(*(store.put(f"key{n}", iter([b"value"])) for n in range(30)))
        streams = await asyncio.gather(*(read(store, f"key{n}") for n in range(30)))
        assert streams == [b"value"] * 30
    assert 2 <= len(opened) <= 6
    assert between.connections == 1


async def read(store: AsyncSftpStore, key: str) -> bytes:
    async with store.open_reader(key) as reader:
        return await reader.read()


async def test_waiting_counts_for_the_deadline(make: Callable[..., AsyncSftpStore]) -> None:
    async with make(sessions=3) as store, AsyncExitStack() as stack:
        await store.put("key", b"value")
        await stack.enter_async_context(store.open_reader("key"))
        store._timeout = 0.05
        with pytest.raises(StoreTimeout):
            await stack.enter_async_context(store.open_reader("key"))
        store._timeout = 30
        # Whole operations have a session of their own.
        assert await store.get("key") == b"value"


async def test_cancelled_operation_closes_its_session(
    make: Callable[..., AsyncSftpStore], between: CuttingRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, opened = await counted(make, monkeypatch, port=between.port)
    async with store:
        await store.put("key", b"value")
        between.hold()
        task = asyncio.create_task(store.get("key"))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        between.go_on()
        assert task.cancelled()
        assert await store.get("key") == b"value"
    assert len(opened) == 2
    assert not opened[0].quiet


async def test_unclosed_store_warns(make: Callable[..., AsyncSftpStore]) -> None:
    store = make()
    await store.put("key", b"value")
    pools = store._pools
    with pytest.warns(ResourceWarning, match="unclosed AsyncSftpStore"):
        del store
    await pools.aclose()


FORKS = """
    import os, sys, warnings
    from storage import open_store

    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
    store = open_store(sys.argv[1])
    store.put("parent", b"value")
    pid = os.fork()
    if not pid:
        try:
            assert store.get("parent") == b"value"
            store.put("child", b"theirs")
            store.close()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert store.get("child") == b"theirs"
    store.close()
    print("both")
"""


def test_forked_process(sftp: FileService, tmp_path: Path) -> None:
    trust = trusting(sftp, tmp_path, sftp.port)
    url = (
        f"sftp://{sftp.user}@127.0.0.1:{sftp.port}{tmp_path}/objects"
        f"?client_key={sftp.directory}/id_ed25519&known_hosts={trust}"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(FORKS), url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("both\n", "")


def test_second_run(make: Callable[..., AsyncSftpStore]) -> None:
    store = make()
    asyncio.run(store.put("key", b"value"))
    assert asyncio.run(store.get("key")) == b"value"
    asyncio.run(store.aclose())
    with SftpStore.around(make()) as twin:
        assert twin.get("key") == b"value"
