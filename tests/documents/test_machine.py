"""Documents do what dicts of dicts do, whatever keeps them."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from storage.documents import UID, DocumentNotFoundException, FileBackend, Storage
from storage.object import DictStore

UIDS = st.sampled_from([UID("a"), UID("aa"), UID("b")])
KEYS = st.sampled_from(["k", "k/", "%", ".", "é"])
Model = dict[str, dict[str, bytes]]


class Documents(RuleBasedStateMachine):
    """What each value is an object of: nothing is lost, whatever is dropped."""

    lazy = False

    def __init__(self) -> None:
        super().__init__()
        store = DictStore()
        self.backend: Any = FileBackend(store, "notes", lock="none") if self.lazy else store
        self.storage = Storage(self.backend)
        self.storage.open()
        self.model: Model = {}
        self.durable: Model = {}

    def changed(self) -> None:
        self.model = {uid: document for uid, document in self.model.items() if document}
        if not self.lazy:
            self.synced()

    def synced(self) -> None:
        self.durable = {uid: dict(document) for uid, document in self.model.items()}

    @rule(uid=UIDS, key=KEYS, data=st.binary(max_size=3))
    def put(self, uid: UID, key: str, data: bytes) -> None:
        self.storage.put(uid, key, data)
        self.model.setdefault(str(uid), {})[key] = data
        self.changed()

    @rule(uid=UIDS, key=KEYS)
    def delete(self, uid: UID, key: str) -> None:
        self.storage.delete(uid, key)
        self.model.get(str(uid), {}).pop(key, None)
        self.changed()

    @rule(uid=UIDS)
    def delete_document(self, uid: UID) -> None:
        try:
            self.storage.delete_document(uid)
        except DocumentNotFoundException:
            assert str(uid) not in self.model
        else:
            del self.model[str(uid)]
            self.changed()

    @rule(uid=UIDS, key=KEYS)
    def look(self, uid: UID, key: str) -> None:
        expected = self.model.get(str(uid))
        assert self.storage.count(uid) == len(expected or {})
        try:
            assert self.storage.get_document(uid) == expected
            assert self.storage.get(uid, key) == (expected or {}).get(key)
        except DocumentNotFoundException:
            assert expected is None

    @rule()
    def sync(self) -> None:
        self.storage.sync()
        self.synced()

    @rule(sync=st.booleans())
    def reopen(self, sync: bool) -> None:
        if sync:
            self.synced()
        self.storage.close({"sync": sync})
        self.storage.open()
        self.model = {uid: dict(document) for uid, document in self.durable.items()}

    def teardown(self) -> None:
        self.storage.close({"sync": False})


class LazyDocuments(Documents):
    """A collection in one object: what was not synced is gone with a close that does not."""

    lazy = True


TestDocuments = Documents.TestCase
TestDocuments.settings = settings(max_examples=20, stateful_step_count=25)
TestLazyDocuments = LazyDocuments.TestCase
TestLazyDocuments.settings = settings(max_examples=20, stateful_step_count=25)
