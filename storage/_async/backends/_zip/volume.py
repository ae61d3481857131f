"""Writing to an archive with its journal, and the checkpoint that makes one file of them.

Everything here blocks. Processes exclude each other by a lock on the journal, held for one write
at a time; a file that is locked and no longer under its path is none.
"""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import IO

from ...._core.errors import CorruptStore, StoreError, StoreUnavailable
from ...._core.info import ObjectInfo, WriteOptions, check_delete
from .archive import write_archive
from .content import Content, content_from
from .extra import pack_attributes
from .files import OpenFile, make_directory, open_file, stamp_at, stamp_of, sync_directory
from .format import Entry, Limits, local_header
from .journal import DELETE, MARK, PUT
from .state import State
from .view import Busy, ZipView

PATIENCE = 0.05
"""Seconds that a write waits for a lock before it raises `Busy`."""
JOURNAL_SIZE = 64 * 1024 * 1024
"""Bytes that a journal may grow to where the archive is smaller."""

_log = logging.getLogger("storage.zip")


class ZipVolume(ZipView):
    """An archive with its journal, for reading and writing.

    Args:
        path: The archive.
        limits: What it may hold and unpack to.
        durable: Whether each write is to survive a power cut.
    """

    def __init__(self, path: str, limits: Limits, durable: bool) -> None:
        super().__init__(path, limits)
        self.durable = durable
        self.changed = False
        """Whether something was written here that no checkpoint of ours has seen."""
        self._handle: OpenFile | None = None
        self._journal_size = JOURNAL_SIZE
        _volumes.add(self)

    def spool(self) -> IO[bytes]:
        """A file without a name in the archive's directory; it goes with the process."""
        make_directory(self.directory)
        return tempfile.TemporaryFile(dir=self.directory, prefix=".zip-", buffering=0)

    def put(self, key: str, content: Content, options: WriteOptions) -> ObjectInfo:
        """Store an object; raises `Busy` where that is worth another try."""
        attributes = pack_attributes(options.content_type, options.metadata)
        header = local_header(
            key, content.method, content.crc, content.packed, content.size, attributes
        )
        with self._locked() as state:
            if options.conditional:
                found = state.get(key)
                options.check(key, None if found is None else found.info())
            info = self._put_at_once(state, header, content)
            if info is None:
                info = self._change(state, PUT, header, content)
            assert info is not None
            return info

    def delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        """Remove an object; raises `Busy` where that is worth another try."""
        if (
            self.view().peek(key) is None
        ):  # and so there is nothing to write, not even an empty store
            if not missing_ok or if_match is not None:
                check_delete(key, None, if_match)
            return
        with self._locked() as state:
            entry = state.get(key)
            if entry is None and missing_ok and if_match is None:
                return
            check_delete(key, None if entry is None else entry.info(), if_match)
            self._change(state, DELETE, key.encode())

    def copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Copy a member as it is packed; raises `Busy` where that is worth another try."""
        entry = self.find(source)
        info = entry.info()
        if source == target and not if_absent:
            return info
        options = WriteOptions(if_absent, None, info.content_type, info.metadata)
        return self.put(target, content_from(entry, self.limits), options)

    def checkpoint(self) -> None:
        """Write the archive anew with the journal's changes; raises `Busy` as a write does."""
        if self.changed or self.view().journal is not None:
            with self._locked() as state:
                if state.pending:
                    self._publish(state)
                else:
                    self._remove_journal()

    def vacuum(self) -> int:
        """Write the archive anew in any case; returns how many bytes shorter it is, or 0."""
        self.view().require()
        with self._locked() as state:
            assert state.journal is not None
            before = state.journal.end + (state.seen[0][2] if state.seen[0] else 0)
            state.journal.begin(state.identity, marked=state.marked)
            self._publish(state)
            return max(0, before - os.stat(self.path).st_size)

    def close(self) -> None:
        """Let go of all files; readers that are open keep theirs."""
        with self._lock:
            self._state = self._handle = None

    # -- changes ----------------------------------------------------------------------------

    def _change(
        self, state: State, kind: int, head: bytes, content: Content | None = None
    ) -> ObjectInfo | None:
        journal = state.journal
        assert journal is not None
        if journal.end == 0 and self.durable:
            sync_directory(self.path)  # before the change, so that its failure is the change's
        journal.begin(state.identity, marked=state.marked)
        state.marked = True
        entry = state.apply(journal.append(kind, head, content, sync=self.durable))
        self.changed = True
        if self._is_long(state, journal.end):
            self._publish_early(state)
        return None if entry is None else entry.info()

    def _put_at_once(self, state: State, header: bytes, content: Content) -> ObjectInfo | None:
        """Write the archive anew with an object that would fill the journal; None: it does not.

        It is in a file of its own already, and needs no second copy in the journal.
        """
        journal = state.journal
        assert journal is not None
        long = self._is_long(state, journal.end + content.packed)
        member = content.member(header) if long else None
        if member is None:
            return None
        journal.begin(state.identity, marked=state.marked)
        state.marked = True
        try:
            self._publish(state, member)
        except (OSError, StoreError) as error:
            if self._state is not None:  # the journal can still take it
                _log.warning("%s goes to the journal, no checkpoint: %s", member.key, error)
                return None
            if self.durable:
                text = "the object was put, but it is unknown whether it survives a power cut"
                raise StoreUnavailable(f"{text}: {error}") from error
        return member.info()

    def _is_long(self, state: State, size: int) -> bool:
        """Whether a journal of some size is to go into the archive."""
        return size > max(self._journal_size, state.seen[0][2] if state.seen[0] else 0)

    def _publish_early(self, state: State) -> None:
        """Keep the journal shorter than the archive; it may fail, as the change is safe."""
        try:
            self._publish(state)
            self._journal_size = JOURNAL_SIZE
        except (OSError, StoreError) as error:
            self._journal_size *= 2
            _log.warning("the journal of %s grows, no checkpoint: %s", self.path, error)

    def _publish(self, state: State, more: Entry | None = None) -> None:
        assert state.journal is not None
        new, members = self.path + "-new", state.members()
        if more is not None:
            others = (entry for entry in state.members() if entry.key != more.key)
            members = chain(others, [more])
        mode = None if state.directory is None else os.fstat(state.directory.file.fd).st_mode
        with suppress(FileNotFoundError):
            os.unlink(new)  # of a process that was killed
        file = open_file(new, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            if mode is not None:
                os.fchmod(file.fd, mode & 0o7777)
            identity = write_archive(file.fd, state.directory, members)
            os.fsync(file.fd)
            state.journal.append(MARK, identity, sync=True)
            if stamp_at(self.path) != state.seen[0]:
                raise CorruptStore("another program changed the archive meanwhile")
            os.rename(new, self.path)
        except BaseException:
            os.unlink(new)
            raise
        self._state = None
        sync_directory(self.path)
        self._remove_journal()

    def _remove_journal(self) -> None:
        os.unlink(self.journal_path)
        self._state = None
        self.changed = False  # under the lock, as it is set

    # -- locking ----------------------------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[State]:
        """Hold both locks: no thread and no process changes anything meanwhile."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Busy("another thread is writing")
        try:
            handle, found = self._seize()
            try:
                yield self._prepare(handle, found)
            except StoreError:
                raise
            except BaseException:
                self._state = None  # it may be half changed: the files tell what is true
                raise
            finally:
                self._release(handle)
        finally:
            self._lock.release()

    def _prepare(self, handle: OpenFile, found: os.stat_result) -> State:
        state = self._refresh((stamp_at(self.path), stamp_of(found)[:3]))
        assert state.journal is not None
        state.journal.file = handle
        self._writing = True
        return state

    def _seize(self) -> tuple[OpenFile, os.stat_result]:
        """Lock the journal, and make sure that it is the one under its path, of which it tells."""
        while True:
            if self._handle is None:
                self._handle = self._open_journal()
            handle = self._handle
            _lock_file(handle.fd)
            with suppress(FileNotFoundError):
                found = os.stat(self.journal_path)
                if os.path.samestat(os.fstat(handle.fd), found):
                    return handle, found
            fcntl.flock(handle.fd, fcntl.LOCK_UN)
            self._handle = None

    def _open_journal(self) -> OpenFile:
        mode = 0o666  # or what the archive has: it holds the same secrets
        with suppress(OSError):
            mode &= os.stat(self.path).st_mode
        make_directory(self.directory)
        return open_file(self.journal_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, mode)

    def _release(self, handle: OpenFile) -> None:
        found = os.fstat(handle.fd)
        if not found.st_nlink:
            self._handle = None
        elif not found.st_size:  # nothing came of it
            os.unlink(self.journal_path)
            self._handle = self._state = None
        elif self._state is not None:
            self._state.seen = (
                self._state.seen[0],
                (found.st_dev, found.st_ino, found.st_size),
            )
        self._writing = False
        fcntl.flock(handle.fd, fcntl.LOCK_UN)


def _lock_file(fd: int) -> None:
    end, pause = time.monotonic() + PATIENCE, 0.0005
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Busy("another process is writing to the archive") from None
        time.sleep(pause)
        pause = min(2 * pause, PATIENCE / 5)


_volumes: weakref.WeakSet[ZipVolume] = weakref.WeakSet()


def _renew() -> None:
    # A lock on a file is shared with the parent, and one of threads may be held for ever.
    for volume in list(_volumes):
        volume._lock = threading.Lock()
        volume._state = volume._handle = None
        volume._writing = volume.changed = False


os.register_at_fork(after_in_child=_renew)
