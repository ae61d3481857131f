"""Forms of collections: what is dumped is loaded, what others wrote is read, all else refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._async.documents import formats  # noqa: F401 - it registers the codecs
from storage._async.documents.codecs import Documents, codec_named, load
from storage.documents import UID, open_documents, register_codec
from storage.object import ConfigError, CorruptStore, MissingExtra
from tests.documents.places import NEEDED, each

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32)
VALUES = (
    st.binary(max_size=40)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(str.encode)
    | st.sampled_from([b"b''", b'b"x"', b"base64:", b"b'\\xff'", b"null", b"1", b"~", b"=", b"- a"])
)
UIDS = st.from_regex("[0-9A-Za-z_-]{1,32}", fullmatch=True) | st.sampled_from(["DEFAULT", "1", "y"])
COLLECTIONS = st.dictionaries(
    UIDS, st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), max_size=3
)


@pytest.mark.parametrize("name", each("json", "yaml", "ini", "msgpack"))
@settings(max_examples=40)
@given(documents=COLLECTIONS)
def test_what_is_dumped_is_loaded(name: str, documents: Documents) -> None:
    codec = codec_named(name)
    assert load(codec, codec.dump(documents)) == documents


@settings(max_examples=40)
@given(documents=COLLECTIONS)
def test_files_of_pystoragebackend_are_read(documents: Documents) -> None:
    """It writes the text of a bytes literal for each value, and escapes all but ASCII."""
    tree = {
        uid: {key: str(value) for key, value in each.items()} for uid, each in documents.items()
    }
    assert load(codec_named("json"), json.dumps(tree, ensure_ascii=True).encode()) == documents


def test_texts_of_pystoragebackend_are_read() -> None:
    tree = {"1": {"text": "words", "cut": "b'words", "joined": "b'a' b'b'"}, "empty": {}}
    assert load(codec_named("json"), json.dumps(tree).encode()) == {
        "1": {"text": b"words", "cut": b"b'words", "joined": b"b'a' b'b'"}
    }


def test_json_and_yaml_can_be_read_by_people() -> None:
    documents = {"1": {"name": "schön".encode(), "bytes": b"\xff"}}
    assert codec_named("json").dump(documents).decode() == (
        '{\n "1": {\n  "name": "schön",\n  "bytes": {\n   "base64": "/w=="\n  }\n }\n}'
    )
    pytest.importorskip("yaml")
    assert codec_named("yaml").dump(documents).decode() == (
        "'1':\n  name: schön\n  bytes: !!binary |\n    /w==\n"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("json", b"{"),
        ("json", b"[]"),
        ("json", b'{"1": 2}'),
        ("json", b'{"1": {"a": 2}}'),
        ("json", b'{"1": {"a": {"base64": "?"}}}'),
        ("json", b"\xff"),
        ("yaml", b"1: {a: 2}"),
        ("yaml", b"!!python/object/apply:os.getcwd []"),
        ("ini", b"no section"),
        ("ini", b"[1]\na = base64:?"),
        ("msgpack", b"\xc1"),
        ("msgpack", b"\x81\xa11\x01"),
    ],
)
def test_what_is_no_collection_is_refused_and_left_alone(
    name: str, data: bytes, tmp_path: Path
) -> None:
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    file = tmp_path / "notes"
    file.write_bytes(data)
    documents = open_documents(f"{name}://{file}")
    with pytest.raises(CorruptStore, match=f"no documents in {name}"):
        documents.open()
    documents.close()
    assert file.read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_codec_is_a_few_lines(tmp_path: Path) -> None:
    def dump(documents: Documents) -> bytes:
        return repr(documents).encode()

    def read(data: bytes) -> Documents:
        import ast

        found: Documents = ast.literal_eval(data.decode())
        return found

    register_codec("literal", dump, read)
    uid = UID.new()
    with open_documents(f"literal://{tmp_path}/notes.py") as documents:
        documents.put(uid, "key", b"\xff")
    assert (tmp_path / "notes.py").read_text() == repr({str(uid): {"key": b"\xff"}})
    with open_documents(f"literal://{tmp_path}/notes.py") as documents:
        assert documents.get(uid, "key") == b"\xff"
    with pytest.raises(ConfigError):
        register_codec("No+Name", dump, read)


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_package_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, NEEDED[name], None)
    (tmp_path / "notes").write_bytes(b"")
    with pytest.raises(MissingExtra, match=rf"pip install 'storage\[{name}\]'"):
        open_documents(f"{name}://{tmp_path}/notes").open()
