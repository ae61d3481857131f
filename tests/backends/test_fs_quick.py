"""The short way of new objects: what it does, and how it gives way to the long one."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage._async.backends._files import deferred, hidden, objects, quick
from storage._async.backends._files.objects import ENOUGH
from storage._async.backends._files.straight import straight_linker
from storage._core import bulk
from storage._core.budget import ByteBudget
from storage._core.calls import drive
from storage._core.info import ObjectInfo, WriteOptions
from storage.fs import FilesystemStore
from storage.object import (
    AccessDenied,
    InvalidKey,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreUnavailable,
)
from tests.backends.files import descriptors, litter, tree

pytestmark = pytest.mark.skipif(
    straight_linker() is None or not hidden.UNNAMED, reason="this system has no short way"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FilesystemStore]:
    """One that takes the short way; it leaves nothing open, and no litter."""
    root = tmp_path / "root"
    with FilesystemStore(root, durable=False) as store:
        for number in range(ENOUGH):
            store.put(f"d/{number}", b"new")
        before = descriptors()
        yield store
        assert descriptors() == before
        assert not litter(root)


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What came of each object that was sent the short way."""
    found: list[object] = []

    def spied(*arguments: object) -> object:
        found.append(quick.put_new(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(objects, "put_new", spied)
    return found


def test_new_objects_go_the_short_way(store: FilesystemStore, outcomes: list[object]) -> None:
    infos = [
        store.put("d/new", b"1"),
        store.put("d/only", b"", if_absent=True),
        store.put("top", memoryview(b"22")),
    ]
    assert outcomes == infos
    assert [store.head(info.key) for info in infos] == infos
    assert [store.get(info.key) for info in infos] == [b"1", b"", b"22"]
    assert store.put("deep/er/k", b"3") == store.head("deep/er/k")  # there is no directory yet
    assert store.put("deep/er/l", b"4") == store.head("deep/er/l")
    assert [outcome is None for outcome in outcomes[3:]] == [True, False]


def test_what_is_more_than_bytes_goes_the_long_one(
    tmp_path: Path, store: FilesystemStore, outcomes: list[object]
) -> None:
    store.put("d/typed", b"1", content_type="a/b")
    store.with_ttl(60).put("d/mortal", b"2")
    store.put("d/0", b"3", if_match=store.head("d/0").etag)
    for other in (
        FilesystemStore(tmp_path / "root"),
        FilesystemStore(tmp_path / "root", durable=False, file_mode=0o600),
    ):
        for number in range(ENOUGH + 1):
            other.put(f"{other!r}/{number}".replace("/", "-"), b"4")
    assert outcomes == []
    assert store.head("d/typed").content_type == "a/b"


OLD = datetime(2001, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment", [OLD, datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_the_time_of_what_it_is_a_copy_of(
    tmp_path: Path, outcomes: list[object], moment: datetime
) -> None:
    """The same as in the long way, also where the file system does not know the time."""

    def told(path: Path, number: int) -> list[datetime | None]:
        with FilesystemStore(path, durable=False) as store:
            store._async._objects._new = number
            for key in ("new", "there", "there"):
                drive(store._async._write(key, key.encode(), WriteOptions(modified=moment)))
            assert [store.get(key) for key in ("new", "there")] == [b"new", b"there"]
            return [store.head(key).modified for key in ("new", "there")]

    short = told(tmp_path / "short", ENOUGH)
    assert len(outcomes) == 3
    assert short == told(tmp_path / "long", -ENOUGH)
    assert len(outcomes) == 3
    assert moment != OLD or short == [OLD, OLD]


def test_a_job_that_settles_later(
    tmp_path: Path, outcomes: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is durable by the end of the job goes the short way; all else in the store does not."""
    root, redeemed, redeem = tmp_path / "root", [], deferred.FileSystems.redeem

    def noted(pledge: deferred.FileSystems) -> None:
        redeemed.append(len(outcomes))
        redeem(pledge)

    monkeypatch.setattr(deferred.FileSystems, "redeem", noted)
    with FilesystemStore(root) as store:
        store.put("before", b"x")
        job = bulk.BulkJob(ByteBudget(1))
        token = bulk.current.set(job)
        try:
            for number in range(ENOUGH + 3):
                store.put(f"{number}", b"x")
            job.settle()
            assert redeemed == [4]
        finally:
            bulk.current.reset(token)
            job.release()
        assert [type(outcome) for outcome in outcomes] == [ObjectInfo] * 4
        store.put("after", b"x")
        assert len(outcomes) == 4
        assert len(list(store.keys())) == ENOUGH + 5
    assert not litter(root)


def test_what_is_there_is_replaced_in_the_long_way(
    tmp_path: Path, store: FilesystemStore, outcomes: list[object]
) -> None:
    (tmp_path / "root/d/0").chmod(0o600)
    old = store.head("d/0")
    info = store.put("d/0", b"newer")
    assert len(outcomes) == 1  # and what was written there already is what appeared
    assert info == store.head("d/0") != old
    assert store.get("d/0") == b"newer"
    assert (tmp_path / "root/d/0").stat().st_mode & 0o777 == 0o600
    store.put("d/1", b"newer")  # as the one before it
    assert len(outcomes) == 1


def test_put_if_absent(store: FilesystemStore, outcomes: list[object]) -> None:
    with pytest.raises(ObjectExists):
        store.put("d/0", b"newer", if_absent=True)
    assert len(outcomes) == 1
    assert store.get("d/0") == b"new"


def test_what_else_is_in_the_way(tmp_path: Path, store: FilesystemStore) -> None:
    root = tmp_path / "root"
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to("../outside")
    (root / "d/link").symlink_to("../../outside/k")
    (root / "empty/er").mkdir(parents=True)
    for key, kind in {
        "link/k": AccessDenied, "d/link": AccessDenied, "d": InvalidKey, "d/0/k": InvalidKey,
    }.items():  # fmt: skip
        store._async._objects._new = ENOUGH
        with pytest.raises(kind):
            store.put(key, b"no")
    store._async._objects._new = ENOUGH
    store.put("empty", b"yes")
    assert store.get("empty") == b"yes"
    assert tree(tmp_path / "outside") == {}


@pytest.mark.parametrize("name", ["write", "utime", "dup"])
def test_errors_on_the_way(
    store: FilesystemStore, outcomes: list[object], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, left = getattr(os, name), 0

    def failing(*arguments: object, **options: object) -> object:
        nonlocal left
        left -= 1
        if left >= 0:
            raise OSError(errno.EIO, "no luck")
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, failing)
    left = 1  # of which the long way finds nothing
    info = store.put("d/k", b"whole")
    assert (outcomes, store.get("d/k"), store.head("d/k")) == ([None], b"whole", info)
    store._async._objects._new = ENOUGH
    left = 1000
    with pytest.raises(StoreUnavailable):
        store.put("d/l", b"never")
    left = 0
    assert store.exists("d/l") is False


def test_an_error_after_it_has_its_name(
    store: FilesystemStore, outcomes: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(file: int) -> None:
        raise OSError(errno.ESTALE, "stale")

    monkeypatch.setattr(os, "fstat", stale)
    with pytest.raises(StoreUnavailable):  # and not that it exists
        store.put("d/k", b"whole", if_absent=True)
    monkeypatch.undo()
    assert store.get("d/k") == b"whole"


def test_where_a_link_of_an_open_file_is_not_allowed(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[object, ...]] = []

    def denied(*arguments: object) -> int:
        tried.append(arguments)
        return -1

    monkeypatch.setattr(quick, "straight_linker", lambda: denied)
    for number in range(3):
        assert store.put(f"d/k{number}", b"whole") == store.head(f"d/k{number}")
    assert len(tried) == 1


def test_conditional_writers_lose_nothing_to_it(tmp_path: Path) -> None:
    """One object comes and goes while others count in it: each of them is there when it goes."""
    root, wins, counted, stop = tmp_path / "root", 0, 0, threading.Event()

    def come_and_go() -> None:
        nonlocal counted
        with FilesystemStore(root, durable=False) as store:
            while not stop.is_set():
                store._async._objects._new = ENOUGH
                store.put("k", b"0")
                while True:
                    data, info = store.get_with_info("k")
                    with suppress(PreconditionFailed):
                        store.delete("k", if_match=info.etag)
                        break
                counted += len(data) - 1

    thread = threading.Thread(target=come_and_go)
    with FilesystemStore(root, durable=False) as store:
        store.put("other", b"")
        thread.start()
        try:
            while wins < 20:
                with suppress(ObjectNotFound, PreconditionFailed):
                    data, info = store.get_with_info("k")
                    store.put("k", data + b"1", if_match=info.etag)
                    wins += 1
        finally:
            stop.set()
            thread.join()
    assert counted == wins
