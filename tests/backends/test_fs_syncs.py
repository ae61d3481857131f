"""Concurrent puts share the syncs of their directory, and none goes without one."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from storage._async.backends._files.syncing import Syncs, _Round
from storage.fs import FilesystemStore
from storage.object import StoreUnavailable


class Disk:
    """Syncs that end when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.waiting = 0
        self.go = threading.Semaphore(0)
        self.errors: dict[int, BaseException] = {}
        wait = _Round.wait

        def counted(round_: _Round) -> None:
            self.waiting += 1
            wait(round_)

        monkeypatch.setattr(os, "fsync", self.sync)
        monkeypatch.setattr(_Round, "wait", counted)

    def sync(self, file: int) -> None:
        self.begun += 1
        number = self.begun
        assert self.go.acquire(timeout=30)
        if number in self.errors:
            raise self.errors[number]


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    tick = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        tick.wait(0.001)
    raise AssertionError("it never came")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def three(
    disk: Disk, syncs: Syncs, directory: int, pool: ThreadPoolExecutor
) -> tuple[Future[None], Future[None], Future[None]]:
    """One that syncs, one that waits to sync next, and one that waits for the latter."""
    first = pool.submit(syncs.sync, directory)
    until(lambda: disk.begun == 1)
    leads = pool.submit(syncs.sync, directory)
    until(lambda: disk.waiting == 1)
    follows = pool.submit(syncs.sync, directory)
    until(lambda: disk.waiting == 2)
    return first, leads, follows


def test_who_comes_during_a_sync_shares_the_next(
    directory: int, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    disk, syncs = Disk(monkeypatch), Syncs()
    first, leads, follows = three(disk, syncs, directory, pool)
    disk.go.release()
    first.result()
    until(lambda: disk.begun == 2)
    late = pool.submit(syncs.sync, directory)  # the second one may not cover this
    until(lambda: disk.waiting == 3)
    assert not leads.done()
    assert not follows.done()
    disk.go.release()
    leads.result()
    follows.result()
    until(lambda: disk.begun == 3)
    assert not late.done()
    disk.go.release()
    late.result()
    assert syncs._running == syncs._next == {}


def test_a_failure_is_told_to_all_who_shared_the_sync_and_to_no_others(
    directory: int, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    disk, syncs = Disk(monkeypatch), Syncs()
    disk.errors[2] = OSError(errno.EIO, "input/output error")
    first, leads, follows = three(disk, syncs, directory, pool)
    disk.go.release(2)
    first.result()
    for failed in (leads, follows):
        with pytest.raises(OSError, match="input/output"):
            failed.result()
    disk.go.release()
    syncs.sync(directory)
    assert disk.begun == 3


@pytest.mark.parametrize("when", [1, 2])
def test_an_interrupted_sync_is_done_by_another(
    when: int, directory: int, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    disk, syncs = Disk(monkeypatch), Syncs()
    disk.errors[when] = KeyboardInterrupt()
    futures = three(disk, syncs, directory, pool)
    disk.go.release(3)
    with pytest.raises(KeyboardInterrupt):
        futures[when - 1].result()
    for number in {0, 1, 2} - {when - 1}:
        futures[number].result()
    assert disk.begun == when + 1
    assert syncs._running == syncs._next == {}


def test_directories_do_not_wait_for_each_other(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    disk, syncs = Disk(monkeypatch), Syncs()
    other = os.open(tmp_path.parent, os.O_RDONLY)
    both = [pool.submit(syncs.sync, each) for each in (directory, other)]
    until(lambda: disk.begun == 2)
    disk.go.release(2)
    for each in both:
        each.result()
    os.close(other)


def test_puts_of_one_directory_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, real, synced = FilesystemStore(tmp_path), os.fsync, []

    def sync(file: int) -> None:
        synced.append(os.path.isdir(f"/proc/self/fd/{file}"))
        real(file)

    monkeypatch.setattr(os, "fsync", sync)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: store.put(f"d/{number}", b"v"), range(64)))
    assert synced.count(False) == 64
    assert 1 < synced.count(True) <= 66


def test_a_failed_sync_is_told_to_each_put_that_shared_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemStore(tmp_path)
    real = os.fsync

    def sync(file: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{file}"):
            raise OSError(errno.EIO, "input/output error")
        real(file)

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(StoreUnavailable, match="unknown whether it survives"):
        store.put("k", b"v")
