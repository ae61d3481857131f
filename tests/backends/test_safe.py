"""Names in base 32: reversible, one for each key, and those of amplify-storage-utils."""

from __future__ import annotations

import re
from base64 import b32encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._async.backends.fs import _Base32Layout
from storage.aiofs import AsyncSafeFilesystemStore
from tests.backends.files import listed, tree

LAYOUT = _Base32Layout()


def name_of(key: bytes) -> str:
    """The name that amplify-storage-utils gives to a key, from its documentation."""
    return b32encode(key).decode().replace("=", "_")


@pytest.mark.parametrize("key", ["a", "ab", "abc", "abcd", "abcde", "a/b", "Ä", "../x", "k" * 155])
async def test_directories_of_amplify_can_be_read_and_written(tmp_path: Path, key: str) -> None:
    (tmp_path / name_of(key.encode())).write_bytes(b"theirs")
    store = AsyncSafeFilesystemStore(tmp_path)
    assert await store.get(key) == b"theirs"
    assert await listed(store) == [key]
    await store.put(key, b"ours")
    assert tree(tmp_path) == {name_of(key.encode()): b"ours"}


@settings(max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=700) | st.sampled_from([b"k" * 155, b"k" * 156])))
def test_names_are_reversible_safe_and_in_order(keys: list[bytes]) -> None:
    places: dict[bytes, list[bytes]] = {}
    for key in keys:
        rest, names, tails = key, [], []
        while len(rest) > LAYOUT.CUT:
            names.append(LAYOUT.directory_name(rest[: LAYOUT.CUT]))
            tails.append(LAYOUT.directory_tail(names[-1]))
            rest = rest[LAYOUT.CUT :]
        names.append(LAYOUT.file_name(rest))
        tails.append(LAYOUT.file_tail(names[-1]))
        assert b"".join(tail or b"" for tail in tails) == key
        for name in names:
            assert re.fullmatch(rb"[A-Z2-7_]+-?", name)
            assert len(name) <= 249
        places[key] = names
    # No two keys share a file, or need one name for a file and for a directory.
    files = {tuple(names) for names in places.values()}
    directories = {tuple(names[:end]) for names in places.values() for end in range(1, len(names))}
    assert len(files) == len(places)
    assert not files & directories


@given(st.text(min_size=1, max_size=250).filter(lambda key: "\0" not in key))
def test_the_way_of_a_key_is_its_parts(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    parts = LAYOUT.parts(key)
    tails = [LAYOUT.directory_tail(part) for part in parts[:-1]] + [LAYOUT.file_tail(parts[-1])]
    assert b"".join(tail or b"" for tail in tails).decode() == key


async def test_other_files_are_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = AsyncSafeFilesystemStore(tmp_path)
    await store.put("k", b"v")
    await store.put("k" * 200, b"v")
    strange = [
        "readme.txt", "me______", "ME_____", "MF______", "MFRGG===", "ME______-x", "74______",
        "________", "1" * 8,
    ]  # fmt: skip
    for name in strange:
        (tmp_path / name).write_bytes(b"foreign")
    for name in ("dir", "ME______-", "A" * 248 + "-"):
        (tmp_path / name / "below").mkdir(parents=True)
    assert await listed(store) == ["k", "k" * 200]
    assert f"{len(strange) + 3} names that are no keys" in caplog.text
    await store.clear()
    assert await listed(store) == []
    assert len(tree(tmp_path)) == len(strange) + 6


async def test_long_keys_leave_no_directories_behind(tmp_path: Path) -> None:
    store = AsyncSafeFilesystemStore(tmp_path)
    for size in (155, 156, 310, 311, 1024):
        await store.put("k" * size, b"%d" % size)
    assert await listed(store) == ["k" * size for size in (155, 156, 310, 311, 1024)]
    for size in (155, 156, 310, 311, 1024):
        assert await store.get("k" * size) == b"%d" % size
        await store.delete("k" * size)
    assert tree(tmp_path) == {}
