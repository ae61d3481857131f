"""What is read is what was written, over stores of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from storage.typed import AutoStore, S3Options
from tests.services.process import S3Service

texts = some.text(max_size=20)
numbers = some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
plain = some.recursive(
    some.none() | some.booleans() | numbers | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
values = plain | some.binary(max_size=100)
SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
names = some.text(
    some.characters(codec="utf-8", exclude_characters="\0/\\:?"), min_size=1, max_size=20
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], AutoStore]]:
    """One store of each kind for all examples."""
    root = tmp_path_factory.mktemp("typed")
    urls = {"memory": "memory://", "sqlite": f"sqlite://{root}/s.sqlite"}
    urls |= {"zip": f"zip://{root}/z.zip", "hashdir": f"hashdir://{root}/h?durable=false"}
    made: dict[str, AutoStore] = {}
    with ExitStack() as stack:

        def get(kind: str) -> AutoStore:
            if kind not in made:
                made[kind] = stack.enter_context(AutoStore(urls[kind]))
            return made[kind]

        yield get


def same(store: AutoStore, key: str, value: Any) -> None:
    """A value makes the round trip, under its own key and under the one it was given."""
    found = store.write(key, value)
    for each in (key, found):
        read = store.read(each)
        assert read == value
        assert type(read) is type(value)
    assert found in set(store.keys())
    store.delete(found)
    assert store.find_file_fuzzy(key) is None


@pytest.mark.parametrize("kind", ["memory", "sqlite", "zip", "hashdir"])
def test_local(kind: str, opened: Callable[[str], AutoStore]) -> None:
    @settings(max_examples=15, database=None, suppress_health_check=SLOW)
    @given(name=names, value=values)
    def check(name: str, value: Any) -> None:
        same(opened(kind), f"a/key-{name}", value)

    check()


def test_buckets(seaweedfs: S3Service, new_bucket: Callable[[S3Service], str]) -> None:
    options = S3Options(
        aws_access_key_id=seaweedfs.access_key,
        aws_secret_access_key=seaweedfs.secret_key,
        region_name=seaweedfs.region,
        endpoint_url=seaweedfs.endpoint_url,
    )
    with AutoStore(f"s3://{new_bucket(seaweedfs)}", options=options) as store:

        @settings(max_examples=8, database=None, suppress_health_check=SLOW)
        @given(value=values)
        def check(value: Any) -> None:
            same(store, "a/key", value)

        check()


def test_text_formats(tmp_path: Path) -> None:
    with AutoStore(tmp_path) as store:

        @settings(max_examples=15, database=None)
        @given(text=texts, rows=some.lists(plain, max_size=4))
        def check(text: str, rows: Any) -> None:
            for key in ("a.txt", "a.html", "a.md", "a.json", "a.yaml"):
                store[key] = text
                assert store[key] == text
            store["rows.jsonl"] = rows
            assert store["rows.jsonl"] == rows

        check()
