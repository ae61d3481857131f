"""Any sequence of operations, against a dict."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import ObjectExists, ObjectNotFound, PreconditionFailed, StoreNotFound

from .zips import abandon, contents, drive, keys, unpacked

KEYS = st.sampled_from(["a", "a/b", "A", "ä", "z" * 300, "😀"])
DATA = st.binary(max_size=40) | st.builds(lambda data: data * 500, st.binary(max_size=9))


class ZipMachine(RuleBasedStateMachine):
    """A zip store, a second one on the same archive, and a dict."""

    etags = Bundle("etags")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.path = self.directory / "x.zip"
        self.store = AsyncZipStore(self.path)
        self.other = AsyncZipStore(self.path)
        self.model: dict[str, bytes] = {}
        self.now: dict[str, str | None] = {}
        self.exists = False

    def teardown(self) -> None:
        drive(self.store.checkpoint())  # of what an abandoned store has left, too
        drive(self.store.aclose())
        drive(self.other.aclose())
        if self.exists:
            assert unpacked(self.path) == self.model
        shutil.rmtree(self.directory)

    @rule(target=etags, key=KEYS, data=DATA, streamed=st.booleans())
    def put(self, key: str, data: bytes, streamed: bool) -> str | None:
        source = iter([data[:7], data[7:]]) if streamed else data
        return self._stored(key, data, drive(self.store.put(key, source)).etag)

    def _stored(self, key: str, data: bytes, etag: str | None) -> str | None:
        assert etag not in self.now.values()
        self.model[key], self.now[key], self.exists = data, etag, True
        return etag

    @rule(target=etags, key=KEYS, data=DATA)
    def create(self, key: str, data: bytes) -> str | None:
        try:
            info = drive(self.store.put(key, data, if_absent=True))
        except ObjectExists:
            assert key in self.model
            return self.now[key]
        assert key not in self.model
        return self._stored(key, data, info.etag)

    @rule(key=KEYS, data=DATA, etag=etags)
    def swap(self, key: str, data: bytes, etag: str) -> None:
        try:
            info = drive(self.other.put(key, data, if_match=etag))
        except PreconditionFailed:
            assert self.now.get(key) != etag
        else:
            assert self.now[key] == etag
            self._stored(key, data, info.etag)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        try:
            drive(self.other.delete(key))
        except ObjectNotFound:
            assert key not in self.model
        else:
            del self.model[key], self.now[key]

    @rule(source=KEYS, to=KEYS)
    def copy(self, source: str, to: str) -> None:
        try:
            info = drive(self.store.copy(source, to))
        except (ObjectNotFound, StoreNotFound):
            assert source not in self.model
        else:
            if source != to:
                self._stored(to, self.model[source], info.etag)

    @rule()
    def checkpoint(self) -> None:
        drive(self.store.checkpoint())
        if self.exists:
            assert unpacked(self.path) == self.model

    @rule(close=st.booleans())
    def reopen(self, close: bool) -> None:
        if close:
            drive(self.store.aclose())
        else:
            abandon(self.store)
        self.store, self.other = self.other, AsyncZipStore(self.path)

    @invariant()
    def the_same(self) -> None:
        if not self.exists:
            return
        for store in (self.store, self.other):
            assert contents(store) == self.model
            assert keys(store) == sorted(self.model, key=str.encode)
            assert {key: drive(store.head(key)).etag for key in self.model} == self.now


TestZipMachine = ZipMachine.TestCase
TestZipMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
